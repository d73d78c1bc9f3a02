"""No texel of the head may lie outside the photo's outline: it is moved in, not made clear.

A hole in the head is worse than a thinner head. Ears are flattened as a whole, one number each:
a crumpled ear is worse than a flat one.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from avatar_engine.gaussian.masks import eroded
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import (
    blur_atlas,
    blur_image,
    distance,
    fill,
    mean_atlas,
    smoothstep,
)

_EAR_OUTSIDE_PX = 2.5
_EAR_OUTSIDE_SHARE = 0.06
_COMB = 3.0  # texels


def flatten_ears(s: Sculpture, hair: NDArray[np.float32]) -> tuple[float, float]:
    """Press ears flat as far as the photo asks; returns how far, (left, right) in [0, 1].

    Args:
        s: The head.
        hair: [S, S] share of hair; an ear under hair is flat.
    """
    R = s.rig.resolution
    x = s.source_shape()
    apart = (s.regions.skin & (s.regions.ear_weight < 0.02)).astype(np.float32)
    membrane = fill(x.reshape(R, R, 3), apart.reshape(R, R), sigmas=(2, 4, 8, 16)).reshape(-1, 3)
    press = (membrane - x) * s.regions.ear_weight[:, None]
    outside = distance(~s.view.inside)
    flat = []
    for side in (s.regions.left, ~s.regions.left):
        ear = s.regions.ear & side
        pixels = _pixels(s, s.project(x[ear]))
        amount = 1.0 if hair[pixels].mean() > 0.6 else 0.0
        while amount < 1:
            p = s.project(x[ear] + amount * press[ear])
            if np.mean(outside[_pixels(s, p)] > _EAR_OUTSIDE_PX) < _EAR_OUTSIDE_SHARE:
                break
            amount = min(1.0, amount + 0.1)
        s.offset += amount * press * side[:, None]
        flat.append(amount)
    return flat[0], flat[1]


def carve(s: Sculpture) -> None:
    """Pull texels that project outside the matte inside, smoothly over the map."""
    R, size = s.rig.resolution, s.view.size
    inside = blur_image(s.view.matte, 0.7) > 0.5
    core = eroded(inside, 2)
    iy, ix = distance_transform_edt(~core, return_distances=False, return_indices=True)
    movable = s.regions.skin & (s.rig.neck > 0.05)
    share = movable.reshape(R, R).astype(np.float32)
    yields = s.regions.skin * smoothstep(s.rig.neck, 0.05, 0.3) * (1 - 0.7 * s.regions.ear_weight)
    for sigma in (5, 5, 2.5, 2.5, 1.2, 1.2, 0):
        p = s.project(s.source_shape())
        y, x = _pixels(s, p)
        within = (p[:, :2] > 1).all(1) & (p[:, :2] < size - 2).all(1)
        out = movable & ~inside[y, x] & within
        pull = np.zeros((R * R, 2))
        pull[out, 0] = ix[y, x][out] + 0.5 - p[out, 0]
        pull[out, 1] = iy[y, x][out] + 0.5 - p[out, 1]
        if sigma == 0:  # what smooth pulling left outside would be holes when the head turns
            s.offset += s.lift(pull * (yields > 0.2)[:, None], p[:, 2])
            break
        mass = np.maximum(blur_atlas(share, sigma), 1e-3)[..., None]
        spread = (blur_atlas(pull.reshape(R, R, 2), sigma) / mass).reshape(-1, 2)
        move = np.where(out[:, None], 1.6 * spread, spread) * yields[:, None]
        s.offset += s.lift(move, p[:, 2])
    _comb(s)


def _comb(s: Sculpture) -> None:
    """Smooth what carving did to texels turned away, whose neighbours it tore apart row by row:
    they would stand out as a comb as soon as the head turns.
    """
    R = s.rig.resolution
    _, facing = s.normals(s.source_shape())
    away = s.regions.skin * smoothstep(facing, 0.15, -0.1) * smoothstep(s.rig.neck, 0.02, 0.1)
    away = away * (1 - s.regions.ear)
    skin = s.regions.skin.reshape(R, R).astype(np.float32)
    smooth = mean_atlas(s.offset.reshape(R, R, 3), skin, _COMB).reshape(-1, 3)
    share = blur_atlas(away.reshape(R, R), 1.0).reshape(-1, 1) * s.regions.skin[:, None]
    s.offset += share * (smooth - s.offset)


def opacity_in_matte(s: Sculpture) -> NDArray[np.float64]:
    """[N] 1 inside the matte, 0 for what could not be moved in."""
    p = s.project(s.source_shape())
    soft = blur_image(s.view.matte, 0.7)
    # The head proper was moved in; a faint texel of it would be a hole at another angle.
    solid = smoothstep(s.rig.neck, 0.3, 0.6) * s.regions.skin
    return np.maximum(smoothstep(soft[_pixels(s, p)], 0.1, 0.4), solid)


def _pixels(s: Sculpture, p: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of the pixels points fall on, held inside the picture."""
    last = s.view.size - 1
    x = np.clip(p[:, 0].astype(np.int64), 0, last)
    y = np.clip(p[:, 1].astype(np.int64), 0, last)
    return y, x
