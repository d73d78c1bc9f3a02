"""What changes from frame to frame, as one row of numbers per frame."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.gpu.layout import Input
from avatar_engine.render.gpu.packed import PackedPersona
from avatar_engine.render.joints import (
    expression_weights,
    eye_rotations,
    joint_matrices,
    teeth_light,
)
from avatar_engine.types import FaceState


def write_inputs(
    row: NDArray[np.float32],
    number: int,
    persona: PackedPersona,
    state: FaceState,
    source_residual: float = 0.0,
) -> None:
    """Say what one frame shows.

    Args:
        row: [L] to be filled; ``Input`` says what lies where.
        number: The persona's place among those packed together.
        persona: The same.
        state: What it shows.
        source_residual: Weight of the source residual mode.

    Raises:
        RenderError: The state carries corrections of another persona.
    """
    maps = persona.scene[0]
    weights = expression_weights(maps, state, source_residual)
    row[Input.PERSONA] = number
    row[Input.EYES : Input.JOINTS] = eye_rotations(maps, state).ravel()
    row[Input.JOINTS : Input.TINTS] = joint_matrices(maps, persona.framed, state).ravel()
    row[Input.TINTS : Input.LIGHT] = persona.tint_rule.amounts(weights)
    row[Input.LIGHT : Input.SLIDE] = teeth_light(maps, state)
    row[Input.SLIDE : Input.WEIGHTS] = persona.rule.pixels(state)
    row[Input.WEIGHTS : Input.WEIGHTS + len(weights)] = weights * maps.mode_scales
    row[Input.WEIGHTS + len(weights) :] = 0
