"""One call over HTTP: credentials, the answer as its type, refusals as errors."""

from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from sdk.errors import (
    ApiError,
    NotAllowedError,
    NotFoundError,
    RefusedError,
    ServiceBusyError,
    UnreachableError,
)

_Answer = TypeVar("_Answer", bound=BaseModel)

_KINDS: dict[int, type[ApiError]] = {
    401: NotAllowedError,
    403: NotAllowedError,
    404: NotFoundError,
    421: NotAllowedError,
    429: ServiceBusyError,
    503: ServiceBusyError,
    504: ServiceBusyError,
}
_LONGEST_DETAIL = 300


class Calls:
    """Speaks HTTP with one service.

    Args:
        http: Has the service's address; not closed here.
        token: Sent as ``Authorization: Bearer``; the seller's token or a viewer's ticket.
    """

    def __init__(self, http: httpx.AsyncClient, token: str | None) -> None:
        self._http = http
        self._token = token

    async def get(
        self, path: str, kind: type[_Answer], query: Mapping[str, Any] | None = None
    ) -> _Answer:
        """Read something; see ``send``."""
        return read(await self.send("GET", path, query=query), kind)

    async def post(self, path: str, kind: type[_Answer], body: object = None) -> _Answer:
        """Do something; see ``send``."""
        return read(await self.send("POST", path, body=body), kind)

    async def put(self, path: str, kind: type[_Answer], body: object) -> _Answer:
        """Set something; see ``send``."""
        return read(await self.send("PUT", path, body=body), kind)

    async def patch(self, path: str, kind: type[_Answer], body: object) -> _Answer:
        """Change something; see ``send``."""
        return read(await self.send("PATCH", path, body=body), kind)

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (),
    ) -> httpx.Response:
        """Call the service.

        Args:
            method: Such as ``POST``.
            path: Below the service's address, without a slash before it.
            body: Sent as JSON, unless there is ``content``.
            query: Parameters of the address.
            content: The body as bytes.
            headers: Further ones.
            accept: Statuses from 300 on that are no refusal here.

        Raises:
            ApiError: It was refused; the subclass says in which way.
            UnreachableError: Nobody answers.
        """
        shown = dict(headers or {})
        if self._token is not None:
            shown["Authorization"] = f"Bearer {self._token}"
        try:
            response = await self._http.request(
                method, path, params=query, headers=shown, json=body, content=content
            )
        except httpx.TransportError as error:
            address = str(self._http.base_url).rstrip("/")
            raise UnreachableError(f"{address} does not answer: {type(error).__name__}") from error
        if response.status_code >= 300 and response.status_code not in accept:
            raise refusal(response)
        return response


def read(response: httpx.Response, kind: type[_Answer]) -> _Answer:
    """The answer as its type.

    Raises:
        ApiError: It has another shape; the address is not a Livepitch service, or a newer one.
    """
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise ApiError(
            response.status_code,
            f"{response.request.url.path}: not an answer of this service ({where}: {first['msg']})",
        ) from error


def refusal(response: httpx.Response) -> ApiError:
    """The error that a refused call raises."""
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = response.reason_phrase or "refused"
    status = response.status_code
    kind = _KINDS.get(status, RefusedError if status < 500 else ApiError)
    return kind(status, str(detail)[:_LONGEST_DETAIL], retry_after_s=_retry_after(response))


def _retry_after(response: httpx.Response) -> float | None:
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None
