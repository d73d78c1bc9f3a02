"""The shop's settings, and the only place of this package that reads the environment."""

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
