"""Triangle meshes: borders, pieces, areas and each triangle's own plane."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def edges(triangles: Ints) -> set[tuple[int, int]]:
    """Directed edges in each triangle's own direction."""
    t = triangles.tolist()
    return {e for a, b, c in t for e in ((a, b), (b, c), (c, a))}


def boundary_loops(triangles: Ints) -> list[list[int]]:
    """Border loops as vertex lists in the border's direction, the longest first."""
    directed = edges(triangles)
    following = dict(sorted((a, b) for a, b in directed if (b, a) not in directed))
    loops = []
    while following:
        start = next(iter(following))
        loop, at = [start], following.pop(start)
        while at != start:
            loop.append(at)
            at = following.pop(at)
        loops.append(loop)
    return sorted(loops, key=len, reverse=True)


def pieces(triangles: Ints, count: int) -> Ints:
    """Connected piece of each of ``count`` vertices."""
    a, b = np.concatenate([triangles[:, :2], triangles[:, 1:]]).T
    graph = sparse.coo_matrix((np.ones(len(a)), (a, b)), shape=(count, count))
    return sparse.csgraph.connected_components(graph)[1]


def signed_areas(points: Floats, triangles: Ints) -> Floats:
    """Twice the signed area of each triangle in the plane."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])


def normals(points: Floats, triangles: Ints) -> Floats:
    """Unit normals [T, 3]; zero where a triangle has no area."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    n = np.cross(b - a, c - a)
    return n / np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-12)


def areas(points: Floats, triangles: Ints) -> Floats:
    """Areas [T] in space."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def local_frames(points: Floats, triangles: Ints) -> Floats:
    """Each triangle laid flat [T, 3, 2]: first corner at the origin, first edge along x."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    length = np.linalg.norm(b - a, axis=1)
    along = (b - a) / length[:, None]
    cx = ((c - a) * along).sum(1)
    cy = np.linalg.norm(c - a - cx[:, None] * along, axis=1)
    zero = np.zeros_like(length)
    corners = [[zero, zero], [length, zero], [cx, cy]]
    return np.moveaxis(np.array(corners), -1, 0)


def arc_length(points: Floats) -> Floats:
    """Length from the first point of a polyline [P, D] to each of its points."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
