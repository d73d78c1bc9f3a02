"""``--size`` and ``--fps``: what a picture and its pace may be."""

from sdk.errors import SettingsError

_SAMPLE_RATE_HZ = 48_000


def parse_size(text: str) -> tuple[int, int]:
    """``512`` or ``720x1280`` as (width, height).

    Raises:
        SettingsError: Neither form, outside 128 to 2048, or not divisible by 8 and by 2.
    """
    parts = text.lower().split("x")
    try:
        width, height = int(parts[0]), int(parts[-1])
    except ValueError:
        raise SettingsError(f"--size {text}: write 512 or 720x1280") from None
    if len(parts) > 2 or not (128 <= width <= 2048 and 128 <= height <= 2048):
        raise SettingsError(f"--size {text}: write 512 or 720x1280, each side from 128 to 2048")
    if width % 8 or height % 2:
        raise SettingsError(f"--size {text}: the width must divide by 8 and the height by 2")
    return width, height


def checked_fps(fps: float) -> float:
    """The frames per second, when sound can be cut into frames of that length.

    Raises:
        SettingsError: Outside 1 to 60, or no divisor of 48000 samples a second.
    """
    if not 1 <= fps <= 60 or _SAMPLE_RATE_HZ % fps:
        raise SettingsError(f"--fps {fps:g} does not divide 48000; write 25 or 30")
    return fps
