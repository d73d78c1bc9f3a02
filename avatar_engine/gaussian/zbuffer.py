"""Which triangle of a mesh is nearest at each pixel."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from avatar_engine.device import compiled


@dataclass(frozen=True, slots=True)
class Nearest:
    """What the camera meets first.

    Attributes:
        depth: [H, W] float32 cm; infinite where nothing is.
        triangle: [H, W] int32 index; -1 where nothing is.
    """

    depth: NDArray[np.float32]
    triangle: NDArray[np.int32]

    @property
    def covered(self) -> NDArray[np.bool_]:
        """[H, W] where something is."""
        return self.triangle >= 0

    def gather(
        self, triangles: NDArray[np.int32], values: NDArray[np.floating], empty: float = 0.0
    ) -> NDArray[np.float32]:
        """Per-vertex values at the pixels [H, W] (of each triangle's first corner)."""
        corner = triangles[np.maximum(self.triangle, 0), 0]
        return np.where(self.covered, values[corner], empty).astype(np.float32)


def nearest(
    points: NDArray[np.floating], triangles: NDArray[np.int32], *, width: int, height: int
) -> Nearest:
    """Rasterise a mesh at pixel centres.

    Args:
        points: [N, 3] x px, y px, depth cm.
        triangles: [T, 3].
        width: Of the picture.
        height: Of the picture.
    """
    depth = np.full((height, width), np.inf, np.float32)
    index = np.full((height, width), -1, np.int32)
    # One kind of array each, or numba compiles twice.
    points = np.ascontiguousarray(points, dtype=np.float64)
    _raster(points, np.ascontiguousarray(triangles), depth, index)
    return Nearest(depth, index)


@partial(compiled, nogil=True)
def _raster(points, triangles, depth, index):  # type: ignore[no-untyped-def]
    height, width = depth.shape
    for k in range(triangles.shape[0]):
        a, b, c = points[triangles[k, 0]], points[triangles[k, 1]], points[triangles[k, 2]]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if not abs(area) > 1e-10:
            continue
        over = 1 / area
        x0 = max(0, int(np.ceil(min(a[0], b[0], c[0]) - 0.5)))
        x1 = min(width - 1, int(np.floor(max(a[0], b[0], c[0]) - 0.5)))
        y0 = max(0, int(np.ceil(min(a[1], b[1], c[1]) - 0.5)))
        y1 = min(height - 1, int(np.floor(max(a[1], b[1], c[1]) - 0.5)))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                px, py = x + 0.5, y + 0.5
                w1 = ((px - a[0]) * (c[1] - a[1]) - (py - a[1]) * (c[0] - a[0])) * over
                w2 = ((b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0])) * over
                w0 = 1 - w1 - w2
                if w0 < -1e-6 or w1 < -1e-6 or w2 < -1e-6:
                    continue
                z = w0 * a[2] + w1 * b[2] + w2 * c[2]
                if z < depth[y, x]:
                    depth[y, x] = z
                    index[y, x] = k
