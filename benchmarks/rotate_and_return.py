"""Away and back on portraits: what a second persona, made of a turned picture of the first, shows.

A persona is made of a photo and drawn turned aside with another expression; a second persona is
made of that picture and brought back to the photo's pose and expression. The photo says what the
places really look like that the turned picture hid.

Not all of those places are skin in the photo: hair, a collar or the background lie before them, and
of these a completion knows nothing. So they are judged apart. And the second head has a shape of
its own, which moves every edge; its colours are judged besides on the first head's shape.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.evaluation.image_metrics import Comparison
from avatar_engine.gaussian.painting import paint_head
from avatar_engine.gaussian.zbuffer import Nearest, nearest
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.persona import Persona, build_persona
from avatar_engine.portrait import read_portrait
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.shapes import texel_triangles
from avatar_engine.types import Camera, Chart, FaceState, HeadMaps, Plates, weights_of

SIZE = 512
_SHOWN_FACING, _HIDDEN_FACING, _BEHIND_CM = 0.35, 0.2, 0.3
_WELL = 0.5
_FACES = (
    weights_of(jawOpen=0.35),
    weights_of(mouthSmile=0.6, cheekSquint=0.3),
    weights_of(mouthPucker=0.6),
    weights_of(browInnerUp=0.6, jawOpen=0.15),
)


class Away:
    """One portrait turned aside.

    Args:
        photo: A portrait.
        rng: Decides the pose and the expression.

    Attributes:
        first: The persona of the photo, without compensation: nothing learnt is in the truth.
        picture: [S, S, 3] uint8, what it looks like turned aside.
        region: [S, S] bool, where the first head would be newly seen, whatever the photo shows.
        skin: [S, S] bool, the part of it where the photo shows the head's own skin, and well.
    """

    def __init__(self, photo: Path, rng: np.random.Generator) -> None:
        self.first = build_persona(photo, has_compensation=False)
        shown = self.first.plates.photo
        self.photo = cv2.resize(shown, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        yaw = rng.uniform(0.35, 0.5) * rng.choice([-1, 1])
        before = float(np.arcsin(np.clip(self.first.maps.placement[0, 2], -1, 1)))
        if abs(before) > 0.12:  # on over the middle, not out of sight
            yaw = -np.sign(before) * abs(yaw)
        pose = np.array([yaw, rng.normal(0, 0.06), 0], np.float32)
        state = FaceState(blendshapes=_FACES[rng.integers(len(_FACES))], head_pose=pose)
        self.picture = drawn(self.first, state)
        self.region = newly_seen(self.first, float(yaw))
        self.skin = self.region & (self._painted(shown_skin(photo)) > _WELL)

    def back(self, *, has_compensation: bool) -> Persona:
        """The turned picture's own persona.

        Raises:
            PhotoError: The turned picture cannot become a persona.
        """
        content = cv2.imencode(".png", self.picture[..., ::-1])[1].tobytes()
        return build_persona(content, has_compensation=has_compensation)

    def returned(self, second: Persona) -> NDArray[np.uint8]:
        """The second persona in the photo's pose and expression [S, S, 3]."""
        maps = replace(second.maps, placement=self.first.maps.placement)
        return self._drawn(maps)

    def on_own_shape(self, second: Persona) -> NDArray[np.uint8]:
        """The first head in the second one's colours, in the photo's pose [S, S, 3]."""
        maps = self.first.maps
        n = maps.modes.shape[1]
        colors = np.concatenate([second.maps.colors[:n], maps.colors[n:]])
        return self._drawn(replace(maps, colors=colors))

    def likeness(
        self, picture: NDArray[np.uint8], region: NDArray[np.bool_]
    ) -> tuple[float, float]:
        """PSNR (dB) and SSIM with the photo over a region."""
        found = Comparison(picture, self.photo).over(region.astype(np.float64))
        return found.psnr, found.ssim

    def _drawn(self, maps: HeadMaps, plates: Plates | None = None) -> NDArray[np.uint8]:
        # The detail of the turned picture belongs to its own camera.
        bare = replace(plates or self.first.plates, photo=np.zeros((0, 0, 3), np.uint8))
        state = FaceState(blendshapes=self.first.maps.source - maps.rest)
        return drawn(replace(self.first, maps=maps, plates=bare), state)

    def _painted(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """A map [N] over the atlas as the first head shows it, in [0, 1] [S, S]."""
        maps, behind = self.first.maps, self.first.plates
        colors, tints = np.zeros_like(maps.colors), np.zeros_like(maps.tints)
        colors[: len(values)] = values[:, None]
        body, background = np.zeros_like(behind.body), np.zeros_like(behind.background)
        nothing = replace(behind, body=body, background=background)
        return self._drawn(replace(maps, colors=colors, tints=tints), nothing)[..., 0] / 255.0


def drawn(persona: Persona, state: FaceState) -> NDArray[np.uint8]:
    """A persona's picture [S, S, 3] at the benchmark's size."""
    config = RenderConfig(SIZE, SIZE, "rgb")
    renderer = open_renderer("cpu", persona.maps, persona.plates, persona.camera, config)
    try:
        return renderer.render(state).copy()
    finally:
        renderer.close()


def shown_skin(photo: Path) -> NDArray[np.float32]:
    """[N] in [0, 1], how well a photo shows each texel of its head's skin, hair left out."""
    rig, portrait = load_head_rig(), read_portrait(photo)
    head = paint_head(rig, fit_head(rig, portrait), portrait).seen_head()
    return head.seen * (1 - head.hairy)


def newly_seen(persona: Persona, yaw: float) -> NDArray[np.bool_]:
    """[S, S] skin that the photo shows well and that a turn by ``yaw`` more would hide."""
    maps, camera = persona.maps, persona.camera.framed(SIZE, SIZE)
    n = len(maps.modes[0])
    used = [*np.flatnonzero(maps.source), len(maps.source)]
    amounts = np.append(maps.source, 1.0)[used] * maps.mode_scales[used]
    x = maps.positions[:n] + np.tensordot(amounts, maps.modes[used], 1)
    triangles = texel_triangles(maps.chart[:n].reshape(len(maps.chart[:n]) // 256, 256))
    c, s = np.cos(yaw), np.sin(yaw)
    about = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    here = _shown(x @ maps.placement[:, :3].T + maps.placement[:, 3], triangles, camera)
    aside = about @ maps.placement
    there = _shown(x @ aside[:, :3].T + aside[:, 3], triangles, camera)
    new = (here.facing > _SHOWN_FACING) & ((there.facing < _HIDDEN_FACING) | ~there.is_front)
    new &= maps.chart[:n] == Chart.SKIN
    return here.front.gather(triangles, new.astype(np.float32)) > 0.5


@dataclass(frozen=True)
class _Shown:
    """What a camera shows of texels: cosine to it [N], in front of all [N], and its pixels."""

    facing: NDArray[np.float64]
    is_front: NDArray[np.bool_]
    front: Nearest


def _shown(world: NDArray[np.float64], triangles: NDArray[np.int32], camera: Camera) -> _Shown:
    p = camera.project(world)
    front = nearest(p, triangles, width=SIZE, height=SIZE)
    a, b, c = (world[triangles[:, k]] for k in range(3))
    normal = np.zeros_like(world)
    for k in range(3):
        np.add.at(normal, triangles[:, k], np.cross(b - a, c - a))
    normal *= np.sign((normal * (world - world.mean(0))).sum())  # outward
    eye = -camera.viewmat[:3, :3].T @ camera.viewmat[:3, 3]
    ray = eye - world
    length = np.linalg.norm(normal, axis=1) * np.linalg.norm(ray, axis=1)
    facing = (normal * ray).sum(1) / np.maximum(length, 1e-9)
    col, row = (np.clip(p[:, k].astype(int), 0, SIZE - 1) for k in (0, 1))
    return _Shown(facing, p[:, 2] < front.depth[row, col] + _BEHIND_CM, front)
