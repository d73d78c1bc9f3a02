"""The seller's own shop as the till's gateway: its cart is the payment page, its books the money.

It takes no orders from us: refunds and transfers are made there, and come back as webhooks.
"""

from typing import NoReturn

from commerce.checkout.gateway import (
    DisputeState,
    News,
    PageRequest,
    PageState,
    PaymentState,
    Transfer,
)
from commerce.checkout.own_shop import Platform, cart_link
from commerce.errors import CheckoutError, GatewayError, WebhookError
from commerce.models.buying import Provider
from commerce.money import Money


class OwnShopGateway:
    """One Shopify or WooCommerce shop.

    Args:
        platform: Which kind.
        shop: Its address.
        secret: Signs its webhooks.
    """

    def __init__(self, platform: Platform, shop: str, secret: str) -> None:
        self.platform: Platform = platform
        self.secret = secret
        self._shop = shop

    @property
    def provider(self) -> Provider:
        """``shopify`` or ``woocommerce``."""
        return self.platform

    @property
    def is_test(self) -> bool:
        """Real money, as far as we know; each order's webhook says it for the order."""
        return False

    async def open_page(self, request: PageRequest, *, key: str) -> PageState:
        """A link to the shop's cart; nothing is sent there.

        Raises:
            GatewayError: A variant is not known by the shop's own id.
        """
        unknown = [line.title for line in request.lines if not line.own_shop_id]
        if unknown:
            raise GatewayError(
                f"the shop's own id of {unknown[0]!r} is not known; give it with own-shop-ids",
                is_passing=False,
            )
        lines = [(str(line.own_shop_id), line.quantity) for line in request.lines]
        try:
            url = cart_link(self.platform, self._shop, request.order, lines, request.session)
        except CheckoutError as error:
            raise GatewayError(str(error), is_passing=False) from error
        return self._state(request.order, request.lines[0].unit.currency, "open", url)

    async def page(self, ref: str) -> PageState:
        """Not to be looked at from here."""
        self._refuse("look at its carts")

    async def close_page(self, ref: str) -> PageState:
        """A cart is nobody's obligation: it is simply forgotten."""
        return self._state(ref.partition(":")[2], "USD", "expired", None)

    async def refund(self, payment: str, amount: Money, *, key: str) -> str:
        """Made in the shop itself."""
        self._refuse("give money back")

    async def payment(self, ref: str) -> PaymentState:
        """Not to be looked at from here."""
        self._refuse("look at its payments")

    async def dispute(self, ref: str) -> DisputeState:
        """Not to be looked at from here."""
        self._refuse("look at its disputes")

    async def transfer(self, transfer: Transfer, *, key: str) -> str:
        """Its money never passes through us."""
        self._refuse("send commissions")

    async def reverse_transfer(self, ref: str, amount: Money, *, key: str) -> str:
        """Its money never passes through us."""
        self._refuse("take commissions back")

    def news(self, raw: bytes, signature: str) -> News:
        """Its webhooks have routes of their own."""
        raise WebhookError(f"this shop's webhooks go to /hooks/{self.platform}", 404)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _state(self, order: str, currency: str, state: str, url: str | None) -> PageState:
        nothing = Money(0, currency)
        return PageState(
            ref=f"{self.platform}:{order}",
            order=order,
            url=url,
            state="open" if state == "open" else "expired",
            payment=None,
            charge=None,
            goods=nothing,
            shipping=nothing,
            tax=nothing,
            total=nothing,
            fee=nothing,
            email=None,
            paid_at=None,
        )

    def _refuse(self, what: str) -> NoReturn:
        raise GatewayError(
            f"{self.platform} lets nobody {what} from here; do it in the shop", is_passing=False
        )
