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
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from commerce.errors import DatabaseError
from commerce.shop.letterbox import ExternalEvent, Inbox
from sdk.errors import CallRefusedError
from sdk.messaging.channel import Channel
from sdk.messaging.messages import Answer, Call, Pushed

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
    known: Mapping[str, Channel] = {channel.name: channel for channel in channels}

    async def hook(request: Request) -> Response:
        channel = known.get(request.path_params["channel"])
        if channel is None:
            return _refusal(404, "no such hook is switched on")
        try:
            call = await _call(request, now, body_time_s)
            delivery = channel.receive(call)
            await accept(inbox, channel.name, delivery.pushed)
        except CallRefusedError as error:
            if error.status == 413:
                await _let_pass(request, body_time_s)
            # What was sent is not logged: it is a stranger's, or a member's.
            log.info("call refused", extra={"channel": channel.name, "status": error.status})
            return _refusal(error.status, str(error))
        except DatabaseError as error:
            log.warning("call not kept", extra={"channel": channel.name, "reason": error.reason})
            return _refusal(503, "cannot be kept now; send it again")
        except ClientDisconnect:
            return _refusal(400, "the body broke off")
        return _response(delivery.answer)

    router = APIRouter(include_in_schema=False)
    router.routes.append(Route("/hooks/{channel}", hook, methods=["GET", "POST"]))
    return router


async def accept(inbox: Inbox, channel: str, pushed: Sequence[Pushed]) -> None:
    """Keep what a channel pushed; returns when it is durable.

    Raises:
        DatabaseError: It could not be kept.
    """
    await inbox.accept([ExternalEvent(channel, one.event_id, one.body) for one in pushed])


async def _call(request: Request, now: Callable[[], datetime], body_time_s: float) -> Call:
    headers = {
        name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]
    }
    if request.method == "POST":
        if headers.get("content-encoding", "identity").lower() != "identity":
            # The signature is over the bytes as they were, and a bomb stays packed.
            raise CallRefusedError(415, "send the body uncompressed")
        declared = headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > LARGEST_BODY:
            raise CallRefusedError(413, f"the body is larger than {LARGEST_BODY} bytes")
    try:
        async with asyncio.timeout(body_time_s):
            body = await _body(request)
    except TimeoutError:
        raise CallRefusedError(408, "the body took too long") from None
    raw = request.scope["query_string"]
    if len(raw) > _LARGEST_QUERY:
        raise CallRefusedError(414, "the query is too long")
    query = dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True)) if raw else {}
    return Call(request.method, headers, query, body, now())


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise CallRefusedError(413, f"the body is larger than {LARGEST_BODY} bytes")
    return bytes(body)


async def _let_pass(request: Request, body_time_s: float) -> None:
    """Let the rest of a large body go by, so that its sender comes to read the answer."""
    passed = 0
    try:
        async with asyncio.timeout(body_time_s):
            while passed < _MOST_LET_PASS:
                message = await request.receive()
                passed += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return


def _response(answer: Answer) -> Response:
    return Response(answer.content, answer.status, media_type=answer.media_type)


def _refusal(status: int, reason: str) -> Response:
    content = json.dumps({"detail": reason}).encode()
    response = Response(content, status, media_type="application/json")
    if status in (408, 413):
        # The rest of the body is not going to be read.
        response.headers["Connection"] = "close"
    return response
