"""States of a face to learn from: turned heads, faces that do something, a moment later."""

from dataclasses import replace

import numpy as np

from avatar_engine.types import ARKIT_INDEX, FaceState, HeadMaps

_LARGEST_TURN = np.radians([30.0, 12.0, 8.0])  # yaw, pitch, roll
_SMALL_TURN = np.radians([3.0, 2.0, 2.0])
_FACES: tuple[tuple[tuple[str, ...], float], ...] = (
    (("jawOpen",), 0.6),
    (("mouthSmileLeft", "mouthSmileRight"), 0.8),
    (("mouthFrownLeft", "mouthFrownRight"), 0.5),
    (("mouthPucker",), 0.7),
    (("mouthFunnel",), 0.5),
    (("mouthStretchLeft", "mouthStretchRight"), 0.5),
    (("eyeBlinkLeft", "eyeBlinkRight"), 0.35),  # a photo with closed eyes is refused
    (("browInnerUp",), 0.8),
    (("browDownLeft", "browDownRight"), 0.7),
    (("cheekSquintLeft", "cheekSquintRight"), 0.6),
    (("mouthUpperUpLeft", "mouthUpperUpRight"), 0.5),
    (("mouthLowerDownLeft", "mouthLowerDownRight"), 0.6),
)


def turned(maps: HeadMaps, rng: np.random.Generator, *, reach: float) -> FaceState:
    """A turned head with another expression.

    Args:
        maps: Whose face.
        rng: Decides.
        reach: 1 is up to 30 degrees of yaw.
    """
    weights = np.asarray(maps.source, np.float64) * rng.uniform(0, 1)
    for names, largest in _FACES:
        if rng.random() < 0.3:
            amount = largest * rng.uniform(0.2, 1)
            for name in names:
                weights[ARKIT_INDEX[name]] = amount
    pose = reach * _LARGEST_TURN * rng.uniform(-1, 1, 3)
    pose[0] = np.copysign(max(abs(pose[0]), np.radians(8)), pose[0])
    return FaceState(
        blendshapes=(np.clip(weights, 0, 1) - maps.rest).astype(np.float32),
        head_pose=pose.astype(np.float32),
        gaze=rng.uniform(-0.15, 0.15, 2).astype(np.float32),
    )


def nudged(state: FaceState, rng: np.random.Generator) -> FaceState:
    """The same face a moment later."""
    change = rng.normal(0, 0.08, 52) * (rng.random(52) < 0.3)
    return replace(
        state,
        blendshapes=(state.blendshapes + change).astype(np.float32),
        head_pose=(state.head_pose + _SMALL_TURN * rng.uniform(-1, 1, 3)).astype(np.float32),
    )
