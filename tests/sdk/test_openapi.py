"""The interface's description: complete, and kept under whatever schemathesis makes of it."""

import asyncio
import threading
import time

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from commerce.checkout.signature import sign
from sdk.testing import fake_app
from tests.support.chat_service import served
from tests.support.shops import EXAMPLES

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SETTINGS = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
)


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def plain(context, value):
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


@pytest.fixture(scope="module")
def running():
    """The whole service in a thread; its address, and the secret the till's webhooks carry."""
    found, end = {}, threading.Event()
    begun = threading.Event()

    async def serve():
        service = fake_app(EXAMPLES / "catalogue.csv")
        async with served(service) as url:
            secret = service.shop.till.gateway._secret
            found.update(url=url, secret=secret)
            begun.set()
            await asyncio.to_thread(end.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert begun.wait(60)
    yield found
    end.set()
    thread.join(30)


@pytest.fixture(scope="module")
def description(running):
    return httpx.get(f"{running['url']}/openapi.json").json()


@pytest.fixture(scope="module")
def schema(running):
    return schemathesis.openapi.from_url(f"{running['url']}/openapi.json")


class Signing(requests.Session):
    """Signs what goes to the till's hook: otherwise nothing behind that check is ever reached."""

    def __init__(self, secret):
        super().__init__()
        self._secret = secret

    def send(self, request, **options):
        if request.path_url == "/hooks/stripe":
            raw = request.body or b""
            raw = raw.encode() if isinstance(raw, str) else raw
            request.headers["Stripe-Signature"] = sign(raw, self._secret, at=int(time.time()))
        return super().send(request, **options)


def test_whatever_is_sent_is_answered_as_described(schema, running):
    asked = set()
    with Signing(running["secret"]) as session:
        for found in schema.get_all_operations():
            operation = found.ok()
            asked.add(operation.path)

            @SETTINGS
            @given(operation.as_strategy())
            def ask(case):
                case.call_and_validate(session=session, checks=CHECKS, allow_redirects=False)

            ask()
    assert {"/checkout", "/api/sessions/{session_id}/say", "/hooks/stripe", "/r/{token}"} <= asked


def test_every_route_says_what_it_answers_and_how_it_refuses(description):
    for path, methods in description["paths"].items():
        for method, call in methods.items():
            where = f"{method.upper()} {path}"
            assert call.get("description") or call.get("summary"), where
            good = [status for status in call["responses"] if status[0] in "23"]
            assert good, where
            if method in ("options", "head") or path in ("/healthz", "/readyz"):
                continue
            assert {"401", "403", "421"} <= set(call["responses"]), where
            for status, answer in call["responses"].items():
                content = answer.get("content", {})
                if status.startswith("4"):
                    problem = content["application/json"]["schema"]
                    assert problem["$ref"].endswith(("/Problem", "/HTTPValidationError")), where
                elif "application/json" in content:
                    assert content["application/json"]["schema"], f"{where} {status}"
