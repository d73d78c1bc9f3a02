"""Rotate and return: a person is turned away in a picture, and brought back from that picture.

A persona of the real photo A is rendered turned and with another expression; from that render a
second persona is built and brought back to A's pose. What it should look like there is A itself,
and where each of its pixels was in the render is told exactly by A's own mesh.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avatar_engine.persona import Persona, build_persona
from avatar_engine.portrait import read_portrait
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.render.mesh_flow import MeshFlow, collect_flow
from avatar_engine.tracking import FaceTracker, Observation
from avatar_engine.tracking.retarget import Rest, Retarget
from avatar_engine.training.screen.states import nudged, turned
from avatar_engine.types import Camera, FaceState


@dataclass(frozen=True, slots=True)
class Record:
    """One picture to be improved, and what it should be. R is the generator's side.

    Attributes:
        source: [R, R, 3] uint8 the picture the persona was built from.
        picture: [R, R, 3] uint8 the Gaussians' picture in the asked state.
        layer: [R, R, 4] uint8 head and body alone, straight alpha.
        flow: [5, R, R] float16 sums of ``collect_flow`` into ``source``, by the persona's mesh.
        target: [R, R, 3] uint8 the right answer.
        true_flow: [5, R, R] float16 the same by the mesh that ``source`` was rendered from.
        next_layer: [R, R, 4] uint8 of a state a moment later.
        next_flow: [5, R, R] float16 likewise.
        between: [5, R, R] float16 flow from this state to that one.
        large_picture: [S, S, 3] uint8 ``picture`` at the persona's own size.
        large_target: [S, S, 3] uint8 ``target`` likewise.
        is_real: 1 where the target is the photo, 0 where it is a render of the first persona.
    """

    source: NDArray[np.uint8]
    picture: NDArray[np.uint8]
    layer: NDArray[np.uint8]
    flow: NDArray[np.float16]
    target: NDArray[np.uint8]
    true_flow: NDArray[np.float16]
    next_layer: NDArray[np.uint8]
    next_flow: NDArray[np.float16]
    between: NDArray[np.float16]
    large_picture: NDArray[np.uint8]
    large_target: NDArray[np.uint8]
    is_real: int


def records_of(
    first: Persona, rng: np.random.Generator, *, side: int, views: int = 2
) -> Iterator[Record]:
    """Records of one person: the return to the photo first, then other views of its persona.

    Args:
        first: The persona of a real photo.
        rng: Decides turn, expression and views.
        side: R.
        views: How many other views.

    Raises:
        PhotoError: The turned render cannot become a persona.
    """
    size = first.camera.width
    away = turned(first.maps, rng, reach=1.0)
    render = _drawn(first, away, size)
    second = build_persona(_png(render))
    crop = read_portrait(render).crop
    stage = _Stage(first, away, second, crop, side)
    yield from stage.record(None, rng)
    for _ in range(views):
        yield from stage.record(turned(first.maps, rng, reach=1.2), rng)


class _Stage:
    """Both personas of one person, and the square that the second one was built in."""

    def __init__(
        self,
        first: Persona,
        away: FaceState,
        second: Persona,
        crop: tuple[float, float, float],
        side: int,
    ) -> None:
        self._first, self._second, self._crop, self._side = first, second, crop, side
        self._size = second.camera.width
        self._truth = MeshFlow(first.maps)
        self._crop_view = _cropped(first.camera, crop).framed(side, side)
        self._away = self._truth.place(away, self._crop_view, source_residual=1.0)
        self._mesh = MeshFlow(second.maps)
        self._view = second.camera.framed(side, side)
        self._source = self._mesh.photo(self._view)
        self._tracker = FaceTracker(identity_frames=1)
        seen = self._tracker.track(second.plates.photo, 0.0)
        self._rest = None if seen is None else Rest(seen.expression, seen.view, seen.gaze)
        base = np.asarray(second.maps.source, np.float64) - second.maps.rest
        self._retarget = Retarget(second.maps, base=base, limits=False)

    def record(self, state: FaceState | None, rng: np.random.Generator) -> Iterator[Record]:
        """The record of one state of the first persona; None is its photo. Empty where no face
        is found in it.
        """
        maps = self._first.maps
        shown = FaceState(blendshapes=maps.source - maps.rest) if state is None else state
        whole = (
            self._first.plates.photo
            if state is None
            else _drawn(self._first, shown, self._first.camera.width)
        )
        large = _cut(whole, self._crop, self._size)
        seen = self._tracker.track(large, 1.0)
        if seen is None or self._rest is None:
            return
        yield self._compared(seen, shown, large, rng, is_real=state is None)

    def _compared(
        self,
        seen: Observation,
        shown: FaceState,
        large: NDArray[np.uint8],
        rng: np.random.Generator,
        *,
        is_real: bool,
    ) -> Record:
        assert self._rest is not None
        second, side = self._second, self._side
        asked = self._retarget.state(seen, self._rest)
        later = nudged(asked, rng)
        here = self._mesh.place(asked, self._view, source_residual=1.0)
        after = self._mesh.place(later, self._view, source_residual=1.0)
        true = self._truth.place(shown, self._crop_view, source_residual=1.0)
        return Record(
            source=_shrunk(second.plates.photo, side),
            picture=_drawn(second, asked, side),
            layer=_drawn(second, asked, side, is_layer=True),
            flow=collect_flow(here, self._source).astype(np.float16),
            target=_shrunk(large, side),
            true_flow=collect_flow(true, self._away).astype(np.float16),
            next_layer=_drawn(second, later, side, is_layer=True),
            next_flow=collect_flow(after, self._source).astype(np.float16),
            between=collect_flow(here, after).astype(np.float16),
            large_picture=_drawn(second, asked, self._size),
            large_target=large,
            is_real=int(is_real),
        )


def _drawn(
    persona: Persona, state: FaceState, side: int, *, is_layer: bool = False
) -> NDArray[np.uint8]:
    config = RenderConfig(side, side, "rgba" if is_layer else "rgb")
    renderer = open_renderer("cpu", persona.maps, persona.plates, persona.camera, config)
    try:
        return renderer.render(state, source_residual=1.0).copy()
    finally:
        renderer.close()


def _cropped(camera: Camera, crop: tuple[float, float, float]) -> Camera:
    """The view of a square (x0, y0, side) of a camera's picture."""
    x0, y0, side = crop
    K = camera.K.copy()
    K[0, 2] -= x0
    K[1, 2] -= y0
    whole = max(8, round(side))
    K[:2] *= whole / side
    return Camera(camera.viewmat, K, whole, whole)


def _cut(
    picture: NDArray[np.uint8], crop: tuple[float, float, float], size: int
) -> NDArray[np.uint8]:
    """A square of a picture at another size; the edge is repeated outside."""
    x0, y0, side = crop
    step = side / size
    move = np.array([[step, 0, x0 + 0.5 * step - 0.5], [0, step, y0 + 0.5 * step - 0.5]])
    flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_CUBIC if step < 1 else cv2.INTER_LINEAR)
    found = cv2.warpAffine(
        picture, move, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(found, np.uint8)


def _shrunk(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    # As the renderers resample plates.
    small = Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(small, np.uint8)


def _png(picture: NDArray[np.uint8]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG", compress_level=1)
    return content.getvalue()
