"""One state of a face as the numbers of the pose kernel."""

import numpy as np

from avatar_engine.render.cpu.packed import PackedMaps
from avatar_engine.render.cpu.records import KEYS
from avatar_engine.render.cpu.surface import View
from avatar_engine.render.joints import (
    TintRule,
    expression_weights,
    eye_rotations,
    head_shift,
    joint_matrices,
    teeth_light,
)
from avatar_engine.types import Camera, FaceState, HeadMaps


def frame_view(
    maps: HeadMaps,
    packed: PackedMaps,
    camera: Camera,
    state: FaceState,
    source_residual: float,
    tints: TintRule | None = None,
) -> View:
    """One state as the numbers of the pose kernel.

    Args:
        maps: The persona.
        packed: ``pack(maps)``.
        camera: Framed to the output.
        state: What to draw.
        source_residual: Weight of mode 52.
        tints: ``TintRule(maps)``, where there is one already.
    """
    weights = expression_weights(maps, state, source_residual)
    joints = joint_matrices(maps, camera, state)
    middle = float(joints[0, 2] @ np.append(maps.pivot, 1.0))  # the body's pivot never moves
    radius = float(packed.radius) + float(np.linalg.norm(head_shift(state)))
    near, per_cm = middle - radius, (KEYS - 1) / (2 * radius)
    K = camera.K
    lens = np.array([K[0, 0], K[1, 1], K[0, 2], K[1, 2], near, per_cm], np.float32)
    return View(
        (weights - packed.rest).astype(np.float32),
        joints.astype(np.float32),
        eye_rotations(maps, state).astype(np.float32),
        lens,
        np.array([camera.width, camera.height], np.int32),
        (tints or TintRule(maps)).amounts(weights).astype(np.float32),
        teeth_light(maps, state).astype(np.float32),
    )
