"""The SDK's settings, and the only place of this package that reads the environment."""

from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from sdk.errors import SettingsError


class SdkSettings(BaseSettings):
    """Settings of this machine; each is also an environment variable ``LIVEPITCH_…``."""

    model_config = SettingsConfigDict(env_prefix="LIVEPITCH_", frozen=True, extra="ignore")

    token: SecretStr | None = Field(
        default=None, description="The seller's secret; as --token, but in no process list."
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
    try:
        return SdkSettings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "LIVEPITCH_" + str(first["loc"][0]).upper()
        raise SettingsError(f"{name}: {first['msg']}") from None
