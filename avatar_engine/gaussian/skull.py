"""The cranium's size: scaled in three dimensions, then its hair raised to the photo's outline."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import fill, smoothstep

_CENTRE = np.array([0.0, 1.5, 3.0])
_OUTLINE_CENTRE = np.array([0.0, 4.2, 0.0])
_SIDE_ANGLE = 0.95  # from here on down the outline may be an ear's
_NAPE_ANGLE = 2.4
_WITHIN_PX = 4.0
_ROOT_Z = (-0.8, -2.8)  # cm
_LOWEST_ANGLE = 1.45  # below the ear tops the outline is ear, jaw or shoulder


def fit_skull(s: Sculpture) -> float:
    """Shrink a cranium that is larger than the matte; returns the scale.

    Pushing rim texels in the picture alone would make a box of the skull.
    """
    _, y, z = s.rig.mean.T.astype(np.float64)
    upper = np.maximum(smoothstep(y, 5.5, 12.0), smoothstep(-z, -5.0, 1.0) * smoothstep(y, -9, -3))
    upper = np.where(s.regions.skin, upper, 0)[:, None]
    scale = 1.0
    for _ in range(2):
        angles, ratio, _ = _outline(s)
        middle = float(np.median(ratio[np.abs(angles) < 1.2]))
        if middle < 0.99:
            k = float(np.clip(middle, 0.8, 1.0))
            s.offset += upper * (k - 1) * (s.base + s.offset - _CENTRE)
            scale *= k
    return scale


def raise_hair(s: Sculpture, hair: NDArray[np.float32]) -> None:
    """Move the scalp to the matte's outline, and give the hair that volume from the side too.

    Args:
        s: The head.
        hair: [S, S] share of hair; an outline of ear or jaw is no measure of the scalp behind it.
    """
    p = s.project(s.source_shape())
    angles, ratio, reach = _outline(s)
    ratio = np.clip(_of_hair(s, hair, angles, ratio, reach), 0.85, 1.7)
    smooth = np.exp(-0.5 * (np.arange(-5, 6) / 1.6) ** 2)
    padded = np.pad(ratio, 5, mode="edge")
    ratio = np.convolve(padded, smooth / smooth.sum(), "valid")
    centre = s.project(_OUTLINE_CENTRE)
    d = p[:, :2] - centre[:2]
    radius, angle = np.hypot(d[:, 0], d[:, 1]), np.arctan2(d[:, 0], -d[:, 1])
    growth = np.interp(angle, angles, ratio) - 1
    growth = growth * smoothstep(np.abs(angle), _NAPE_ANGLE, _LOWEST_ANGLE)
    # Over the forehead texels hardly move in the picture, at the rim they move fully.
    rim = smoothstep(radius / np.interp(angle, angles, reach), 0.45, 0.95)
    # The roots of the ears ride on the skull behind them; torn from it they would leave a gap.
    R = s.rig.resolution
    clear = (s.regions.skin & ~s.regions.ear).reshape(R, R).astype(np.float32)
    around = _filled(s.regions.scalp.reshape(R, R), clear) * smoothstep(s.rig.mean[:, 2], *_ROOT_Z)
    scalp = np.where(s.regions.ear, around, s.regions.scalp)
    s.offset += s.lift(d * (scalp * growth * rim)[:, None], p[:, 2])
    up = ratio[np.abs(angles) < 0.8].mean() - 1
    side = ratio[np.abs(angles) > 0.9].mean() - 1
    volume = float(np.clip((up + side) / 2, -0.15, 0.35))
    deep = s.source_shape()[:, 2] - _OUTLINE_CENTRE[2]
    s.offset[:, 2] += scalp * volume * deep * np.where(deep < 0, 1.0, 0.6)


def _filled(values: NDArray[np.float64], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    return fill(values[..., None], weight, sigmas=(1.5, 3, 6, 12)).ravel()


def _of_hair(
    s: Sculpture,
    hair: NDArray[np.float32],
    angles: NDArray[np.float64],
    ratio: NDArray[np.float64],
    reach: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The ratio where the outline is hair's; elsewhere at the sides that of the nearest above."""
    centre = s.project(_OUTLINE_CENTRE)
    within = ratio * reach - _WITHIN_PX
    x = centre[0] + np.sin(angles) * within
    y = centre[1] - np.cos(angles) * within
    last = s.view.size - 1
    shown = hair[np.clip(y, 0, last).astype(int), np.clip(x, 0, last).astype(int)] > 0.5
    known = shown | (np.abs(angles) < _SIDE_ANGLE)
    return np.interp(angles, angles[known], ratio[known])


def _outline(
    s: Sculpture,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Angles about the skull (0 up), the matte's reach over the head's there, the head's reach."""
    size = s.view.size
    p = s.project(s.source_shape())
    centre = s.project(_OUTLINE_CENTRE)
    d = p[:, :2] - centre[:2]
    radius, angle = np.hypot(d[:, 0], d[:, 1]), np.arctan2(d[:, 0], -d[:, 1])
    angles = np.linspace(-_LOWEST_ANGLE, _LOWEST_ANGLE, 71)
    bins = np.digitize(angle, (angles[1:] + angles[:-1]) / 2)
    usable = s.regions.skin & ~s.regions.ear & (s.rig.mean[:, 1] > -4)
    usable &= np.abs(angle) < _LOWEST_ANGLE + 0.03
    reach = np.zeros(len(angles))
    np.maximum.at(reach, bins[usable], radius[usable])
    reach = np.where(reach > 0, reach, np.median(reach[reach > 0]))
    steps = np.arange(0, 1.5 * size, 0.5)
    outer = np.zeros(len(angles))
    for i, a in enumerate(angles):
        x, y = centre[0] + np.sin(a) * steps, centre[1] - np.cos(a) * steps
        on = (x >= 0) & (x < size) & (y >= 0) & (y < size)
        gone = np.nonzero(~s.view.inside[y[on].astype(int), x[on].astype(int)])[0]
        # Where the matte leaves the picture nothing is known: keep the head as it is.
        outer[i] = steps[on][gone[0]] if len(gone) else reach[i]
    return angles, outer / reach, reach
