"""Shoulders: a chest that lifts them, and a body that comes after the head."""

from math import exp

import numpy as np
from numpy.typing import NDArray

_LIFT_CM = 0.13  # of the shoulders in a breath, to either side
_CARRIED_CM = 0.07  # what of it reaches the head: the neck takes up the rest
_BEHIND_S = 0.4
_FOLLOW_CM = np.array([1.6, -0.5, -1.0])
"""How far the torso goes per radian of the head's yaw (aside), pitch (up) and roll (aside)."""


class Torso:
    """The state of shoulders that follow a head, frame by frame.

    Args:
        fps: Frames per second.
    """

    def __init__(self, fps: float) -> None:
        self._step = 1.0 - exp(-1.0 / (fps * _BEHIND_S))
        self._pose: NDArray[np.float64] | None = None

    def follow(
        self, head_pose: NDArray[np.float64], breath: float, aside_cm: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The next frame.

        Args:
            head_pose: [3] yaw, pitch, roll, as in ``FaceState``.
            breath: State of the chest, about -1 to 1.
            aside_cm: Where the body has wandered by itself.

        Returns:
            ``torso`` [2] and ``head_shift`` [3] of ``FaceState``.
        """
        before = head_pose if self._pose is None else self._pose
        self._pose = before + self._step * (head_pose - before)
        yaw, pitch, roll = self._pose * _FOLLOW_CM
        torso = np.array([aside_cm + yaw + roll, _LIFT_CM * breath + pitch], np.float32)
        carried = _CARRIED_CM * breath
        shift = np.array([0.0, carried - _LIFT_CM * breath, 0.5 * carried], np.float32)
        return torso, shift
