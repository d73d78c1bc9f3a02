"""Another face's motion on a persona: differences travel, shapes stay at home."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.head.view import CAMERA_DISTANCE_CM, FACE_MIDDLE, View
from avatar_engine.tracking.observation import Observation
from avatar_engine.types import FaceState, HeadMaps

_FARTHEST_TURN = np.radians([42.0, 28.0, 28.0])  # yaw, pitch, roll a persona is shown at
_FARTHEST_SHIFT_CM = np.array([5.0, 4.0, 8.0])


@dataclass(frozen=True, slots=True)
class Rest:
    """How a driver looks when doing nothing.

    Attributes:
        expression: [52] weights.
        view: Of the head.
        gaze: [2] of the eyes in the head.
    """

    expression: NDArray[np.float64]
    view: View
    gaze: NDArray[np.float64]


class Retarget:
    """Turns observations of a driver into the FaceState of a persona.

    Expression is the driver's difference from rest, on top of the persona's own rest; pose is the
    turn since rest, gaze likewise. Place is how far the driver's face went, in cm at the face.

    Args:
        maps: The persona's head.
        base: [52] blendshapes of the persona that answer the driver's rest; zero unless the
            driver is the person of the photo, whose rest is the photo's own expression.
        follow: How much of the driver's change of place is followed, 0 to 1.
        limits: Keep turns and shifts within what a persona shows well; off for measurements.
    """

    def __init__(
        self,
        maps: HeadMaps,
        *,
        base: NDArray[np.floating] | None = None,
        follow: float = 1.0,
        limits: bool = True,
    ) -> None:
        placement = np.asarray(maps.placement, np.float64)
        # From the neck's pivot to the face's middle, world axes.
        self._arm = placement[:, :3] @ (FACE_MIDDLE - np.asarray(maps.pivot, np.float64))
        self._base = np.zeros(52) if base is None else np.asarray(base, np.float64)
        self._follow = follow
        self._limits = limits

    def state(
        self,
        seen: Observation,
        rest: Rest,
        *,
        expression: NDArray[np.float64] | None = None,
    ) -> FaceState:
        """The persona's face for one observation.

        Args:
            seen: The driver now.
            rest: The driver at rest.
            expression: [52] in place of the observed one, such as one with better lids.
        """
        weights = seen.expression if expression is None else expression
        pose = angles_of(seen.view.turn @ rest.view.turn.T)
        if self._limits:
            pose = _FARTHEST_TURN * np.tanh(pose / _FARTHEST_TURN)
        # The neck's turn moves the face's middle already; the shift is what it leaves to do.
        shift = _went(seen.view, rest.view) - (rotation_of(pose) @ self._arm - self._arm)
        shift = self._follow * shift
        if self._limits:
            shift = _FARTHEST_SHIFT_CM * np.tanh(shift / _FARTHEST_SHIFT_CM)
        return FaceState(
            blendshapes=(self._base + weights - rest.expression).astype(np.float32),
            head_pose=pose.astype(np.float32),
            head_shift=shift.astype(np.float32),
            gaze=(seen.gaze - rest.gaze).astype(np.float32),
        )


def _went(now: View, rest: View) -> NDArray[np.float64]:
    """How far the face's middle went [3]: cm to the picture's right, up, and nearer."""
    across, down = (now.centre[:2] - rest.centre[:2]) / now.scale
    nearer = CAMERA_DISTANCE_CM * (1.0 - rest.scale / now.scale)
    return np.array([across, -down, nearer])


def angles_of(turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Yaw, pitch, roll of ``Ry @ Rx @ Rz``."""
    return np.array(
        [
            np.arctan2(turn[0, 2], turn[2, 2]),
            -np.arcsin(np.clip(turn[1, 2], -1.0, 1.0)),
            np.arctan2(turn[1, 0], turn[1, 1]),
        ]
    )


def rotation_of(pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """``Ry @ Rx @ Rz`` [3, 3] of yaw, pitch, roll."""
    (cy, cp, cr), (sy, sp, sr) = np.cos(pose), np.sin(pose)
    return np.array(
        [
            [cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, sy * cp],
            [cp * sr, cp * cr, -sp],
            [cy * sp * sr - sy * cr, sy * sr + cy * sp * cr, cy * cp],
        ]
    )
