"""The pictures kept in ``tests/golden``: what is drawn, and how they are drawn."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render import RenderConfig
from avatar_engine.render.reference import ReferenceRenderer
from avatar_engine.types import FaceState, weights_of
from tests.support.synthetic_head import synthetic_head

GOLDEN = Path(__file__).parents[1] / "golden"
SIZE = 128


def _pose(*angles: float) -> NDArray[np.float32]:
    return np.array(angles, np.float32)


SCENES: Mapping[str, FaceState] = {
    "neutral": FaceState(),
    "jaw_open": FaceState(weights_of(jawOpen=0.8)),
    "smile_blink": FaceState(weights_of(mouthSmile=0.8, eyeBlink=1.0)),
    "turned": FaceState(head_pose=_pose(0.35, 0.1, 0.08), gaze=_pose(0.25, -0.1)),
    "nod": FaceState(head_pose=_pose(0, 0.3, 0), head_shift=_pose(0, -0.5, 0.4)),
    "back": FaceState(orbit=np.pi),
}


def draw_all() -> dict[str, NDArray[np.uint8]]:
    """Every scene [SIZE, SIZE, 3], by the reference renderer in float64."""
    renderer = ReferenceRenderer(*synthetic_head(SIZE), RenderConfig(SIZE, SIZE))
    return {name: renderer.render(state) for name, state in SCENES.items()}
