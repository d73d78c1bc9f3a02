"""Where one state puts the three joints of a head, and how strongly each mode acts.

Everything here is small, exact (float64) and shared by the renderers, so that they can only
differ in how they draw.
"""

import math

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.definition import JOINT_SHARES
from avatar_engine.types import Camera, FaceState, HeadMaps

_SHIFT_LIMIT_CM = 40.0


def rotation(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> NDArray[np.float64]:
    """``Ry @ Rx @ Rz`` [3, 3]."""
    (cy, sy), (cp, sp), (cr, sr) = ((math.cos(a), math.sin(a)) for a in (yaw, pitch, roll))
    return np.array(
        [
            [cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, sy * cp],
            [cp * sr, cp * cr, -sp],
            [cy * sp * sr - sy * cr, sy * sr + cy * sp * cr, cy * cp],
        ]
    )


def joint_matrices(maps: HeadMaps, camera: Camera, state: FaceState) -> NDArray[np.float64]:
    """Head space to camera axes [3, 3, 4], one matrix per joint (body, half, head).

    A texel of weight h blends linearly between the joints on both sides of h; since the matrices
    act linearly, blending their results is the same.
    """
    pose = _finite(state.head_pose)
    shift = head_shift(state)
    placement = np.asarray(maps.placement, np.float64)
    pivot = placement[:, :3] @ np.asarray(maps.pivot, np.float64) + placement[:, 3]
    orbit = rotation(float(_finite(state.orbit)))
    view, eye = camera.viewmat[:3, :3], camera.viewmat[:3, 3]
    joints = np.empty((3, 3, 4))
    for joint, share in zip(joints, JOINT_SHARES, strict=True):
        turn = rotation(*(share * pose))
        about = pivot + share * shift - turn @ pivot  # Y' = turn @ Y + about
        to_camera = view @ orbit
        joint[:, :3] = to_camera @ turn @ placement[:, :3]
        at = turn @ placement[:, 3] + about
        joint[:, 3] = to_camera @ (at - pivot) + view @ pivot + eye
    return joints


def head_shift(state: FaceState) -> NDArray[np.float64]:
    """The head's translation [3] in cm, kept within what a picture can show."""
    return np.clip(_finite(state.head_shift), -_SHIFT_LIMIT_CM, _SHIFT_LIMIT_CM)


def joint_blend(head_weight: NDArray[np.floating]) -> NDArray[np.float64]:
    """Shares [..., 3] of the three joints for head weights [...]."""
    h = np.asarray(head_weight, np.float64)
    body, head = np.maximum(1 - 2 * h, 0), np.maximum(2 * h - 1, 0)
    return np.stack([body, 1 - body - head, head], -1)


def expression_weights(
    maps: HeadMaps, state: FaceState, source_residual: float
) -> NDArray[np.float64]:
    """Weights [53] of the modes: 52 expressions in [0, 1], then the source residual."""
    face = np.clip(np.asarray(maps.rest, np.float64) + _finite(state.blendshapes), 0, 1)
    return np.append(face, _finite(source_residual))


def eye_rotations(maps: HeadMaps, state: FaceState) -> NDArray[np.float64]:
    """Rotations [2, 3, 3] of the subject's left and right eyeball in head space."""
    gaze = np.asarray(maps.eye_gaze, np.float64) + _finite(state.gaze)
    return np.stack([rotation(yaw, pitch) for yaw, pitch in gaze])


def _finite(value: NDArray[np.floating] | float) -> NDArray[np.float64]:
    given = np.asarray(value, np.float64)
    return given if np.isfinite(given).all() else np.where(np.isfinite(given), given, 0.0)
