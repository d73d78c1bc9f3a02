"""What lies on an eye but does not turn with it: the upper lid's shadow, and the catch-light."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.lids import lid_edges
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.shelves import Maps, packed
from avatar_engine.shapes import grid_neighbours
from avatar_engine.types import Chart

_ABOVE = 1.017  # eyeball radii: over the ball, under the lids
_COLUMNS, _ROWS = 22, 6
_SHADOW_CM = 0.24
_SHADOW = 0.30
_SHADOW_TONE = np.array([0.16, 0.09, 0.08])
_GLINT_CM = 0.075
_GLINT_SPLAT = 0.48
_GLINT_AT = np.array([-0.16, 0.20])  # cm from the iris's centre, when the photo shows none
_GLINT_REACH = 0.42  # cm, where a catch-light may lie
_GLINT_TONE = np.array([0.97, 0.97, 0.96])
_IRISES = (473, 468)


def eye_light(s: Sculpture) -> Maps:
    """Maps of whole rows [K] for both eyes, as :func:`shelves.packed` gives them."""
    offset, strength = _catch_light(s)
    sheets = []
    for eye in (0, 1):
        sheets += [_shadow(s, eye), _glint(s, eye, offset, strength)]
    return packed(sheets)


def _shadow(s: Sculpture, eye: int) -> Maps:
    """A dark veil [_ROWS, _COLUMNS] along the upper lid's edge, fading downwards."""
    x = s.rest_shape()
    upper, lower = (x[edge] for edge in lid_edges(s, eye, x))
    t = np.linspace(0.06, 0.94, _COLUMNS)
    along = np.linspace(0, 1, len(upper))
    top = np.stack([np.interp(t, along, upper[:, c]) for c in range(3)], 1)
    under = np.interp(t, along, lower[:, 1])
    room = np.maximum(top[:, 1] - under, 0.02)
    down = np.linspace(0.06, 1.0, _ROWS)[:, None] * np.minimum(_SHADOW_CM, room)
    at = np.repeat(top[None], _ROWS, 0)
    at[..., 1] -= down
    fade = np.cos(0.5 * np.pi * np.linspace(0, 1, _ROWS))[:, None] ** 1.3
    ends = np.sin(np.pi * np.clip(t * 1.2 - 0.1, 0, 1)) ** 0.4
    return _sheet(s, eye, at, _SHADOW_TONE, _SHADOW * fade * np.nan_to_num(ends))


def _glint(s: Sculpture, eye: int, offset: NDArray[np.float64], strength: float) -> Maps:
    """A small bright disc [5, 5]."""
    steps = np.linspace(-1, 1, 5) * _GLINT_CM
    centre = _iris(s, eye)
    at = np.empty((5, 5, 3))
    at[..., 0] = centre[0] + offset[0] + steps[None]
    at[..., 1] = centre[1] + offset[1] - steps[:, None]
    at[..., 2] = s.eye_centers[eye, 2] + s.rig.eye_radius
    disc = np.exp(-((steps[None] ** 2 + steps[:, None] ** 2) / (0.62 * _GLINT_CM) ** 2))
    # Splats that overlap add up; none is opaque, so that none carries the photo's detail.
    return _sheet(s, eye, at, _GLINT_TONE, np.minimum(strength * disc, _GLINT_SPLAT))


def _sheet(
    s: Sculpture,
    eye: int,
    at: NDArray[np.float64],
    tone: NDArray[np.float64],
    opacity: NDArray[np.float64],
) -> Maps:
    """Points [H, W, 3] laid on the eye."""
    arm = at - s.eye_centers[eye]
    arm = arm[..., :2]
    radius = _ABOVE * s.rig.eye_radius
    z = np.sqrt(np.maximum(radius**2 - (arm**2).sum(-1), 0.01))
    positions = s.eye_centers[eye] + np.concatenate([arm, z[..., None]], -1)
    shape = positions.shape[:2]
    return {
        "positions": positions,
        "colors": np.broadcast_to(tone, positions.shape),
        "sigmas": np.full((*shape, 2), 0.75),
        "tangent_caps": np.full((*shape, 2), 0.3),
        "head_weight": np.ones(shape),
        "chart": np.full(shape, int(Chart.HAIR)),
        "neighbours": grid_neighbours(np.ones(shape, np.uint8)),
        "opacities": np.broadcast_to(opacity, shape),
        "trust": np.zeros(shape),
        "winding": np.zeros(shape),
        "depth_bias": np.zeros(shape),
    }


def _iris(s: Sculpture, eye: int) -> NDArray[np.float64]:
    """Where the iris is in the photo [2], head space x and y."""
    yaw, pitch = s.eye_gaze[eye]
    r = s.rig.eye_radius
    return s.eye_centers[eye, :2] + r * np.array([np.sin(yaw) * np.cos(pitch), -np.sin(pitch)])


def _catch_light(s: Sculpture) -> tuple[NDArray[np.float64], float]:
    """Where the photo's catch-lights lie off the irises' centres [2] cm, and their strength."""
    found = []
    for eye in (0, 1):
        depth = s.project(s.eye_centers[eye])[2]
        px_per_cm = s.view.camera.K[0, 0] / depth
        mark = s.view.landmarks[_IRISES[eye]]
        reach = _GLINT_REACH * px_per_cm
        dx, dy = (np.arange(s.view.size) + 0.5 - at for at in mark)
        near = dx**2 + dy[:, None] ** 2 < reach**2
        light = s.view.lab[..., 0]
        usual = np.median(light[near]) if near.any() else 100.0
        bright = near & (light > usual + 22)
        if 1 <= bright.sum() < 0.3 * near.sum():
            y, x = np.nonzero(bright)
            centre = np.average([dx[x], dy[y]], axis=1, weights=light[bright] - usual)
            found.append(s.lift(centre, depth)[:2])
    if not found:
        return _GLINT_AT, 0.7
    return np.mean(found, 0), 0.95
