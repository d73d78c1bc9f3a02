"""Which way a head's texels face, which lie in front of which, and which may touch an eyeball."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.types import Chart


def winding(s: Sculpture) -> NDArray[np.int8]:
    """[N] which way each chart's tangents turn on a front face."""
    w = np.full(len(s.chart), s.regions.skin_winding, np.int8)
    w[s.chart == Chart.CAVITY] = s.regions.cavity_winding
    w[s.chart == Chart.TONGUE] = 0
    w[s.chart == Chart.EMPTY] = 0
    return w


def depth_bias(chart: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[N] cm: the cavity never pokes through the chin, nor teeth through lips."""
    bias = np.zeros(len(chart))
    bias[chart == Chart.CAVITY] = 1.2
    bias[np.isin(chart, (Chart.TEETH, Chart.GUM, Chart.TONGUE))] = 0.12
    return bias


def lid_texels(s: Sculpture) -> NDArray[np.int32]:
    """[L] skin that may touch an eyeball in some expression."""
    x = s.rest_shape()
    near = np.zeros(len(x), bool)
    for centre in s.eye_centers:
        near |= np.linalg.norm(x - centre, axis=1) < 1.9 * s.rig.eye_radius
    return np.nonzero(near & s.regions.skin)[0].astype(np.int32)
