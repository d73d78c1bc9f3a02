"""What a face is asked to do once: glances, acts, and emotions to turn to."""

from dataclasses import dataclass
from math import radians

from avatar_engine.types.marks import Act, Emotion


@dataclass(frozen=True, slots=True)
class Glance:
    """A look beside the picture's middle: radians from it, and how long the eyes rest there."""

    begin_s: float
    yaw: float
    pitch: float
    hold_s: float


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that was asked for; exactly one of the three is set."""

    begin_s: float
    glance: Glance | None = None
    act: Act | None = None
    emotion: Emotion | None = None


_SIDES = {
    "left": (radians(-13.0), 0.0),
    "right": (radians(13.0), 0.0),
    "up": (0.0, radians(-8.0)),
    "down": (0.0, radians(9.0)),
}


def glance_to(direction: str, *, at_s: float, hold_s: float) -> Glance:
    """A glance to a side of the picture as the viewer sees it, or to a corner: ``down-right``.

    Raises:
        ValueError: Unknown direction.
    """
    yaw = pitch = 0.0
    for side in direction.split("-"):
        if side not in _SIDES:
            raise ValueError(f"glance {direction!r}: use {', '.join(_SIDES)} or two of them")
        yaw += _SIDES[side][0]
        pitch += _SIDES[side][1]
    return Glance(at_s, yaw, pitch, hold_s)
