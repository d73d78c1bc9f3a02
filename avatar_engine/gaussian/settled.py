"""What corrective modes say of the photo's own expression is not said of the person once more."""

from dataclasses import replace

import numpy as np

from avatar_engine.gaussian.residual import mouth_share
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.types import HeadMaps

_RESIDUAL = 52


def settled(s: Sculpture, maps: HeadMaps) -> HeadMaps:
    """The maps whose positions leave to the corrective modes what is theirs.

    The fit puts what the linear rig leaves over down to the person, all but the mouth's share. As
    far as corrective modes explain it, it goes with the expression: positions lose it, and the
    source residual, which only the photo's own view uses, gets it back.

    Args:
        s: The head.
        maps: With corrective modes and their drivers.
    """
    given = maps.drivers.amounts(maps.source)  # [C]
    first = len(maps.modes) - len(given)
    n = len(s.chart)
    twice = np.zeros((n, 3))
    for k in np.flatnonzero(given):
        twice += given[k] * maps.mode_scales[first + k] * maps.modes[first + k].astype(np.float64)
    if not twice.any():
        return maps
    twice *= (1 - mouth_share(s))[:, None]
    positions = maps.positions.copy()
    positions[:n] -= twice
    residual = maps.modes[_RESIDUAL] * float(maps.mode_scales[_RESIDUAL]) + twice
    modes, scales = maps.modes.copy(), maps.mode_scales.copy()
    scales[_RESIDUAL] = max(float(np.abs(residual).max()) / 32767, 1e-12)
    modes[_RESIDUAL] = np.round(residual / scales[_RESIDUAL]).astype(np.int16)
    return replace(maps, positions=positions, modes=modes, mode_scales=scales)
