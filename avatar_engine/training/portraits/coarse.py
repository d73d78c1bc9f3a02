"""Maps of the atlas at a quarter of its resolution, without mixing what does not hang together."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from avatar_engine.gaussian.regions import Regions
from avatar_engine.shapes import surface_groups
from avatar_engine.types import HeadRig

COARSE = 64
"""Cells across."""


class CoarseGrid:
    """Means over cells of 4 x 4 texels, each over the surface that fills most of the cell.

    Upper and lower lip are two surfaces, and so are upper and lower lids; a mean across the gap
    would open the mouth half as far on both sides of it.

    Attributes:
        weights: [4096, N] sparse, rows sum to one (or to zero where a cell is empty).
    """

    def __init__(self, rig: HeadRig, regions: Regions) -> None:
        R = rig.resolution
        surface = surface_groups(rig.chart).ravel().astype(np.int64)
        kind = np.where(surface > 0, surface * 4 + 2 * regions.above_mouth + regions.above_lids, -1)
        rows, cols = np.divmod(np.arange(R * R), R)
        cell = (rows * COARSE // R) * COARSE + cols * COARSE // R
        kinds = int(kind.max()) + 1
        filled = kind >= 0
        votes = np.bincount((cell * kinds + kind)[filled], minlength=COARSE**2 * kinds)
        wins = votes.reshape(-1, kinds).argmax(1)
        taken = np.flatnonzero(filled & (kind == wins[cell]))
        mass = np.bincount(cell[taken], minlength=COARSE**2)
        share = 1 / mass[cell[taken]]
        self.weights = csr_array((share, (cell[taken], taken)), shape=(COARSE**2, R * R))

    def of(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Means [64, 64, C] of a map [N, C] (or [64, 64] of [N])."""
        return np.asarray(self.weights @ values).reshape(COARSE, COARSE, *values.shape[1:])
