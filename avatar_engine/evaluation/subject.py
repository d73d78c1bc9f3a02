"""Ours: the persona of a clip's first frame, driven by the person's own later frames."""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avatar_engine.evaluation.posed_landmarks import PosedLandmarks
from avatar_engine.head import load_head_rig
from avatar_engine.persona import Persona
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.tracking.likeness import Likeness
from avatar_engine.tracking.lip_gap import INNER_LIPS
from avatar_engine.tracking.mirror import Mirror, one_piece
from avatar_engine.tracking.observation import Observation
from avatar_engine.tracking.retarget import Rest, Retarget
from avatar_engine.tracking.trust import LIPS
from avatar_engine.types import FaceState


class SelfDriven:
    """Renders a persona at the state that its own person shows.

    The first observation answers the photo: there the persona shows the photo's expression; what
    differs from it later is added. Landmarks say the rest: being this very person's, they are
    brought where the picture has them, by weights, as much of the photo's residual (what no weight
    explains) as suits, and, where there are any, corrections. The network also looks at what was
    drawn for the pictures before, and head and landmarks are held where both are seen alike.

    Attributes:
        following_s: CPU seconds spent so far on finding states and looking at what was drawn.
        rendering_s: CPU seconds spent so far on drawing.
        rendered: Pictures drawn so far.

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
        self._parted = np.zeros_like(self._registered)  # what of it parts the lips
        self._parted[list(LIPS)] = self._registered[list(LIPS)]
        self._parted[list(LIPS)] -= one_piece() @ self._registered[list(LIPS)]
        self._gap_cm = lip_gap_cm(first)
        self._mirror = Mirror()
        self.following_s = self.rendering_s = 0.0
        self.rendered = 0

    def state(self, seen: Observation) -> tuple[FaceState, float]:
        """The persona's face for the next observation, and its share of the photo's residual."""
        # A gap that seemed too wide on open lips is not too wide by as much on closed ones.
        closed = max(0.0, 1.0 - lip_gap_cm(seen) / max(self._gap_cm, 1e-3))
        registered = self._registered - closed * self._parted

        def missing(state: FaceState, residual: float) -> NDArray[np.float64]:
            wanted = self._landmarks.missing(state, seen.landmarks, residual)
            return wanted - registered + self._mirror.beside

        begun = self._retarget.state(seen, self._rest)
        view = self._mirror.corrected(seen)
        matched, residual = self._likeness.matched(begun, missing)
        posed = self._retarget.state(replace(seen, view=view), self._rest)
        return (
            replace(matched, head_pose=posed.head_pose, head_shift=posed.head_shift),
            residual,
        )

    def draw(self, seen: Observation) -> NDArray[np.uint8]:
        """The picture [S, S, 3] for the next observation; a fresh array."""
        begin = time.process_time()
        state, residual = self.state(seen)
        found = time.process_time()
        picture = self._renderer.render(state, source_residual=residual).copy()
        drawn = time.process_time()
        self._mirror.look(picture, seen)
        self.rendering_s += drawn - found
        self.following_s += found - begin + time.process_time() - drawn
        self.rendered += 1
        return picture

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
