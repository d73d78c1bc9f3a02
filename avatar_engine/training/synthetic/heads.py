"""One stranger: a shape, a face being made, skin, hair, light and the way the head is turned."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from avatar_engine.gaussian.regions import Regions, regions_of
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import smoothstep
from avatar_engine.gaussian.view import WORKING_SIZE, View
from avatar_engine.head.view import FACE_MIDDLE
from avatar_engine.head.view import View as Eye
from avatar_engine.training.synthetic.features import Features
from avatar_engine.training.synthetic.hair import HairProxy, hair_proxy, hair_tone
from avatar_engine.training.synthetic.light import SoftLight, soft_light
from avatar_engine.training.synthetic.motion import Mover, expressions, style
from avatar_engine.training.synthetic.skin import SkinModel, tone
from avatar_engine.types import ARKIT_INDEX, Camera, HeadFit, HeadRig

Floats = NDArray[np.float64]

_IDENTITY_SPREAD, _IDENTITY_MOST = 0.85, 2.2
_YAW, _PITCH, _ROLL = 0.32, 0.12, 0.06  # rad, spread
_MOST_TURNED = 0.65
_SCALE_PX = 512 / 30.0  # per cm, of a head-and-collar portrait
_SKULL_MIDDLE = (0.0, 1.0, 2.0)
_LONG_HAIRED = 0.3
_BLINKS = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]
_SOURCE_BLINK = 0.25


@dataclass(frozen=True, slots=True)
class SyntheticHead:
    """A head about which everything is known; N texels.

    Attributes:
        s: Its shape, expression and camera; nothing is left to a residual.
        mover: How it moves.
        hair: What grows on it.
        color: [N, 3] sRGB as lit in the photo's pose, eyes open.
        lid_color: [N, 3] the same with both eyes closed.
        light: [N, 3] log light of the photo.
    """

    s: Sculpture
    mover: Mover
    hair: HairProxy
    color: Floats
    lid_color: Floats
    light: Floats

    def surface(self, weights: NDArray[np.floating]) -> Floats:
        """The head [N, 3], hair and all, at expression weights [52]."""
        return self.mover.zero + self.mover.exact(weights)


class Stranger:
    """Samples synthetic heads.

    Args:
        rig: The head model.
        skin: Statistics of skin.
        faces: [F, 52] expressions that people make before a camera; drawn from.
    """

    def __init__(self, rig: HeadRig, skin: SkinModel, faces: Sequence[Floats]) -> None:
        self.rig = rig
        self.regions: Regions = regions_of(rig)
        self._features = Features(rig, self.regions)
        self._skin = skin
        self._faces = np.asarray(faces, np.float64)

    def sample(self, rng: np.random.Generator) -> SyntheticHead:
        """One head; the same generator state gives the same head."""
        hair = hair_proxy(
            self.rig,
            self.regions,
            hair_tone(rng),
            is_long=bool(rng.random() < _LONG_HAIRED),
            rng=rng,
        )
        s = self._shaped(self._face(rng), hair, rng)
        mover = Mover(self.rig, self.regions, s.straight_shape(), s.eye_centers, style(rng))
        color, closed, light = self._painted(s, hair, soft_light(rng), rng)
        return SyntheticHead(s, mover, hair, color, closed, light)

    def _face(self, rng: np.random.Generator) -> Floats:
        if rng.random() < 0.25:
            face = expressions(1, rng)[0]
        else:
            face = self._faces[rng.integers(len(self._faces))] * rng.uniform(0.5, 1.1)
        face[_BLINKS] = np.minimum(face[_BLINKS], _SOURCE_BLINK)  # a portrait's eyes are open
        return np.clip(face, 0, 1)

    def _shaped(self, face: Floats, hair: HairProxy, rng: np.random.Generator) -> Sculpture:
        identity = rng.normal(0, _IDENTITY_SPREAD, len(self.rig.identity))
        identity = np.clip(identity, -_IDENTITY_MOST, _IDENTITY_MOST)
        angles = np.clip(rng.normal(0, [_YAW, _PITCH, _ROLL]), -_MOST_TURNED, _MOST_TURNED)
        turn = Rotation.from_euler("YXZ", angles).as_matrix()
        size = WORKING_SIZE
        scale = _SCALE_PX * rng.uniform(0.92, 1.08)
        aside = scale * (turn @ (FACE_MIDDLE - _SKULL_MIDDLE))[0]
        eye = Eye(turn, scale, np.array([size / 2 + aside, size * 0.5, 0.0]))
        camera = eye.camera(size, size)
        fit = HeadFit(identity, face, eye.placement(), camera, 0.0)
        s = Sculpture.started(self.rig, fit, _blank_view(camera), self.regions)
        s.rest[:] = 0
        normal, _ = s.normals(s.shape(np.zeros(52)))
        s.offset += normal * hair.thickness[:, None]
        return s

    def _painted(
        self, s: Sculpture, hair: HairProxy, lamp: SoftLight, rng: np.random.Generator
    ) -> tuple[Floats, Floats, Floats]:
        R, features = self.rig.resolution, self._features
        bare = self._skin.sample(rng) + np.log(tone(rng))
        features.draw(bare, hair.tone, bearded=bool(not hair.is_long), rng=rng)
        share = hair.share[:, None]

        def haired(log: Floats) -> Floats:
            grown = np.log(np.maximum(hair.color, 0.02))
            return np.asarray(log.reshape(-1, 3) * (1 - share) + grown * share)

        closed_face = s.source.copy()
        closed_face[_BLINKS] = 1
        turned = s.fit.placement[:, :3].T
        light = lamp.log(s.normals(s.source_shape())[0] @ turned, self.rig.mean)
        closed_light = lamp.log(s.normals(s.shape(closed_face))[0] @ turned, self.rig.mean)
        depth = float(rng.uniform(0.1, 0.45))
        color = np.exp(haired(features.opened(bare, depth)) + light)
        closed = np.exp(haired(features.lashed(bare)) + closed_light)
        inner = ~self.regions.skin
        lent = self._skin.strips[rng.integers(len(self._skin.strips))].reshape(R * R, 3) / 255
        color[inner], closed[inner] = lent[inner], lent[inner]
        light = np.where(inner[:, None], 0, light)
        return np.clip(color, 0, 1), np.clip(closed, 0, 1), light


def turned(s: Sculpture, yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Sculpture:
    """The same head before the same camera, turned to these angles (radians, CONVENTIONS)."""
    placement = s.fit.placement.copy()
    before = placement[:, :3] @ FACE_MIDDLE
    placement[:, :3] = Rotation.from_euler("YXZ", [yaw, pitch, roll]).as_matrix()
    placement[:, 3] += before - placement[:, :3] @ FACE_MIDDLE
    return replace(s, fit=replace(s.fit, placement=placement))


def neck_opacity(rig: HeadRig) -> Floats:
    """[N] 1 on the head, falling to 0 where the collar begins."""
    return smoothstep(rig.neck, 0.08, 0.2)


def _blank_view(camera: Camera) -> View:
    """A view with nothing in it yet but its camera."""
    size = camera.width
    plain = np.zeros((size, size, 3), np.float32)
    none = np.zeros((size, size), bool)
    marks = np.zeros((478, 2))
    matte = plain[..., 0]
    return View(plain, plain, matte, none, plain, none, marks, camera, 1.0, 1.0)
