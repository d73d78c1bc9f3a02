"""The numbers of the detail (step 12 of ``CONVENTIONS.md``), shared by its two makings."""

import numpy as np

DETAIL_OPAQUE = 0.5
"""Gaussians from this opacity on carry detail, and hide what lies behind them from it."""
DETAIL_DEPTH_CM = 0.5
"""Texels so far behind the nearest of their cell still belong to the surface."""
DETAIL_FULL = 0.2
"""Opaque texels in a cell (smoothed) from which on its detail counts in full."""
DETAIL_FOLD_CELLS = 0.5
"""Where the flow within a cell and its neighbours spreads by so many cells, detail is halved: it
is a fold, an edge or a stretched place, where the photo's texture no longer fits."""
DETAIL_FAINTEST = 0.02
"""Weights below this are not drawn."""
DETAIL_WORTH = 3
"""Cells of the photo without a luma difference of so many bytes are not fetched."""


def detail_cell(width: int, height: int) -> int:
    """Side of a cell of the detail's grid, pixels: a power of two, 4 at 512 x 512."""
    return 1 << max(1, int(np.ceil(np.log2(max(width, height) / 160))))
