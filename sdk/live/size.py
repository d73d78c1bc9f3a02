"""``--size`` and ``--fps``: what a picture and its pace may be."""

from avatar_engine.types.size import size_of
from sdk.errors import SettingsError

_SAMPLE_RATE_HZ = 48_000
_LEAST_PX = 128


def parse_size(text: str) -> tuple[int, int]:
    """``512`` or ``720x1280`` as (width, height).

    Raises:
        SettingsError: Neither form, outside 128 to 2048, or not divisible by 8 and by 2.
    """
    try:
        return size_of(text, _LEAST_PX)
    except ValueError as error:
        raise SettingsError(f"--size {text}: {error}") from None


def checked_fps(fps: float) -> float:
    """The frames per second, when sound can be cut into frames of that length.

    Raises:
        SettingsError: Outside 1 to 60, or no divisor of 48000 samples a second.
    """
    if not 1 <= fps <= 60 or _SAMPLE_RATE_HZ % fps:
        raise SettingsError(f"--fps {fps:g} does not divide 48000; write 25 or 30")
    return fps
