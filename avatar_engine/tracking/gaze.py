"""Gaze from the irises: where on the eyeball each one stands."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.head.view import View

RIGHT_IRIS, LEFT_IRIS = 468, 473
"""The iris centres among the landmarks, the subject's right and left."""

_FARTHEST = np.radians(35.0)  # eyes do not turn farther without the head
_RIM = 0.95  # of the eyeball's radius, beyond which an iris would be behind it


def gaze_of(
    landmarks: NDArray[np.floating],
    view: View,
    eye_centers: NDArray[np.floating],
    eye_radius: float,
) -> NDArray[np.float64]:
    """Yaw and pitch of each eye in the head [2, 2], rad; the subject's left eye first.

    The iris lies on a sphere about the eye's centre; its offset in the picture over the sphere's
    radius in pixels is the gaze's direction in view axes, which the head's turn brings home.

    Args:
        landmarks: [478, 3] pixels.
        view: Of the head.
        eye_centers: [2, 3] head space, cm; subject's left, then right.
        eye_radius: cm.
    """
    found = np.empty((2, 2))
    middles = view.project(np.asarray(eye_centers, np.float64))
    for eye, iris in enumerate((LEFT_IRIS, RIGHT_IRIS)):
        offset = (landmarks[iris, :2] - middles[eye, :2]) / (view.scale * eye_radius)
        length = float(np.hypot(*offset))
        if length > _RIM:
            offset = offset * (_RIM / length)
        across, down = float(offset[0]), float(offset[1])
        ahead = np.sqrt(max(1.0 - across**2 - down**2, 1e-6))
        x, y, z = view.turn.T @ np.array([across, -down, ahead])
        found[eye] = np.arctan2(x, z), -np.arcsin(np.clip(y, -1.0, 1.0))
    return np.clip(found, -_FARTHEST, _FARTHEST)
