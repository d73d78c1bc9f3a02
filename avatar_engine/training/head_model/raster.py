"""Triangles onto a grid of texels: which one covers each centre, and where inside it."""

import numpy as np
from numba import njit

from avatar_engine.training.head_model.mesh import Floats, Ints


def cover(
    points: Floats, triangles: Ints, height: int, width: int, *, longest: float = np.inf
) -> tuple[Ints, Floats]:
    """The nearest triangle over each texel centre.

    Args:
        points: [V, 3] column and row in texels, and height (the greatest wins); a flat chart may
            leave the height out.
        triangles: [T, 3].
        height: Rows of the grid.
        width: Columns of the grid.
        longest: Triangles wider than this many columns are left out (they wrap around a seam).

    Returns:
        Triangle [height, width] (-1: none) and barycentric weights [height, width, 3].
    """
    if points.shape[1] == 2:
        points = np.pad(points, ((0, 0), (0, 1)))
    return _cover(
        np.ascontiguousarray(points), np.ascontiguousarray(triangles), height, width, longest
    )


@njit(cache=True)
def _cover(points, triangles, height, width, longest):  # type: ignore[no-untyped-def]  # numba
    nearest = np.full((height, width), -np.inf)
    found = np.full((height, width), -1, np.int64)
    weights = np.zeros((height, width, 3))
    for k in range(triangles.shape[0]):
        a, b, c = points[triangles[k, 0]], points[triangles[k, 1]], points[triangles[k, 2]]
        left, right = min(a[0], b[0], c[0]), max(a[0], b[0], c[0])
        top, bottom = min(a[1], b[1], c[1]), max(a[1], b[1], c[1])
        twice = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if right - left > longest or abs(twice) < 1e-12:
            continue
        for row in range(max(0, int(top - 0.5)), min(height - 1, int(bottom + 0.5)) + 1):
            for column in range(max(0, int(left - 0.5)), min(width - 1, int(right + 0.5)) + 1):
                x, y = column + 0.5, row + 0.5
                w1 = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / twice
                w2 = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / twice
                w0 = 1 - w1 - w2
                if w0 < -1e-7 or w1 < -1e-7 or w2 < -1e-7:
                    continue
                z = w0 * a[2] + w1 * b[2] + w2 * c[2]
                if z > nearest[row, column]:
                    nearest[row, column] = z
                    found[row, column] = k
                    weights[row, column, 0] = w0
                    weights[row, column, 1] = w1
                    weights[row, column, 2] = w2
    return found, weights
