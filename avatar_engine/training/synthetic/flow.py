"""Exact flow and occlusion between two views of one head."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.zbuffer import nearest

_BEHIND_CM = 0.25


def flow_between(
    here: NDArray[np.floating],
    there: NDArray[np.floating],
    triangles: NDArray[np.int32],
    size: int,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Where each pixel of one view lies in another, and whether it is seen there.

    Args:
        here: [N, 3] x px, y px, depth cm of the texels in the view whose pixels are asked about.
        there: [N, 3] the same texels in the other view (another pose, another expression).
        triangles: [T, 3] of the surface.
        size: Pixels across, of both.

    Returns:
        [S, S, 2] displacement in pixels (not a number where the head is not), and [S, S] bool,
        true where the other view shows the same place of the surface.
    """
    front = nearest(here, triangles, width=size, height=size)
    other = nearest(there, triangles, width=size, height=size)
    rows, cols = np.nonzero(front.covered)
    corners = triangles[front.triangle[rows, cols]]  # [P, 3]
    at = np.stack([cols + 0.5, rows + 0.5], 1)
    shares = _barycentric(at, here[corners, :2])
    moved = (there[corners] * shares[..., None]).sum(1)  # [P, 3]
    flow = np.full((size, size, 2), np.nan, np.float32)
    flow[rows, cols] = moved[:, :2] - at
    x, y = (np.clip(moved[:, k].astype(np.int64), 0, size - 1) for k in (0, 1))
    inside = (moved[:, :2] >= 0).all(1) & (moved[:, :2] < size).all(1)
    seen = np.zeros((size, size), bool)
    seen[rows, cols] = inside & (moved[:, 2] < other.depth[y, x] + _BEHIND_CM)
    return flow, seen


def _barycentric(at: NDArray[np.floating], corners: NDArray[np.floating]) -> NDArray[np.float64]:
    """Weights [P, 3] of points [P, 2] in triangles [P, 3, 2]."""
    a, b, c = np.moveaxis(corners.astype(np.float64), 1, 0)
    cross = lambda u, v: u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]  # noqa: E731
    area = cross(b - a, c - a)
    second = cross(at - a, c - a) / area
    third = cross(b - a, at - a) / area
    return np.stack([1 - second - third, second, third], 1)
