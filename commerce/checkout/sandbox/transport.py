"""The way to the sandbox till inside one process, where no server listens."""

import httpx

from commerce.checkout.sandbox.server import Sandbox


class SandboxTransport(httpx.AsyncBaseTransport):
    """Hands requests of the real client to a sandbox as they would arrive over HTTP."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        reply = await self._sandbox.handle(
            request.method,
            request.url.path,
            {name.lower(): value for name, value in request.headers.items()},
            await request.aread(),
            request.url.query.decode("ascii", errors="replace"),
        )
        headers = {"content-type": "application/json", **reply.headers}
        return httpx.Response(reply.status, text=reply.body, headers=headers, request=request)
