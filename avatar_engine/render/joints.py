"""Where one state puts the three joints of a head, and how strongly each mode acts.

Everything here is small, exact (float64) and shared by the renderers, so that they can only
differ in how they draw.
"""

import math

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import RenderError
from avatar_engine.render.definition import (
    JOINT_SHARES,
    LIDS_TINTED,
    LIGHT_WORLD,
    LIPS_PARTED_CM,
)
from avatar_engine.render.torso import torso_shift
from avatar_engine.types import ARKIT_INDEX, Camera, FaceState, HeadMaps
from avatar_engine.types.maps import PLAIN_MODES, TintDriver

_SHIFT_LIMIT_CM = 40.0
_SHARES = np.array(JOINT_SHARES)[:, None]
_SMILE = [ARKIT_INDEX["mouthSmileLeft"], ARKIT_INDEX["mouthSmileRight"]]
_LIDS = [
    (ARKIT_INDEX[f"eyeBlink{side}"], ARKIT_INDEX[f"eyeLookDown{side}"])
    for side in ("Left", "Right")
]


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
    pose = finite(state.head_pose)
    shift, torso = head_shift(state), torso_shift(state)
    placement = np.asarray(maps.placement, np.float64)
    pivot = placement[:, :3] @ np.asarray(maps.pivot, np.float64) + placement[:, 3]
    view, eye = camera.viewmat[:3, :3], camera.viewmat[:3, 3]
    to_camera = view @ rotation(float(finite(state.orbit)))
    turns = np.stack([rotation(*(share * pose)) for share in JOINT_SHARES])  # [3, 3, 3]
    joints = np.empty((3, 3, 4))
    joints[..., :3] = to_camera @ turns @ placement[:, :3]
    # Y' = turn @ (Y - pivot) + pivot + torso + share * shift; the camera turns about the pivot.
    moved = turns @ (placement[:, 3] - pivot) + torso + _SHARES * shift
    joints[..., 3] = moved @ to_camera.T + (view @ pivot + eye)
    return joints


def head_shift(state: FaceState) -> NDArray[np.float64]:
    """The head's translation [3] in cm, kept within what a picture can show."""
    return np.clip(finite(state.head_shift), -_SHIFT_LIMIT_CM, _SHIFT_LIMIT_CM)


def joint_blend(head_weight: NDArray[np.floating]) -> NDArray[np.float64]:
    """Shares [..., 3] of the three joints for head weights [...]."""
    h = np.asarray(head_weight, np.float64)
    body, head = np.maximum(1 - 2 * h, 0), np.maximum(2 * h - 1, 0)
    return np.stack([body, 1 - body - head, head], -1)


def expression_weights(
    maps: HeadMaps, state: FaceState, source_residual: float
) -> NDArray[np.float64]:
    """Weights [53 + C] of the modes: 52 expressions in [0, 1], the source residual, corrections.

    Raises:
        RenderError: The state carries corrections of another persona.
    """
    face = np.clip(np.asarray(maps.rest, np.float64) + finite(state.blendshapes), 0, 1)
    residual = float(finite(source_residual))
    return np.concatenate([face, [residual], _corrections(maps, state, face, residual)])


def _corrections(
    maps: HeadMaps, state: FaceState, face: NDArray[np.float64], residual: float
) -> NDArray[np.float64]:
    """Amounts [C] of the corrective modes; all 0 in the photo's own expression and residual."""
    amounts = maps.drivers.amounts(face)
    if residual:  # it already holds what corrects the photo's expression
        amounts -= residual * maps.drivers.amounts(maps.source)
    if state.corrections is None:
        return amounts
    if len(state.corrections) != len(amounts):
        raise RenderError(
            f"the state has {len(state.corrections)} corrections, the persona {len(amounts)} "
            "corrective modes: drive it with a Driver of its own"
        )
    return amounts + finite(state.corrections)


