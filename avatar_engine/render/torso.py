"""A torso that breathes and sways: how far it goes, and how the plate behind the head follows.

Neck, head and hair are Gaussians and go with the torso as they stand in space. The body plate is
a still picture, so its rows slide: the whole way at the collar and above, less toward the lower
edge, since nothing is known of what would come into the picture from below.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.definition import (
    COLLAR_CM,
    LEAST_SLIDING_ROWS,
    SLIDE_STEPS,
    TORSO_LIMIT_CM,
)
from avatar_engine.types import Camera, FaceState, HeadMaps


def torso_shift(state: FaceState) -> NDArray[np.float64]:
    """The torso's translation [3] in cm, world space, kept within what a still plate can follow."""
    x, y = np.nan_to_num(np.asarray(state.torso, np.float64), posinf=0.0, neginf=0.0)
    return np.clip([x, y, 0.0], -TORSO_LIMIT_CM, TORSO_LIMIT_CM)


@dataclass(frozen=True, slots=True)
class TorsoRule:
    """How one output's plate follows the torso.

    Attributes:
        follow: [H] share of the torso's way that each row goes.
        px_per_cm: At the depth of the neck.
    """

    follow: NDArray[np.float64]
    px_per_cm: float

    @classmethod
    def of(cls, maps: HeadMaps, camera: Camera) -> "TorsoRule":
        """The rule for a persona.

        Args:
            maps: The persona.
            camera: Framed to the output.
        """
        placement = np.asarray(maps.placement, np.float64)
        collar = placement[:, :3] @ np.asarray(maps.pivot, np.float64) + placement[:, 3]
        collar[1] -= COLLAR_CM
        seen = camera.viewmat[:3, :3] @ collar + camera.viewmat[:3, 3]
        px_per_cm = float(camera.K[1, 1] / seen[2])
        row = float(camera.K[1, 1] * seen[1] / seen[2] + camera.K[1, 2])
        sliding = max(camera.height - row, LEAST_SLIDING_ROWS * camera.height)
        above_edge = camera.height - (np.arange(camera.height) + 0.5)
        t = np.clip(above_edge / sliding, 0, 1)
        return cls(t * t * (3 - 2 * t), px_per_cm)

    @property
    def farthest(self) -> float:
        """The longest slide, pixels."""
        return TORSO_LIMIT_CM * self.px_per_cm + 1 / SLIDE_STEPS

    def pixels(self, state: FaceState) -> tuple[float, float]:
        """How far the collar slides to the right and down, in whole steps of 1/8 pixel."""
        right, up, _ = torso_shift(state) * self.px_per_cm
        steps = np.round(np.array([right, -up]) * SLIDE_STEPS)
        return float(steps[0]) / SLIDE_STEPS, float(steps[1]) / SLIDE_STEPS

    def offsets(self, pixels: tuple[float, float]) -> NDArray[np.float64]:
        """How far each row slides [H, 2], pixels to the right and down."""
        return np.asarray(self.follow[:, None] * np.asarray(pixels))
