"""Eyeballs: caps of a sphere fitted to the kit's, turned by a joint and never by linear deltas."""

from dataclasses import dataclass

import numpy as np

from avatar_engine.training.head_model.layout import EYE, R
from avatar_engine.training.head_model.mesh import Floats, Ints
from avatar_engine.training.head_model.rigs import FaceKit

CAP_ANGLE = np.radians(75.0)


@dataclass(frozen=True)
class Eye:
    """The left eyeball.

    Attributes:
        center: [3] cm.
        radius: cm.
        identity: [I, 3] how each kit identity mode moves the centre (its symmetric part).
        texels: [P] row * R + column.
        positions: [P, 3].
        misfit: Root mean square distance of the kit's eyeball from the sphere, cm.
    """

    center: Floats
    radius: float
    identity: Floats
    texels: Ints
    positions: Floats
    misfit: float


def fit_eye(kit: FaceKit) -> Eye:
    """Fit the sphere and lay its cap on the chart."""
    ball = np.unique(kit.part("M_ScleraLeft"))
    ball = ball[(kit.vertices[ball, 0] > 1) & (kit.vertices[ball, 1] > 1.5)]
    points = kit.vertices[ball]
    system = np.c_[2 * points, np.ones(len(points))]
    solution = np.linalg.lstsq(system, (points**2).sum(1), rcond=None)[0]
    center = solution[:3]
    radius = float(np.sqrt(solution[3] + (center**2).sum()))
    misfit = np.linalg.norm(points - center, axis=1) - radius
    moved = kit.identity[:, ball].mean(1)
    twin = kit.identity[:, kit.twin[ball]].mean(1) * [-1, 1, 1]
    row, column = np.mgrid[: EYE.height, : EYE.width]
    x, y = _disc((column + 0.5) / EYE.width * 2 - 1, (row + 0.5) / EYE.height * 2 - 1)
    tilt, turn = np.hypot(x, y) * CAP_ANGLE, np.arctan2(-y, x)
    outward = np.stack([np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), np.cos(tilt)], -1)
    return Eye(
        center=center,
        radius=radius,
        identity=(moved + twin) / 2,
        texels=((row + EYE.row) * R + column + EYE.column).ravel(),
        positions=center + radius * outward.reshape(-1, 3),
        misfit=float(np.sqrt((misfit**2).mean())),
    )


def iris_points(radius: float) -> Floats:
    """Chart columns and rows [5, 2] of the iris: centre, right, top, left, bottom in the atlas."""
    iris_radius_cm = 0.59
    reach = EYE.width / 2 * np.arcsin(iris_radius_cm / radius) / CAP_ANGLE
    around = np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]]) * reach
    center = np.array([EYE.column + EYE.width / 2, EYE.row + EYE.height / 2])
    return center + around


def _disc(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The square [-1, 1]² on the unit disc, ring by ring; no fold and little distortion."""
    wide = np.abs(a) > np.abs(b)
    radius = np.where(wide, a, b)
    across = np.where(wide, b, a) / np.where(radius == 0, 1, radius)
    angle = np.where(wide, np.pi / 4 * across, np.pi / 2 - np.pi / 4 * across)
    return radius * np.cos(angle), radius * np.sin(angle)
