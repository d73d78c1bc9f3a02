"""Which payment provider the till gets: Stripe where there is a key, the sandbox till otherwise."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from commerce.errors import MoneyError, SettingsError, WebhookError
from commerce.models.buying import ShippingRate, TillConfig
from commerce.money import Money
from commerce.settings import CommerceSettings

if TYPE_CHECKING:
    import httpx

    from commerce.checkout.sandbox import Sandbox
    from commerce.shop.till import Till

# The gateways import stripe, which costs a quarter of a second: only a till that sells needs them.


@dataclass(frozen=True, slots=True)
class Connection:
    """What a till was connected to.

    Attributes:
        sandbox: The sandbox till, whose pages and API must be served; None with a real provider.
    """

    sandbox: "Sandbox | None"


@asynccontextmanager
async def connected(
    till: "Till",
    settings: CommerceSettings,
    *,
    address: str | None = None,
    page_address: str = "http://127.0.0.1/sandbox/pay",
    config: TillConfig | None = None,
) -> AsyncIterator[Connection]:
    """Connect a till while the block runs.

    Args:
        till: Of an open shop.
        settings: Keys and what the seller decided.
        address: Where this shop's HTTP server listens; the sandbox is then spoken to over it.
            None keeps its requests and webhooks inside this process.
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
            yield await _to_sandbox(till, config, exits, address, page_address)


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
    return Connection(None)


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
    return Connection(None)


async def _to_sandbox(
    till: "Till",
    config: TillConfig,
    exits: AsyncExitStack,
    address: str | None,
    page_address: str,
) -> Connection:
    import httpx

    from commerce.checkout.sandbox import Sandbox, SandboxTransport
    from commerce.checkout.stripe_gateway import StripeGateway

    # Both ends are ours and live as long as this process, so nobody else ever needs these.
    key, secret = f"sk_test_{secrets.token_hex(16)}", f"whsec_{secrets.token_hex(16)}"
    if address is None:
        deliver = _straight_to(till)
    else:
        client = httpx.AsyncClient(timeout=10, trust_env=False)
        exits.push_async_callback(client.aclose)
        deliver = _over_http(client, f"{address}/hooks/stripe")
    sandbox = Sandbox(
        till.database,
        till.clock,
        key=key,
        webhook_secret=secret,
        page_address=page_address,
        deliver=deliver,
    )
    transport = SandboxTransport(sandbox) if address is None else None
    gateway = StripeGateway(
        key,
        secret,
        clock=till.clock,
        provider="sandbox",
        address=f"{address}/sandbox" if address else "http://sandbox.invalid",
        transport=transport,
    )
    exits.push_async_callback(gateway.aclose)
    till.connect(gateway, config)
    return Connection(sandbox)


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
