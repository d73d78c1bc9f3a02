"""``/hooks/{channel}``: verify on raw bytes, keep durably, answer; the work comes later.

Bare ASGI routes: a webhook's 200 is worth a few hundred microseconds, and validation by models
would come before the signature was looked at.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from fastapi import APIRouter
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from commerce.errors import DatabaseError
from commerce.shop.letterbox import ExternalEvent, Inbox
from sdk.errors import CallRefusedError
from sdk.messaging.channel import Channel
from sdk.messaging.messages import Call, Pushed

log = logging.getLogger(__name__)

LARGEST_BODY = 1 << 20
BODY_TIME_S = 5.0
_LARGEST_QUERY = 8192
_MOST_LET_PASS = 8 << 20


def messaging_routes(
    channels: Sequence[Channel],
    inbox: Inbox,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    body_time_s: float = BODY_TIME_S,
) -> APIRouter:
    """Routes under ``/hooks``, one for each channel.

    Args:
        channels: That are switched on; any other name is not found.
        inbox: Keeps what they push.
        now: The time, which signatures are compared with.
        body_time_s: How long a body may take to arrive.
    """
    router = APIRouter(include_in_schema=False)
    hook = _Hook({channel.name: channel for channel in channels}, inbox, now, body_time_s)
    router.routes.append(Route("/hooks/{channel}", hook, methods=["GET", "POST"]))
    return router


class _Hook:
    """The ASGI application behind every ``/hooks/{channel}``."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        inbox: Inbox,
        now: Callable[[], datetime],
        body_time_s: float,
    ) -> None:
        self._channels = channels
        self._inbox = inbox
        self._now = now
        self._body_time_s = body_time_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Verify, keep, answer."""
        channel = self._channels.get(scope["path_params"]["channel"])
        if channel is None:
            response = _refusal(404, "no such hook is switched on")
        else:
            response = await self._answer(channel, scope, receive)
        await response(scope, receive, send)

    async def _answer(self, channel: Channel, scope: Scope, receive: Receive) -> Response:
        try:
            call = await self._call(scope, receive)
            delivery = channel.receive(call)
            await accept(self._inbox, channel.name, delivery.pushed)
        except CallRefusedError as error:
            if error.status == 413:
                await _let_pass(receive, self._body_time_s)
            # What was sent is not logged: it is a stranger's, or a member's.
            log.info("call refused", extra={"channel": channel.name, "status": error.status})
            return _refusal(error.status, str(error))
        except DatabaseError as error:
            log.warning("call not kept", extra={"channel": channel.name, "reason": error.reason})
            return _refusal(503, "cannot be kept now; send it again")
        answer = delivery.answer
        return Response(answer.content, answer.status, media_type=answer.media_type)

    async def _call(self, scope: Scope, receive: Receive) -> Call:
        method: str = scope["method"]
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        body = b""
        if method == "POST":
            if headers.get("content-encoding", "identity").lower() != "identity":
                # The signature is over the bytes as they were, and a bomb stays packed.
                raise CallRefusedError(415, "send the body uncompressed")
            declared = headers.get("content-length", "0")
            if not declared.isdigit() or int(declared) > LARGEST_BODY:
                raise CallRefusedError(413, f"the body is larger than {LARGEST_BODY} bytes")
            try:
                async with asyncio.timeout(self._body_time_s):
                    body = await _body(receive)
            except TimeoutError:
                raise CallRefusedError(408, "the body took too long") from None
        raw: bytes = scope["query_string"]
        if len(raw) > _LARGEST_QUERY:
            raise CallRefusedError(414, "the query is too long")
        query = dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True)) if raw else {}
        return Call(method, headers, query, body, self._now())


async def accept(inbox: Inbox, channel: str, pushed: Sequence[Pushed]) -> None:
    """Keep what a channel pushed; returns when it is durable.

    Raises:
        DatabaseError: It could not be kept.
    """
    await inbox.accept([ExternalEvent(channel, one.event_id, one.body) for one in pushed])


async def _body(receive: Receive) -> bytes:
    message = await receive()
    first: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body", False):
        return first  # nearly always
    body = bytearray(first)
    while True:
        if message["type"] == "http.disconnect":
            raise CallRefusedError(400, "the body broke off")
        if len(body) > LARGEST_BODY:
            raise CallRefusedError(413, f"the body is larger than {LARGEST_BODY} bytes")
        if not message.get("more_body", False):
            return bytes(body)
        message = await receive()
        body += message.get("body", b"")


async def _let_pass(receive: Receive, body_time_s: float) -> None:
    """Let the rest of a large body go by, so that its sender comes to read the answer."""
    passed = 0
    try:
        async with asyncio.timeout(body_time_s):
            while passed < _MOST_LET_PASS:
                message = await receive()
                passed += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return


def _refusal(status: int, reason: str) -> Response:
    content = json.dumps({"detail": reason}).encode()
    response = Response(content, status, media_type="application/json")
    if status in (408, 413):
        # The rest of the body is not going to be read.
        response.headers["Connection"] = "close"
    return response
