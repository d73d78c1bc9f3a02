"""Statements: who earned what of one order, signed, and recomputed by whoever receives one.

A statement carries everything its figures come from. Verifying needs no database and no network:
the signature is checked, the credits are computed again from the touches by the declared rule, what
is left of them from what went back, and both are compared with the entries of the books.
"""

import base64
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from commerce.attribution.books import TEST, Dispute, GoodsLine, Owed, Paid, Standing, targets
from commerce.attribution.chain import canonical
from commerce.attribution.earning import CreditableTouch, RatedLine, earned
from commerce.attribution.rule import CommissionRule
from commerce.errors import LedgerError, SettingsError
from commerce.models.earnings import Document

FORMAT = "livepitch-statement/1"
NOT_PAID_HERE = "This statement is not a payment; payouts on the rail csv are made by the seller."


def public_key(seed: bytes) -> str:
    """The shop's public key, base64, from its 32 secret bytes."""
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def signed(statement: Document, seed: bytes) -> Document:
    """The statement with the shop's public key and its signature over the canonical bytes."""
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(canonical(statement))
    return {
        "statement": statement,
        "public_key": public_key(seed),
        "signature": base64.b64encode(signature).decode(),
    }


def verify(document: Any, key: str | None = None) -> Document:
    """Check a signed statement offline.

    Args:
        document: As read from JSON.
        key: The shop's public key, base64, as known from elsewhere. Without it the document
            vouches for itself: it is then proved whole, but not whose it is.

    Returns:
        The statement.

    Raises:
        LedgerError: What is wrong: the first thing found.
    """
    try:
        statement = _checked_signature(document, key)
        _check_credits(statement)
        _check_entries(statement)
    except (KeyError, TypeError, ValueError, AttributeError, SettingsError) as error:
        raise LedgerError(
            f"this is no complete statement ({type(error).__name__}: {error})"
        ) from None
    return statement


def _checked_signature(document: Any, key: str | None) -> Document:
    if not isinstance(document, Mapping) or "statement" not in document:
        raise LedgerError("this is no signed statement; make one with: statement ORDER --json")
    own = document["public_key"]
    if key is not None and key.strip() != own:
        raise LedgerError("the statement was signed by another shop's key")
    statement: Document = document["statement"]
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(own, validate=True))
    try:
        public.verify(base64.b64decode(document["signature"], validate=True), canonical(statement))
    except InvalidSignature:
        raise LedgerError("the signature is false: the statement was changed") from None
    if statement["format"] != FORMAT:
        raise LedgerError(f"statements of format {statement['format']!r} need another version")
    return statement


def _check_credits(statement: Document) -> None:
    rule = CommissionRule.from_json(statement["rule"])
    rated = []
    for line in statement["lines"]:
        rate = rule.rate(line["product"], line["category"], line["mechanism"])
        if rate != line["commission_bps"]:
            raise LedgerError(f"the rate of {line['sku']} is not what the rule says")
        rated.append(RatedLine(line["net_minor"], rate))
    if sum(line.net_minor for line in rated) != statement["paid"]["goods"]:
        raise LedgerError("the lines do not sum to what was paid for goods")
    names: list[str] = []

    def number(name: str) -> int:
        if name not in names:
            names.append(name)
        return names.index(name)

    touches = [
        CreditableTouch(
            touch["id"],
            touch["kind"],
            None if touch["recommender"] is None else number(touch["recommender"]),
            touch["at_us"],
            tuple(number(name) for name in touch["lineage"]),
            touch["digest"],
        )
        for touch in statement["touches"]
    ]
    found = [
        {
            "recommender": names[share.recommender],
            "hop": share.hop,
            "touch": share.touch_id,
            "share": f"{share.share.numerator}/{share.share.denominator}",
            "commission": share.commission_minor,
            "reason": share.reason,
        }
        for share in earned(touches, statement["paid_at_us"], rated, rule)
    ]
    if found != statement["credits"]:
        raise LedgerError("the credits do not follow from the touches and the rule")


def _check_entries(statement: Document) -> None:
    booked: dict[str, dict[tuple[str, str | None], int]] = defaultdict(lambda: defaultdict(int))
    for entry in statement["entries"]:
        if sum(posting["amount"] for posting in entry["postings"]) != 0:
            raise LedgerError(f"entry {entry['id']} does not sum to zero")
        for posting in entry["postings"]:
            booked[entry["kind"]][posting["account"], posting["owner"]] += posting["amount"]
    names = sorted({credit["recommender"] for credit in statement["credits"]})
    prefix = TEST if statement["is_test"] else ""
    expected = targets(
        standing_of(statement),
        [Owed(names.index(c["recommender"]), c["commission"]) for c in statement["credits"]],
        is_payable=statement["state"] == "payable",
        is_denied=statement["state"] == "denied",
    )
    for aspect, postings in expected.items():
        wanted = {
            (prefix + kind, None if owner is None else names[owner]): amount
            for (kind, owner), amount in postings.items()
        }
        have = {account: amount for account, amount in booked[aspect].items() if amount}
        if wanted != have:
            raise LedgerError(f"the entries for {aspect} do not follow from what happened")


def standing_of(statement: Document) -> Standing:
    """What the statement says happened to the money."""
    paid, back = statement["paid"], statement["returned"]
    return Standing(
        Paid(paid["goods"], paid["shipping"], paid["tax"], paid["total"], paid["fee"]),
        back["refunded"],
        back["goods_refunded"],
        {
            str(place): Dispute(dispute["state"], dispute["amount"], 0)
            for place, dispute in enumerate(back["disputes"])
        },
        _goods_of(statement["lines"]),
    )


def _goods_of(lines: Sequence[Mapping[str, Any]]) -> tuple[GoodsLine, ...]:
    # Statements of the first version knew no lines of refunds.
    goods = tuple(
        GoodsLine(line["net_minor"], line["commission_bps"], line.get("returned_minor", 0))
        for line in lines
    )
    return goods if any(line.back for line in goods) else ()
