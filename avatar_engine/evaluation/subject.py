"""Ours: the persona of a clip's first frame, driven by the person's own later frames."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.evaluation.posed_landmarks import PosedLandmarks
from avatar_engine.head import load_head_rig
from avatar_engine.persona import Persona
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.tracking.likeness import Likeness
from avatar_engine.tracking.lip_gap import INNER_LIPS
from avatar_engine.tracking.observation import Observation
from avatar_engine.tracking.retarget import Rest, Retarget
from avatar_engine.types import FaceState


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds per picture."""

    tracking_ms: float
    rendering_ms: float


class SelfDriven:
    """Renders a persona at the state that its own person shows.

    The first observation answers the photo: there the persona shows the photo's expression; what
    differs from it later is added. The photo's residual (what no weight explains) stays on, since
    it is mostly this very person's shape. Landmarks say the rest: being this very person's, they
    are brought where the picture has them, by weights and, where there are any, corrections.

    Args:
        persona: Of the clip's first frame.
        size: Side of the rendered square.
        first: What the tracker saw in that frame, cut to the persona's square.
    """

    def __init__(self, persona: Persona, size: int, first: Observation) -> None:
        maps = persona.maps
        self._renderer = open_renderer(
            "cpu", maps, persona.plates, persona.camera, RenderConfig(size, size, "rgb")
        )
        base = np.asarray(maps.source, np.float64) - maps.rest
        self._retarget = Retarget(maps, base=base, limits=False)
        self._rest = Rest(first.expression, first.view, first.gaze)
        self._likeness = Likeness(maps, load_head_rig())
        self._landmarks = PosedLandmarks(maps, persona.camera.framed(size, size))
        # In the photo nothing is missing: what seems so is how landmarks were registered.
        start = self._retarget.state(first, self._rest)
        self._registered = self._landmarks.missing(start, first.landmarks)
        self.rendering_s = 0.0
        self.rendered = 0

    def state(self, seen: Observation) -> FaceState:
        """The persona's face for an observation."""
        state = self._retarget.state(seen, self._rest)
        missing = self._landmarks.missing(state, seen.landmarks) - self._registered
        return self._likeness.matched(state, missing)

    def draw(self, seen: Observation) -> NDArray[np.uint8]:
        """The picture [S, S, 3] for an observation; a fresh array."""
        state = self.state(seen)
        begin = time.process_time()
        picture = self._renderer.render(state, source_residual=1.0)
        self.rendering_s += time.process_time() - begin
        self.rendered += 1
        return picture.copy()

    def close(self) -> None:
        """Give the renderer's buffers back."""
        self._renderer.close()


def lip_gap_cm(seen: Observation) -> float:
    """Gap between the inner lips, cm."""
    upper, lower = (seen.landmarks[index, :2] for index in INNER_LIPS)
    return float(np.linalg.norm(upper - lower)) / seen.view.scale


def landmark_distance(
    a: NDArray[np.floating], b: NDArray[np.floating], rows: Sequence[int] | slice = slice(0, 468)
) -> float:
    """Mean distance of landmarks over the distance of ``b``'s outer eye corners."""
    size = float(np.linalg.norm(b[263, :2] - b[33, :2]))
    return float(np.linalg.norm(a[rows, :2] - b[rows, :2], axis=1).mean()) / max(size, 1e-6)
