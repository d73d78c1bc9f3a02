"""Modes kept in whole steps of their own size: 16 bits a number, and a scale each."""

import numpy as np
from numpy.typing import NDArray


def in_steps(
    modes: NDArray[np.floating], *, finest: float = 0.0
) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """Modes [K, N, 3] in cm as int16, and the cm of one step [K]; 1 for a mode of nothing.

    Args:
        modes: One after the other; several at once would not stay in the cache.
        finest: Smallest step, in cm.
    """
    whole = np.empty(modes.shape, np.int16)
    scales = np.ones(len(modes), np.float32)
    for k, mode in enumerate(modes):
        top = max(float(mode.max(initial=0)), -float(mode.min(initial=0)))
        if top > 0:
            scales[k] = max(top / 32767, finest)
        whole[k] = np.rint(mode / scales[k])
    return whole, scales
