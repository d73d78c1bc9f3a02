"""The shop's settings, and the only place of this package that reads the environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from commerce.errors import MoneyError, SettingsError
from commerce.money import exponent_of


class CommerceSettings(BaseSettings):
    """Settings of the shop; each is also an environment variable ``LIVEPITCH_…``."""

    model_config = SettingsConfigDict(env_prefix="LIVEPITCH_", frozen=True, extra="ignore")

    database_url: str = Field(
        default="sqlite+aiosqlite:///livepitch.db",
        description="Where the shop keeps its tables: an SQLAlchemy URL or a SQLite file.",
    )
    currency: str = Field(default="USD", description="Currency of prices that name none.")
    letterbox_key: SecretStr | None = Field(
        default=None,
        description="Encrypts kept chat messages; needed on PostgreSQL, a key file on SQLite.",
    )
    ledger_key: SecretStr | None = Field(
        default=None,
        description="Makes the ledger's pseudonyms and signs its statements; else kept in the"
        " database.",
    )
    stripe_api_key: SecretStr | None = Field(
        default=None, description="Stripe's secret key; without one the sandbox till takes over."
    )
    stripe_webhook_secret: SecretStr | None = Field(
        default=None, description="Signs Stripe's webhooks to /hooks/stripe; begins with whsec_."
    )
    hold_minutes: float = Field(
        default=30, ge=1, le=1439, description="How long goods are kept for a buyer who is paying."
    )
    shipping_countries: str = Field(
        default="", description="Where goods are shipped to, such as US,CA; empty asks no address."
    )
    shipping_rates: str = Field(
        default="", description="Ways to ship, such as Standard=4.90,Express=12."
    )
    collect_tax: bool = Field(
        default=False, description="Have Stripe Tax work out the tax; set it up at Stripe first."
    )
    own_shop: str = Field(
        default="", description="Address of the seller's own Shopify or WooCommerce shop."
    )
    own_shop_platform: Literal["", "shopify", "woocommerce"] = Field(
        default="", description="Set to have buyers pay there instead of here."
    )
    own_shop_secret: SecretStr | None = Field(
        default=None, description="Signs that shop's webhooks."
    )

    webhook_urls: str = Field(
        default="", description="Addresses of the seller's programs that are told what happens."
    )
    webhook_secret: SecretStr | None = Field(
        default=None, description="Signs what they are told; at least 16 characters."
    )
    webhook_events: str = Field(default="*", description="What they want, such as order.*.")
    webhook_loopback: bool = Field(
        default=False, description="Whether they may lie on this machine, for development."
    )

    llm_base_url: str = Field(
        default="",
        description="An OpenAI-compatible endpoint that words pitches, such as"
        " http://127.0.0.1:11434/v1; empty uses templates only.",
    )
    llm_model: str = Field(default="", description="Its model.")
    llm_api_key: SecretStr | None = Field(default=None, description="Its key, if it wants one.")
    llm_timeout_s: float = Field(
        default=8, gt=0, le=60, description="After so long the template speaks instead."
    )
    embed_base_url: str = Field(
        default="",
        description="An OpenAI-compatible endpoint for embeddings, such as"
        " http://127.0.0.1:11434/v1; empty searches by words only.",
    )
    embed_model: str = Field(default="", description="Its model.")
    embed_api_key: SecretStr | None = Field(default=None, description="Its key, if it wants one.")
    embed_timeout_s: float = Field(
        default=1.5, gt=0, le=60, description="After so long a question is answered by words only."
    )
    embed_least_similarity: float = Field(
        default=1,
        ge=0,
        le=1,
        description="From which cosine on a product that shares no word is shown; 1 shows none.",
    )
    banned_claims: Path | None = Field(
        default=None, description="JSON file of further phrases never to be said, by language."
    )

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str) -> str:
        try:
            exponent_of(value.upper())
        except MoneyError as error:
            raise ValueError(str(error)) from None
        return value.upper()


def read_settings() -> CommerceSettings:
    """Read the environment.

    Raises:
        SettingsError: A variable has an unusable value.
    """
    try:
        return CommerceSettings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "LIVEPITCH_" + str(first["loc"][0]).upper()
        raise SettingsError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None
