"""``sdk.Client``: everything the service offers over HTTP, typed, for bots and other programs."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx

from sdk.client.calls import Calls
from sdk.client.desk import Desk
from sdk.client.following import Following
from sdk.errors import ApiError, SettingsError
from sdk.types.answers import (
    Calibrating,
    Health,
    Interrupted,
    Pinned,
    Product,
    ProductList,
    Ready,
    SessionView,
    SpeechAccepted,
)
from sdk.types.till_answers import (
    BargainView,
    Checkout,
    GroupOrderView,
    HelpedView,
    OrderStatusView,
    QuoteView,
    TillView,
)
from sdk.types.watching import Watching

SDP = "application/sdp"
_PAGE = 200
_FOLLOWED = (301, 302, 303, 307, 308)


class Client:
    """Talks to one service. An async context manager; one event loop.

    Buyers are known by a cookie, as in a browser: one client is one buyer.

    Example:
        async with Client("http://127.0.0.1:8010") as client:
            await client.say("Look at this one!", product="mug")
            async for event in client.events():
                print(event.type)

    Args:
        address: Of the service, with the prefix it is mounted at.
        token: The seller's token, or a viewer's ticket; None on loopback.
        session: The session that is meant where none is named.
        timeout_s: For one answer.
        http: Instead of a connection pool of its own, for proxies and tests; its address, time-out
            and closing stay the caller's.

    Attributes:
        desk: The seller's desk: sales, payouts, orders, stock, chats.

    Raises:
        SettingsError: The address is none.
    """

    def __init__(
        self,
        address: str,
        token: str | None = None,
        *,
        session: str = "main",
        timeout_s: float = 15.0,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        if urlsplit(address).scheme not in ("http", "https"):
            raise SettingsError(f"address {address!r}: begin it with http:// or https://")
        self._address = address.rstrip("/")
        self._session = session
        self._token = token
        self._own = http is None
        self._http = http or httpx.AsyncClient(
            base_url=f"{self._address}/", timeout=timeout_s, trust_env=False
        )
        self._calls = Calls(self._http, token)
        self.desk = Desk(self._calls)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._own:
            await self._http.aclose()

    # The show ----------------------------------------------------------------------------------

    async def session(self, name: str | None = None) -> SessionView:
        """A session as it is now.

        Raises:
            NotFoundError: There is no such session.
        """
        return await self._calls.get(self._api(name), SessionView)

    async def products(self, *, session: str | None = None) -> list[Product]:
        """The whole shelf, in the catalogue's order."""
        found: list[Product] = []
        while True:
            query = {"limit": _PAGE, "offset": len(found)}
            part = await self._calls.get(f"{self._api(session)}/products", ProductList, query)
            found += part.products
            if not part.products or len(found) >= part.count:
                return found

    async def say(
        self,
        text: str,
        product: str | None = None,
        *,
        interrupt: bool = False,
        session: str | None = None,
    ) -> SpeechAccepted:
        """Have the avatar say something; events speak of it by the id that is returned.

        Args:
            text: One or several sentences.
            product: SKU that is pinned when the first sentence is heard.
            interrupt: Cut what is being said.
            session: Another one than the client's.

        Raises:
            RefusedError: The text has no words, or no product has that SKU.
            ServiceBusyError: Too much waits already.
        """
        body = {"text": text, "product": product, "interrupt": interrupt}
        return await self._calls.post(f"{self._api(session)}/say", SpeechAccepted, body)

    async def interrupt(self, *, session: str | None = None) -> int:
        """Silence, now; returns the new generation."""
        answer = await self._calls.post(f"{self._api(session)}/interrupt", Interrupted)
        return answer.generation

    async def pin(self, sku: str | None, *, session: str | None = None) -> str | None:
        """Show a product on every page; None takes it away.

        Raises:
            NotFoundError: No product has that SKU.
        """
        return (await self._calls.post(f"{self._api(session)}/pin", Pinned, {"sku": sku})).pinned

    def events(self, *, session: str | None = None) -> Following:
        """The session's events from now on, and the room's chat.

        Iterate over it; enter it as a context manager to write in the chat before the first event.
        """
        return Following(f"{self._address}/ws/{quote(session or self._session)}", self._token)

    async def picture(self, address: str) -> bytes:
        """A picture named by a product or session: ``client.picture(product.image)``.

        Args:
            address: A path of the service, beginning with a slash.

        Raises:
            NotFoundError: There is none.
        """
        if not address.startswith("/"):
            raise SettingsError(f"{address[:100]} lies on another server; fetch it there")
        return (await self._calls.send("GET", address.lstrip("/"))).content

    # Buying ------------------------------------------------------------------------------------

    async def till(self) -> TillView:
        """Whether the till is open, whether it is a trial, which flash prices run."""
        return await self._calls.get("checkout", TillView)

    async def quote(
        self,
        wish: Mapping[str, int] | Sequence[str],
        *,
        coupon: str | None = None,
        group: str | None = None,
        bargain: str | None = None,
    ) -> QuoteView:
        """What it would cost now, and why; see ``checkout`` for the arguments."""
        body = self._buy(wish, coupon, group, bargain)
        return await self._calls.post("checkout/quote", QuoteView, body)

    async def checkout(
        self,
        wish: Mapping[str, int] | Sequence[str],
        *,
        coupon: str | None = None,
        group: str | None = None,
        bargain: str | None = None,
    ) -> Checkout:
        """Hold the goods and open a payment page; send the buyer to its ``url``.

        Args:
            wish: Units by SKU, or SKUs of which one unit each is wanted.
            coupon: A code the buyer typed.
            group: The group order to join.
            bargain: The buyer's own bargain.

        Raises:
            NotFoundError: No product has that SKU.
            RefusedError: Sold out (409), or a coupon, group or bargain does not apply (422).
            ServiceBusyError: The payment provider does not answer; nothing was charged.
        """
        body = self._buy(wish, coupon, group, bargain)
        return await self._calls.post("checkout", Checkout, body)

    async def order(self, order: str) -> OrderStatusView:
        """An order as it stands.

        Raises:
            NotFoundError: There is none.
        """
        return await self._calls.get(f"order/{quote(order, safe='')}/status", OrderStatusView)

    async def group_order(self, group: str) -> GroupOrderView:
        """A group order as it stands; only buyers who paid are counted."""
        return await self._calls.get(f"group/{quote(group, safe='')}", GroupOrderView)

    async def bargain(self, bargain: str) -> BargainView:
        """A bargain as it stands."""
        return await self._calls.get(f"bargain/{quote(bargain, safe='')}", BargainView)

    async def help_bargain(self, bargain: str) -> HelpedView:
        """Bring a friend's price down, once."""
        return await self._calls.post(f"bargain/{quote(bargain, safe='')}/help", HelpedView)

    async def follow(self, token: str) -> str:
        """Open a tracked link as a person would; returns where it leads."""
        response = await self._calls.send(
            "GET",
            f"r/{quote(token, safe='')}",
            headers={"User-Agent": "Mozilla/5.0 (livepitch client)"},
            accept=_FOLLOWED,
        )
        return str(response.headers.get("location", ""))

    # Picture and sound ---------------------------------------------------------------------------

    async def watch(self, offer: str, *, session: str | None = None) -> Watching:
        """WHEP: an SDP offer for picture and sound in, the answer out.

        Raises:
            RefusedError: The offer will not do.
            ServiceBusyError: All seats are taken.
        """
        return await self._negotiated("whep", offer, session)

    async def drive(self, offer: str, *, session: str | None = None) -> Watching:
        """WHIP: an SDP offer of one camera in; it moves the avatar's face until ``leave``."""
        return await self._negotiated("whip", offer, session)

    async def calibrate(self, *, session: str | None = None) -> bool:
        """Take the driving camera's next picture as the face at rest.

        Returns:
            Whether its last picture showed a face.

        Raises:
            RefusedError: No camera drives the session (409).
        """
        answer = await self._calls.post(f"{self._api(session)}/drive/calibrate", Calibrating)
        return answer.is_following

    async def leave(self, seat: Watching) -> None:
        """Stop watching or driving; nothing happens when that has ended already."""
        root = urlsplit(self._address).path
        path = seat.location.removeprefix(root).lstrip("/")
        await self._calls.send("DELETE", path, accept=(404,))

    # Health ------------------------------------------------------------------------------------

    async def health(self) -> Health:
        """The process is alive; how the playout clock fares."""
        return await self._calls.get("healthz", Health)

    async def is_ready(self) -> bool:
        """Whether viewers can be sent there."""
        response = await self._calls.send("GET", "readyz", accept=(503,))
        return Ready.model_validate_json(response.content).ready

    # -------------------------------------------------------------------------------------------

    def _api(self, session: str | None) -> str:
        return f"api/sessions/{quote(session or self._session, safe='')}"

    def _buy(
        self,
        wish: Mapping[str, int] | Sequence[str],
        coupon: str | None,
        group: str | None,
        bargain: str | None,
    ) -> dict[str, Any]:
        counted = wish if isinstance(wish, Mapping) else dict.fromkeys(wish, 1)
        lines = [{"sku": sku, "quantity": quantity} for sku, quantity in counted.items()]
        terms = {"coupon": coupon, "group": group, "bargain": bargain}
        return {"lines": lines, "session": self._session, **terms}

    async def _negotiated(self, protocol: str, offer: str, session: str | None) -> Watching:
        response = await self._calls.send(
            "POST",
            f"{protocol}/{quote(session or self._session, safe='')}",
            content=offer.encode(),
            headers={"Content-Type": SDP},
        )
        location = response.headers.get("location", "")
        if not location:
            raise ApiError(response.status_code, f"{protocol}: the answer names no Location")
        return Watching(response.text, location, response.headers.get("etag", ""))
