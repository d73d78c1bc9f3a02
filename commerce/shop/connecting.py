"""Which payment provider the till gets: Stripe where there is a key, the sandbox till otherwise."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from commerce.errors import MoneyError, SettingsError, WebhookError
from commerce.models.buying import ShippingRate, TillConfig
from commerce.money import Money
from commerce.settings import CommerceSettings

if TYPE_CHECKING:
    import httpx

    from commerce.checkout.sandbox import Sandbox
    from commerce.checkout.stripe_gateway import StripeGateway
    from commerce.shop.till import Till

# The gateways import stripe, which costs a quarter of a second: only a till that sells needs them.


class Connection:
    """What a till was connected to.

    Attributes:
        sandbox: The sandbox till, whose pages and API must be served; None with a real provider.
    """

    def __init__(
        self,
        till: "Till",
        sandbox: "Sandbox | None" = None,
        open_gateway: "Callable[[str], StripeGateway] | None" = None,
        exits: AsyncExitStack | None = None,
    ) -> None:
        self.sandbox = sandbox
        self._till = till
        self._open_gateway = open_gateway
        self._exits = exits

    @property
    def provider(self) -> str:
        """Who takes the money: ``stripe``, ``sandbox``, ``shopify`` or ``woocommerce``."""
        gateway = self._till.gateway
        assert gateway is not None
        return gateway.provider

    def serve_at(self, address: str) -> None:
        """Speak to the sandbox, and have it speak to us, over HTTP at an address of ours.

        Before this, requests and webhooks stay inside the process. Nothing changes where a real
        provider is connected.

        Args:
            address: Where this shop's server listens by now, without a slash at the end.
        """
        if self.sandbox is None or self._open_gateway is None or self._exits is None:
            return
        import httpx

        client = httpx.AsyncClient(timeout=10, trust_env=False)
        self._exits.push_async_callback(client.aclose)
        gateway = self._open_gateway(address)
        self._exits.push_async_callback(gateway.aclose)
        self.sandbox.postman.deliver = _over_http(client, f"{address}/hooks/stripe")
        self._till.connect(gateway)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Do errands, end old holds and deliver the sandbox's webhooks while the block runs."""
        async with self._till.running():
            if self.sandbox is None:
                yield
                return
            task = asyncio.create_task(self.sandbox.postman.run(), name="postman")
            try:
                yield
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


@asynccontextmanager
async def connected(
    till: "Till",
    settings: CommerceSettings,
    *,
    page_address: str = "http://127.0.0.1/sandbox/pay",
    config: TillConfig | None = None,
) -> AsyncIterator[Connection]:
    """Connect a till while the block runs.

    Args:
        till: Of an open shop.
        settings: Keys and what the seller decided.
        page_address: Where the sandbox's payment pages are served.
        config: Instead of what the settings say.

    Raises:
        SettingsError: A setting is wrong.
    """
    config = config or config_of(settings)
    async with AsyncExitStack() as exits:
        key = settings.stripe_api_key
        if settings.own_shop_platform:
            yield _to_own_shop(till, settings, config)
        elif key is not None and key.get_secret_value().strip():
            yield _to_stripe(till, settings, config, exits)
        else:
            yield await _to_sandbox(till, config, exits, page_address)


def config_of(settings: CommerceSettings) -> TillConfig:
    """What the seller decided.

    Raises:
        SettingsError: A rate is no price, or a country no code.
    """
    named = (part.strip().upper() for part in settings.shipping_countries.split(","))
    countries = tuple(filter(None, named))
    if any(len(code) != 2 or not code.isalpha() for code in countries):
        raise SettingsError("LIVEPITCH_SHIPPING_COUNTRIES: write codes such as US,CA,DE")
    rates = []
    for part in filter(None, (part.strip() for part in settings.shipping_rates.split(","))):
        name, _, price = part.rpartition("=")
        try:
            rates.append(ShippingRate(name.strip()[:100], Money.parse(price, settings.currency)))
        except MoneyError as error:
            raise SettingsError(f"LIVEPITCH_SHIPPING_RATES: {error}") from None
    return TillConfig(
        hold=timedelta(minutes=settings.hold_minutes),
        shipping_countries=countries,
        shipping_rates=tuple(rates),
        has_tax=settings.collect_tax,
    )


def _to_own_shop(till: "Till", settings: CommerceSettings, config: TillConfig) -> Connection:
    from commerce.checkout.own_shop_gateway import OwnShopGateway

    platform, secret = settings.own_shop_platform, settings.own_shop_secret
    if not settings.own_shop.startswith(("https://", "http://")) or not platform:
        raise SettingsError("LIVEPITCH_OWN_SHOP: write its address, such as https://shop.example")
    code = secret.get_secret_value() if secret else ""
    till.connect(OwnShopGateway(platform, settings.own_shop, code), config)
    return Connection(till)


def _to_stripe(
    till: "Till", settings: CommerceSettings, config: TillConfig, exits: AsyncExitStack
) -> Connection:
    from commerce.checkout.stripe_gateway import StripeGateway

    assert settings.stripe_api_key is not None
    secret = settings.stripe_webhook_secret
    gateway = StripeGateway(
        settings.stripe_api_key.get_secret_value().strip(),
        secret.get_secret_value().strip() if secret else "",
        clock=till.clock,
    )
    exits.push_async_callback(gateway.aclose)
    till.connect(gateway, config)
    return Connection(till)


async def _to_sandbox(
    till: "Till", config: TillConfig, exits: AsyncExitStack, page_address: str
) -> Connection:
    from commerce.checkout.sandbox import Sandbox, SandboxTransport
    from commerce.checkout.stripe_gateway import StripeGateway

    # Both ends are ours and live as long as this process, so nobody else ever needs these.
    key, secret = f"sk_test_{secrets.token_hex(16)}", f"whsec_{secrets.token_hex(16)}"
    sandbox = Sandbox(
        till.database,
        till.clock,
        key=key,
        webhook_secret=secret,
        page_address=page_address,
        deliver=_straight_to(till),
    )

    def open_gateway(address: str | None) -> StripeGateway:
        return StripeGateway(
            key,
            secret,
            clock=till.clock,
            provider="sandbox",
            address=f"{address}/sandbox" if address else "http://sandbox.invalid",
            transport=None if address else SandboxTransport(sandbox),
        )

    gateway = open_gateway(None)
    exits.push_async_callback(gateway.aclose)
    till.connect(gateway, config)
    return Connection(till, sandbox, open_gateway, exits)


def _straight_to(till: "Till") -> Callable[[bytes, str], Awaitable[int]]:
    async def deliver(raw: bytes, signature: str) -> int:
        try:
            await till.receive(raw, signature)
        except WebhookError as error:
            return error.status
        return 200

    return deliver


def _over_http(client: "httpx.AsyncClient", url: str) -> Callable[[bytes, str], Awaitable[int]]:
    import httpx

    async def deliver(raw: bytes, signature: str) -> int:
        headers = {"Stripe-Signature": signature, "Content-Type": "application/json; charset=utf-8"}
        try:
            answer = await client.post(url, content=raw, headers=headers)
        except httpx.HTTPError:
            return 503
        return answer.status_code

    return deliver
