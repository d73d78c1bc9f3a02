"""The SDK's settings, and the only place of this package that reads the environment."""

from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from sdk.errors import SettingsError

_Settings = TypeVar("_Settings", bound=BaseSettings)


class SdkSettings(BaseSettings):
    """Settings of this machine; each is also an environment variable ``LIVEPITCH_…``."""

    model_config = SettingsConfigDict(env_prefix="LIVEPITCH_", frozen=True, extra="ignore")

    token: SecretStr | None = Field(
        default=None, description="The seller's secret; as --token, but in no process list."
    )
    speech_key: SecretStr | None = Field(
        default=None,
        description="Sent to the server of an openai: voice, and nowhere else.",
    )
    cache_dir: Path | None = Field(
        default=None, description="Where built personas are kept; safe to delete."
    )
    data_dir: Path | None = Field(
        default=None, description="Where the shop's database lies when --database names none."
    )
    xdg_cache_home: Path | None = Field(default=None, validation_alias="XDG_CACHE_HOME")
    xdg_data_home: Path | None = Field(default=None, validation_alias="XDG_DATA_HOME")
    display: str = Field(default="", validation_alias="DISPLAY")
    wayland_display: str = Field(default="", validation_alias="WAYLAND_DISPLAY")

    @property
    def has_display(self) -> bool:
        """Whether a Linux desktop is there to open a browser on."""
        return bool(self.display or self.wayland_display)

    def cache_folder(self) -> Path | None:
        """Where built personas are kept; may not exist yet. None for a user without a home."""
        return self.cache_dir or _below_home(self.xdg_cache_home, ".cache")

    def data_folder(self) -> Path | None:
        """Where the default database lies; may not exist yet. None for a user without a home."""
        return self.data_dir or _below_home(self.xdg_data_home, ".local/share")


# What each chat service needs, its first secret first.
_NEEDED: dict[str, tuple[str, ...]] = {
    "telegram": ("telegram_token",),
    "whatsapp": (
        "whatsapp_app_secret",
        "whatsapp_verify_token",
        "whatsapp_access_token",
        "whatsapp_phone_number_id",
    ),
    "wecom": (
        "wecom_token",
        "wecom_aes_key",
        "wecom_secret",
        "wecom_corporation",
        "wecom_agent",
    ),
    "wecom-bot": ("wecom_bot_token", "wecom_bot_aes_key"),
    "wecom-bot (socket)": ("wecom_bot_secret", "wecom_bot_id"),
    "line": ("line_channel_secret", "line_access_token"),
    "slack": ("slack_signing_secret", "slack_bot_token"),
    "discord": ("discord_public_key",),
    "generic": ("hook_secret",),
}


class MessagingSettings(BaseSettings):
    """The chat services that are switched on; each is also a variable ``LIVEPITCH_…``.

    A service is on when its first secret is set; ``docs/messaging.md`` says where to get them.
    """

    model_config = SettingsConfigDict(env_prefix="LIVEPITCH_", frozen=True, extra="ignore")

    public_url: str = Field(
        default="", description="Where people and chat services reach this server, https://…."
    )
    admins: str = Field(
        default="",
        description="Group admins where a service names none: line:U12…,wecom-bot:ana.",
    )
    telegram_token: SecretStr | None = Field(default=None, description="The bot's, of BotFather.")
    telegram_secret: SecretStr | None = Field(
        default=None, description="Of the webhook; derived from the token when not set."
    )
    telegram_name: str = Field(default="", description="The bot's username; asked for if empty.")
    telegram_api: str = Field(
        default="https://api.telegram.org", description="The Bot API, or a server of one's own."
    )
    whatsapp_app_secret: SecretStr | None = Field(default=None, description="Signs the calls.")
    whatsapp_verify_token: SecretStr | None = Field(default=None, description="Of the handshake.")
    whatsapp_access_token: SecretStr | None = Field(default=None, description="For writing.")
    whatsapp_phone_number_id: str = Field(default="", description="Of the business number.")
    wecom_token: SecretStr | None = Field(default=None, description="Of the app's callback.")
    wecom_aes_key: SecretStr | None = Field(default=None, description="EncodingAESKey of it.")
    wecom_secret: SecretStr | None = Field(default=None, description="The app's, for writing.")
    wecom_corporation: str = Field(default="", description="The corporation's id.")
    wecom_agent: str = Field(default="", description="The app's AgentId.")
    wecom_bot_token: SecretStr | None = Field(default=None, description="Of the bot's callback.")
    wecom_bot_aes_key: SecretStr | None = Field(default=None, description="EncodingAESKey of it.")
    wecom_bot_secret: SecretStr | None = Field(
        default=None, description="Of the bot's long connection, which needs no public address."
    )
    wecom_bot_id: str = Field(default="", description="The bot's id for the long connection.")
    line_channel_secret: SecretStr | None = Field(default=None, description="Signs the calls.")
    line_access_token: SecretStr | None = Field(default=None, description="For writing.")
    slack_signing_secret: SecretStr | None = Field(default=None, description="Signs the calls.")
    slack_bot_token: SecretStr | None = Field(default=None, description="For writing, xoxb-….")
    discord_public_key: str = Field(default="", description="Of the application, hexadecimal.")
    discord_bot_token: SecretStr | None = Field(
        default=None, description="Lets us take messages back; optional."
    )
    hook_secret: SecretStr | None = Field(
        default=None, min_length=16, description="Signs calls of a program of one's own."
    )
    hook_reply_url: str = Field(default="", description="Where that program takes our messages.")

    def text(self, field: str) -> str:
        """A setting's plain value, secret or not; empty when it is not set."""
        value = getattr(self, field)
        return value.get_secret_value() if isinstance(value, SecretStr) else value or ""

    def switched_on(self) -> list[str]:
        """Names of the chat services whose settings are complete.

        Raises:
            SettingsError: One is half switched on, or the public address is none.
        """
        address = urlsplit(self.public_url)
        if self.public_url and (address.scheme not in ("http", "https") or not address.hostname):
            raise SettingsError(
                f"LIVEPITCH_PUBLIC_URL {self.public_url!r} is no address; write https://…"
            )
        names = []
        for name, needed in _NEEDED.items():
            missing = [field for field in needed if not self.text(field)]
            if not missing:
                names.append(name)
            elif len(missing) < len(needed):
                shown = ", ".join("LIVEPITCH_" + field.upper() for field in missing)
                raise SettingsError(f"{name} is half switched on: set {shown} too, or none of it")
        if "wecom-bot" in names and "wecom-bot (socket)" in names:
            raise SettingsError(
                "the WeCom bot is set up for callbacks and for a socket; choose one of them"
            )
        return names


def _below_home(folder: Path | None, usual: str) -> Path | None:
    try:
        return (folder or Path.home() / usual) / "livepitch"
    except RuntimeError:
        return None


def read_settings() -> SdkSettings:
    """Read the environment.

    Raises:
        SettingsError: A variable has an unusable value.
    """
    return _read(SdkSettings)


def read_messaging_settings() -> MessagingSettings:
    """Read the environment for the chat services.

    Raises:
        SettingsError: A variable has an unusable value.
    """
    return _read(MessagingSettings)


def _read(kind: type[_Settings]) -> _Settings:
    try:
        return kind()
    except ValidationError as error:
        first = error.errors()[0]
        name = "LIVEPITCH_" + str(first["loc"][0]).upper()
        raise SettingsError(f"{name}: {first['msg']}") from None
