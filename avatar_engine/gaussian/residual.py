"""The landmarks' last pixels: a smooth warp of the head onto what the photo shows."""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sampling import sample
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import mean_atlas, smoothstep
from avatar_engine.types import Chart

_LOOSE_CM = 0.35  # landmarks registered farther from the surface tear nostrils and ears
_GRID_PX = 6
_SMOOTHING = 8.0
_LIDS = (
    [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466],
    [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246],
)
_IRIS = (473, 468)
_MOUTH = [0, 17, 61, 291]
_MOUTH_EXPRESSION_SHARE = 0.7


def apply_residual(s: Sculpture) -> None:
    """Warp skin, mouth and eyeballs so that landmarks meet the photo's; aim the eyes.

    Most of the mouth's share is put down to the photo's expression, the rest to identity.
    """
    marks = s.view.landmarks
    x = s.shape(s.source, residual=1.0, lids=False)
    p = s.project(x)
    found = s.rig.landmarks(p)
    tight = np.nonzero(s.rig.landmark_distance[:468] < _LOOSE_CM)[0]
    delta = marks[tight] - found[tight, :2]
    *moved, near = sample(_warp(found[tight, :2], delta, s.view.size), p).T
    fall = np.exp(-((np.maximum(0, near - 3) / (0.16 * s.view.face_width)) ** 2))
    fall *= smoothstep(s.rig.mean[:, 2], -1.0, 5.0)  # the back must not follow the nose
    offset = s.lift(np.stack(moved, 1) * fall[:, None], p[:, 2])
    offset[~s.regions.skin] = 0
    offset = _exact_only_near_slits(s, offset)
    inner = np.isin(s.chart, (Chart.TEETH, Chart.GUM, Chart.TONGUE, Chart.CAVITY))
    offset[inner] = s.lift((marks[_MOUTH] - found[_MOUTH, :2]).mean(0), p[inner, 2].mean())
    share = mouth_share(s)[:, None]
    s.offset += offset * (1 - share)
    s.residual += offset * share
    _place_eyes(s, found)


def _warp(at: NDArray[np.float64], delta: NDArray[np.float64], size: int) -> NDArray[np.float32]:
    """Thin plate through displacements, and the way to the nearest of them: a picture [S, S, 3].

    Far corners are extrapolated.
    """
    ticks = np.linspace(0, size, size // _GRID_PX + 1)
    gx, gy = np.meshgrid(ticks, ticks)
    jitter = np.random.default_rng(0).normal(0, 1e-3, at.shape)  # twins may coincide
    near, moved = _plate(at + jitter, delta, np.stack([gx.ravel(), gy.ravel()], 1))
    grid = np.concatenate([moved, near[:, None]], 1).reshape(*gx.shape, 3)
    ticks_of_pixel = (np.arange(size, dtype=np.float32) + 0.5) * ((len(ticks) - 1) / size)
    mx, my = np.meshgrid(ticks_of_pixel, ticks_of_pixel)
    return cv2.remap(grid.astype(np.float32), mx, my, cv2.INTER_LINEAR)


def _plate(
    at: NDArray[np.float64], values: NDArray[np.float64], asked: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A smoothed thin plate through values [P, 2] at points [P, 2], where it is asked [Q, 2].

    Returns:
        How far the nearest point is [Q], and the plate's values [Q, 2].
    """
    middle, size = at.mean(0), np.abs(at - at.mean(0)).max()
    flat = lambda p: np.c_[np.ones(len(p)), (p - middle) / size]  # noqa: E731
    bends = _squared(at, at)
    system = np.zeros((len(at) + 3, len(at) + 3))
    system[:-3, :-3] = _bent(bends) + _SMOOTHING * np.eye(len(at))
    system[:-3, -3:], system[-3:, :-3] = flat(at), flat(at).T
    weights = np.linalg.solve(system, np.pad(values, ((0, 3), (0, 0))))
    away = _squared(asked, at)
    return np.sqrt(away.min(1)), _bent(away) @ weights[:-3] + flat(asked) @ weights[-3:]


def _squared(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances [A, B]."""
    return (a[:, :1] - b[:, 0]) ** 2 + (a[:, 1:] - b[:, 1]) ** 2


def _bent(squared: NDArray[np.float64]) -> NDArray[np.float64]:
    """The plate's kernel r² log r."""
    return 0.5 * squared * np.log(np.maximum(squared, 1e-12))


def _exact_only_near_slits(s: Sculpture, offset: NDArray[np.float64]) -> NDArray[np.float64]:
    """Landmarks around the nostrils disagree: blur the warp except beside lips and lids."""
    R = s.rig.resolution
    skin = s.regions.skin.reshape(R, R).astype(np.float32)
    blurred = mean_atlas(offset.reshape(R, R, 3), skin, 2.2).reshape(-1, 3)
    slit = np.minimum(s.regions.mouth_distance, s.regions.lid_distance)
    share = np.where(s.regions.skin, smoothstep(slit, 9, 20), 0)[:, None]
    return offset * (1 - share) + blurred * share


def mouth_share(s: Sculpture) -> NDArray[np.float64]:
    """[N] share of a landmark misfit that is put down to the photo's expression."""
    x, y, z = s.rig.mean.T.astype(np.float64)
    around = np.exp(-(((x / 3.6) ** 2 + ((y + 3.4) / 2.6) ** 2) ** 2))
    return np.where(s.regions.skin & (z > 6), _MOUTH_EXPRESSION_SHARE * around, 0)


def _place_eyes(s: Sculpture, found: NDArray[np.float64]) -> None:
    """Move each eyeball with its lids, then let it look where the photo's iris is."""
    marks = s.view.landmarks
    for eye, (lids, iris) in enumerate(zip(_LIDS, _IRIS, strict=True)):
        depth = s.project(s.eye_centers[eye])[2]
        s.eye_centers[eye] += s.lift((marks[lids] - found[lids, :2]).mean(0), depth)
        s.eye_centers[eye, 2] -= 0.03
        centre = s.project(s.eye_centers[eye])
        d = s.lift(marks[iris] - centre[:2], centre[2]) / s.rig.eye_radius
        d = np.clip(d, -0.6, 0.6)
        forward = np.sqrt(max(1e-3, 1 - d[0] ** 2 - d[1] ** 2))
        s.eye_gaze[eye] = [np.arctan2(d[0], forward), -np.arcsin(d[1])]
