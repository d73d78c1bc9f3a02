"""The sandbox till: a stateful stand-in for Stripe, so that a shop works without any key.

It speaks Stripe's HTTP and webhook protocol, validates requests against the very types that the
installed stripe-python generates, and keeps what it knows in the shop's own database. It knows
what we taught it: that the sandbox accepts a call does not prove that Stripe does. No money moves.
"""

from commerce.checkout.sandbox.buyer import CARDS, Paid, TestPage
from commerce.checkout.sandbox.postman import Chaos
from commerce.checkout.sandbox.server import Sandbox, SandboxReply
from commerce.checkout.sandbox.transport import SandboxTransport

__all__ = ["CARDS", "Chaos", "Paid", "Sandbox", "SandboxReply", "SandboxTransport", "TestPage"]
