"""Ties between texels so close together in the photo that its pixels cannot tell them apart.

Left to themselves they share a pixel's colour out at will, one too dark and the next too bright:
whiskers about the nostrils, as soon as the face moves.
"""

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.shapes import DOWN, RIGHT, grid_neighbours, surface_groups

_CLOSE_PX = 1.6
_STRENGTH = 0.6
_WEAKEST = 0.01


def ties(s: Sculpture, count: int) -> csr_matrix:
    """The ties' cost as a matrix [count, count]: v' @ ties @ v sums weighted squared differences.

    Args:
        s: The head; its skin is tied where neighbours of the atlas fall within about a pixel.
        count: Of all texels, those beyond the head's included.
    """
    R = s.rig.resolution
    at = s.project(s.source_shape())[:, :2]
    bits = grid_neighbours(surface_groups(s.rig.chart)).ravel()
    first, second, strength = [], [], []
    for bit, step in ((RIGHT, 1), (DOWN, R)):
        here = np.flatnonzero((bits & bit > 0) & s.regions.skin)
        apart = np.linalg.norm(at[here] - at[here + step], axis=1)
        tie = np.exp(-((apart / _CLOSE_PX) ** 2))
        close = tie > _WEAKEST
        first.append(here[close])
        second.append(here[close] + step)
        strength.append(_STRENGTH * tie[close])
    i, j, tie = np.concatenate(first), np.concatenate(second), np.concatenate(strength)
    both = (np.r_[tie, tie], (np.r_[i, j], np.r_[j, i]))
    tied = csr_matrix(coo_matrix(both, shape=(count, count)))
    return csr_matrix(diags(np.asarray(tied.sum(1)).ravel()) - tied).astype(np.float32)
