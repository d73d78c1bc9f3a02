"""How long a texel's tangents may be: a splat may stretch, but not into a spike."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.shapes import grid_neighbours, surface_groups
from avatar_engine.types import Chart

_EVEN_Z = 2.0  # cm; before it the face stretches with its expressions
_UNEVEN, _PATCH_CM = 1.6, 0.04
_NOSTRILS, _NOSTRIL_CM = [2, 98, 327, 64, 294], 1.0


def tangent_caps(s: Sculpture) -> NDArray[np.float64]:
    """Longest tangents [N, 2] in cm: a splat may stretch, but not into a spike."""
    caps = np.full((len(s.chart), 2), np.inf)
    skin = s.regions.skin
    caps[skin] = np.minimum(4 * s.regions.tangent_lengths[skin] + 0.06, 0.8)
    uneven = skin & ((s.rig.mean[:, 2] < _EVEN_Z) | _by_nostrils(s))
    caps[uneven] = np.minimum(caps, _shorter_sides(s))[uneven]
    caps[np.isin(s.chart, (Chart.TEETH, Chart.GUM))] = 0.17
    caps[s.chart == Chart.TONGUE] = 0.5
    return caps


def _by_nostrils(s: Sculpture) -> NDArray[np.bool_]:
    """[N] the texels whose one neighbour may lie deep in a nostril."""
    marks = s.rig.landmarks(s.rig.mean)[_NOSTRILS]
    away = np.linalg.norm(s.rig.mean[:, None] - marks, axis=-1).min(1)
    return np.asarray(away < _NOSTRIL_CM)


def _shorter_sides(s: Sculpture) -> NDArray[np.float64]:
    """[N, 2] cm, how long a tangent may be where one neighbour is much nearer than the other.

    Half the way between both would stick out over the nearer one, as a spike behind an ear.
    """
    R = s.rig.resolution
    x = s.rest_shape().reshape(R, R, 3)
    bits = grid_neighbours(surface_groups(s.rig.chart))
    caps = np.full((R, R, 2), np.inf)
    for axis, (before, after) in ((1, (1, 2)), (0, (4, 8))):
        step = np.linalg.norm(np.diff(x, axis=axis, append=np.inf), axis=-1)
        ahead = np.where(bits & after, step, np.inf)
        behind = np.where(bits & before, np.roll(step, 1, axis), np.inf)
        caps[..., 1 - axis] = _UNEVEN * np.minimum(ahead, behind) + _PATCH_CM
    return caps.reshape(-1, 2)
