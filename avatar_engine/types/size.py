"""A picture's size as people type it."""

_WIDTH_STEP, _HEIGHT_STEP = 8, 2
_MOST_PX = 2048


def size_of(text: str, least_px: int) -> tuple[int, int]:
    """``512`` or ``720x1280`` as (width, height).

    Args:
        text: As typed.
        least_px: The shortest side that will do.

    Raises:
        ValueError: Neither form, too small or large, or not divisible by 8 and by 2; its text is
            the advice.
    """
    parts = text.lower().split("x")
    try:
        width, height = int(parts[0]), int(parts[-1])
    except ValueError:
        raise ValueError("write 512 or 720x1280") from None
    shortest, longest = sorted((width, height))
    if len(parts) > 2 or shortest < least_px or longest > _MOST_PX:
        raise ValueError(f"write 512 or 720x1280, each side from {least_px} to {_MOST_PX}")
    if width % _WIDTH_STEP or height % _HEIGHT_STEP:
        raise ValueError("the width must divide by 8 and the height by 2")
    return width, height
