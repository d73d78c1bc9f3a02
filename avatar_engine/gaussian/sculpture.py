"""One person's head while it is being shaped: the model's maps, and what the photo adds to them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.regions import Regions
from avatar_engine.gaussian.view import View
from avatar_engine.shapes import grid_neighbours, surface_groups, tangents
from avatar_engine.types import ARKIT, ARKIT_INDEX, Chart, HeadFit, HeadRig

LID_CLEARANCE = 1.03
"""Lids lie at least this many eyeball radii from its centre."""

_LID_REACH_CM = 5.0  # of the mean head: farther from an eyeball no skin ever meets it
_HELD = ("brow", "eye", "cheekSquint", "noseSneer")
_HELD_SHARE = 0.8


@dataclass(slots=True)
class Sculpture:
    """Mutable working state of ``gaussian``; N = R * R texels, head space in cm.

    Attributes:
        rig, fit, view, regions: What it starts from.
        base: [N, 3] the fitted identity.
        offset: [N, 3] added to it at every expression.
        residual: [N, 3] added in the source view only.
        blink: [2, N, 3] added to the left and right blink modes.
        eye_centers: [2, 3] subject's left, right.
        eye_gaze: [2, 2] yaw, pitch of the photo's gaze per eye.
        source: [52] expression of the photo.
        rest: [52] expression the face rests in: no mouth, most of the eyes and brows, so that
            nobody is given a stare that is not theirs.
        moved: [N, 3] cm by the linear modes, for each expression already asked for.
        balls: Texels of the left and the right eyeball.
        lids: Texels of skin that may meet the left and the right eyeball.
    """

    rig: HeadRig
    fit: HeadFit
    view: View
    regions: Regions
    base: NDArray[np.float64]
    offset: NDArray[np.float64]
    residual: NDArray[np.float64]
    blink: NDArray[np.float64]
    eye_centers: NDArray[np.float64]
    eye_gaze: NDArray[np.float64]
    source: NDArray[np.float64]
    rest: NDArray[np.float64]
    moved: dict[bytes, NDArray[np.float32]] = field(init=False, default_factory=dict)
    balls: list[NDArray[np.intp]] = field(init=False, default_factory=list)
    lids: list[NDArray[np.intp]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Find the texels that eyeballs and lids need at every shape."""
        for centre, side in zip(
            self.rig.eye_centers, (self.regions.left, ~self.regions.left), strict=True
        ):
            self.balls.append(np.flatnonzero((self.chart == Chart.EYE) & side))
            near = (np.abs(self.rig.mean - centre) < _LID_REACH_CM).all(1)
            self.lids.append(np.flatnonzero(near & self.regions.skin))

    @classmethod
    def started(cls, rig: HeadRig, fit: HeadFit, view: View, regions: Regions) -> "Sculpture":
        """The fitted head, before the photo has shaped it further."""
        count = len(fit.identity)
        shift = fit.identity.astype(np.float32) @ rig.identity[:count].reshape(count, -1)
        base = rig.mean.astype(np.float64) + shift.reshape(rig.mean.shape)
        centers = rig.eye_centers + np.tensordot(fit.identity, rig.eye_identity[:count], 1)
        chart = rig.chart.ravel()
        for eye, side in enumerate((regions.left, ~regions.left)):
            ball = (chart == Chart.EYE) & side
            base[ball] = rig.mean[ball] - rig.eye_centers[eye] + centers[eye]
        held = np.array([_HELD_SHARE if n.startswith(_HELD) else 0.0 for n in ARKIT])
        zero = np.zeros_like(base)
        return cls(
            rig, fit, view, regions, base, zero.copy(), zero.copy(), np.zeros((2, *base.shape)),
            centers.astype(np.float64), np.zeros((2, 2)), fit.expression.copy(),
            fit.expression * held,
        )  # fmt: skip

    @property
    def chart(self) -> NDArray[np.uint8]:
        """[N] chart of each texel."""
        return self.rig.chart.ravel()

    def shape(
        self, weights: NDArray[np.floating], *, residual: float = 0.0, lids: bool = True
    ) -> NDArray[np.float64]:
        """Surface [N, 3] in head space at expression weights [52]."""
        x = self.base + self.offset
        x += self._moved_by(np.asarray(weights, np.float32))
        if residual:
            x += residual * self.residual
        for eye, name in enumerate(("eyeBlinkLeft", "eyeBlinkRight")):
            k = ARKIT_INDEX[name]
            if weights[k] != self.rest[k]:
                x += (weights[k] - self.rest[k]) * self.blink[eye]
        self._turn_eyes(x)
        if lids:
            self._clear_lids(x)
        return x

    def source_shape(self) -> NDArray[np.float64]:
        """Surface [N, 3] as in the photo."""
        return self.shape(self.source, residual=1.0)

    def rest_shape(self) -> NDArray[np.float64]:
        """Surface [N, 3] at rest."""
        return self.shape(self.rest)

    def straight_shape(self) -> NDArray[np.float64]:
        """Positions [N, 3] at expression zero, eyeballs looking ahead."""
        x = self.base + self.offset
        for eye, name in enumerate(("eyeBlinkLeft", "eyeBlinkRight")):
            x = x - self.rest[ARKIT_INDEX[name]] * self.blink[eye]
        for eye, ball in enumerate(self.balls):
            x[ball] = self.rig.mean[ball] - self.rig.eye_centers[eye] + self.eye_centers[eye]
        return x

    def project(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Head space [..., 3] to pixels and depth [..., 3] in the source view."""
        camera, a = self.view.camera, self.fit.placement
        whole = camera.K @ camera.viewmat[:3] @ np.vstack([a, [0, 0, 0, 1]])  # [3, 4]
        p = x @ whole[:, :3].T
        p += whole[:, 3]
        p[..., :2] /= p[..., 2:]
        return p

    def lift(
        self, pixels: NDArray[np.floating], depth: NDArray[np.floating] | float
    ) -> NDArray[np.float64]:
        """A displacement in the picture [..., 2] px at a depth in cm, as one in head space."""
        camera = self.view.camera
        d = np.zeros((*pixels.shape[:-1], 3))
        d[..., :2] = pixels * (np.asarray(depth)[..., None] / np.diag(camera.K)[:2])
        return d @ camera.viewmat[:3, :3] @ self.fit.placement[:, :3]

    def normals(self, x: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Unit normals [N, 3] in head space, and how much each faces the source camera [N]."""
        R = self.rig.resolution
        bits = grid_neighbours(surface_groups(self.rig.chart))
        tu, tv = tangents(x.reshape(R, R, 3), bits)
        n = np.cross(tv, tu).reshape(-1, 3) * self.regions.skin_winding
        n /= np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-9)
        camera, a = self.view.camera, self.fit.placement
        eye = -camera.viewmat[:3, :3].T @ camera.viewmat[:3, 3]
        ray = (eye - a[:, 3]) @ a[:, :3] - x
        ray /= np.linalg.norm(ray, axis=1, keepdims=True)
        return n, (n * ray).sum(1)

    def _moved_by(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """Displacement [N, 3] of the linear modes; few expressions are asked for, but often."""
        key = weights.tobytes()
        if key not in self.moved:
            used = np.flatnonzero(weights)
            modes = self.rig.expression.reshape(len(weights), -1)
            self.moved[key] = (weights[used] @ modes[used]).reshape(self.base.shape)
        return self.moved[key]

    def _turn_eyes(self, x: NDArray[np.float64]) -> None:
        for eye, ball in enumerate(self.balls):
            d = self.rig.mean[ball] - self.rig.eye_centers[eye]
            x[ball] = self.eye_centers[eye] + d @ turn(*self.eye_gaze[eye]).T

    def _clear_lids(self, x: NDArray[np.float64]) -> None:
        clear = LID_CLEARANCE * self.rig.eye_radius
        for centre, lids in zip(self.eye_centers, self.lids, strict=True):
            d = x[lids] - centre
            r = np.sqrt((d * d) @ np.ones(3))
            near = (r < clear) & (d[:, 2] > 0)
            out = clear / np.maximum(r[near], 1e-6)
            x[lids[near]] = centre + d[near] * out[:, None]


def turn(yaw: float, pitch: float) -> NDArray[np.float64]:
    """Rotation [3, 3] of CONVENTIONS without roll."""
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return about_y @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