def eye_rotations(maps: HeadMaps, state: FaceState) -> NDArray[np.float64]:
    """Rotations [2, 3, 3] of the subject's left and right eyeball in head space."""
    gaze = np.asarray(maps.eye_gaze, np.float64) + finite(state.gaze)
    return np.stack([rotation(yaw, pitch) for yaw, pitch in gaze])


def finite(value: NDArray[np.floating] | float) -> NDArray[np.float64]:
    """The same; a number that is not finite counts as 0."""
    given = np.asarray(value, np.float64)
    return given if np.isfinite(given).all() else np.where(np.isfinite(given), given, 0.0)


def tint_amounts(maps: HeadMaps, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each ``TintDriver`` acts [6] in one frame; see ``TintRule.amounts``."""
    return TintRule(maps).amounts(weights)


class TintRule:
    """What brings a persona's tints on; what stays the same from frame to frame is kept.

    Args:
        maps: The persona.
    """

    def __init__(self, maps: HeadMaps) -> None:
        self._source = np.asarray(maps.source, np.float64)
        self._smiled = float(self._source[_SMILE].mean())
        middle = len(maps.lip_upper) // 2
        pairs = slice(max(middle - 1, 0), middle + 2)
        upper, lower = maps.lip_upper[pairs], maps.lip_lower[pairs]
        self._has_lips = len(upper) > 0
        if self._has_lips:  # the mean gap goes with the weights, as every texel does
            apart = np.subtract(maps.positions[upper, 1], maps.positions[lower, 1], dtype=float)
            modes = np.subtract(maps.modes[:, upper, 1], maps.modes[:, lower, 1], dtype=float)
            self._still_gap = float(apart.mean())
            self._gap_modes = modes.mean(1) * maps.mode_scales  # [K]
        photographed = np.zeros(len(maps.modes))
        photographed[:PLAIN_MODES] = np.append(self._source, 1.0)
        self._gap = self.lip_gap(photographed)
        self._met = _meeting(self._gap)

    def amounts(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far each ``TintDriver`` acts [6], in [0, 1].

        Args:
            weights: [53 + C] of :func:`expression_weights`.
        """
        source, amounts = self._source, np.zeros(len(TintDriver))
        for driver, (blink, down) in zip(
            (TintDriver.LEFT_LID, TintDriver.RIGHT_LID), _LIDS, strict=True
        ):
            shut, shown = (w[blink] + 0.5 * w[down] for w in (weights, source))
            amounts[driver] = (shut - shown) / (LIDS_TINTED * max(1 - shown, 0.1))
        if self._smiled > 0:
            amounts[TintDriver.RELAX] = 1 - weights[_SMILE].mean() / self._smiled
        gap, then = self.lip_gap(weights), self._met
        now = _meeting(gap)
        amounts[TintDriver.LIPS] = (then - now) / then if then > 0.5 else (now - then) / (1 - then)
        another = abs(max(gap, 0.0) - max(self._gap, 0.0)) / LIPS_PARTED_CM
        amounts[TintDriver.MOUTH] = max(another, amounts[TintDriver.RELAX])
        return np.clip(amounts, 0, 1)

    def lip_gap(self, weights: NDArray[np.float64]) -> float:
        """How far apart the middle of the lips stands, cm."""
        return self._still_gap + float(weights @ self._gap_modes) if self._has_lips else 0.0


def _meeting(gap: float) -> float:
    """1 where the lips touch, falling to 0 at ``LIPS_PARTED_CM``."""
    return float(np.clip(1 - gap / LIPS_PARTED_CM, 0, 1))


def teeth_light(maps: HeadMaps, state: FaceState) -> NDArray[np.float64]:
    """The direction [3] in head space from which the teeth are lit, at the head's joint."""
    turn = rotation(*finite(state.head_pose)) @ np.asarray(maps.placement, np.float64)[:, :3]
    return np.asarray(turn.T @ np.array(LIGHT_WORLD))
