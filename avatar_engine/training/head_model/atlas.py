"""The skin as one flat chart: the half head x >= 0, cut along the back, laid on a rectangle.

    left side          front mid-line, crown to breast (the closed lips are bridged)
    top + right side   back mid-line, crown to nape
    bottom             rim of the bust

Latitude and longitude would fold at ears, nostrils, chin and lips; this does not fold anywhere.
Lip and eye slits stay real holes: light helper triangles span them, so upper and lower lip never
become neighbouring texels.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from avatar_engine.training.head_model.layout import HALF, SKIN_ROWS
from avatar_engine.training.head_model.mesh import (
    Floats,
    Ints,
    arc_length,
    areas,
    boundary_loops,
    edges,
    local_frames,
    normals,
    pieces,
    signed_areas,
)
from avatar_engine.training.head_model.rigs import FaceKit
from avatar_engine.training.head_model.slim import slim, tutte

_BUST_Y = -15.0
_HELPER_WEIGHT = 0.02
SLIVER = np.array([[0, 0], [0.3, 0], [0, 0.3]])  # a triangle without area has no shape to keep


@dataclass(frozen=True)
class HalfChart:
    """A flat half of a surface.

    Attributes:
        vertices: [V] kit vertices.
        triangles: [T, 3] into ``vertices``.
        uv: [V, 2] texels from the chart's left and top.
        energy: Mean symmetric Dirichlet energy reached; 4 is perfect.
    """

    vertices: Ints
    triangles: Ints
    uv: Floats
    energy: float


def skin_triangles(kit: FaceKit) -> tuple[Ints, Ints]:
    """Triangles of the cropped skin, and those of the sacks behind mouth and eyes."""
    face, back = kit.part("M_Face"), kit.part("M_BackHead")
    piece = pieces(back, len(kit.vertices))
    top = back.ravel()[np.argmax(kit.vertices[back.ravel(), 1])]
    is_bust = piece[back[:, 0]] == piece[top]
    skin = np.concatenate([face, back[is_bust]])
    skin = skin[(kit.vertices[skin][:, :, 1] > _BUST_Y).all(1)]
    while True:  # a triangle with two sides on the rim would be a degenerate corner of the chart
        taken = edges(skin)
        on_rim = [
            ((b, a) not in taken) + ((c, b) not in taken) + ((a, c) not in taken)
            for a, b, c in skin.tolist()
        ]
        ears = np.array(on_rim) >= 2
        if not ears.any():
            return skin, back[~is_bust]
        skin = skin[~ears]


def left_half(kit: FaceKit, triangles: Ints) -> tuple[Ints, Ints, Floats]:
    """The part x >= 0: its kit vertices [V], triangles [T, 3] into them, positions [V, 3]."""
    x = kit.vertices[triangles][:, :, 0]
    half = triangles[(x.mean(1) > 0) & (x > -1e-4).all(1)]
    vertices, local = np.unique(half, return_inverse=True)
    points = kit.vertices[vertices].copy()
    points[np.abs(points[:, 0]) < 1e-3, 0] = 0
    return vertices, local.reshape(half.shape), points


def flatten_skin(kit: FaceKit) -> HalfChart:
    """Flatten the left half of the skin onto HALF x SKIN_ROWS texels.

    Raises:
        ValueError: The mesh is not the one this recipe was written for.
    """
    vertices, triangles, points = left_half(kit, skin_triangles(kit)[0])
    helpers = _bridges(points, triangles)
    closed = np.concatenate([triangles, helpers])
    front, bottom, back = _outline(points, closed)
    uv, free = _rectangle(points, front, bottom, back)
    placed = np.zeros(len(points), bool)
    placed[front + bottom + back] = True
    uv = tutte(closed, placed, uv)
    openness = _openness(kit, points, closed)  # while the triangles still face outward
    if np.median(signed_areas(uv, closed)) < 0:
        closed = closed[:, ::-1]
    if (signed_areas(uv, closed) <= 0).any():
        raise ValueError("the embedding starts with folds: the skin is not a disc")
    real = np.arange(len(closed)) < len(triangles)
    shapes = local_frames(points, closed)
    area = areas(points, closed)
    wanted = _density(points[closed].mean(1), openness)
    wanted *= np.sqrt(HALF * SKIN_ROWS * 0.97 / (area * wanted**2)[real].sum())
    shapes *= wanted[:, None, None]
    slivers = area < 1e-7
    shapes[slivers] = SLIVER
    weights = np.where(real & ~slivers, 1.0, _HELPER_WEIGHT)
    uv, energy = slim(uv, closed, shapes, weights, free)
    return HalfChart(vertices, closed[: len(triangles)], uv, energy)


def _bridges(points: Floats, triangles: Ints) -> Ints:
    """Helper triangles across the eye and across the half lips."""
    rim, eye = boundary_loops(triangles)[:2]
    middle = points[:, 0] == 0
    inner = min(eye, key=lambda v: float(points[v, 0]))
    outer = max(eye, key=lambda v: float(points[v, 0]))
    at = eye.index(inner)
    eye = eye[at:] + eye[:at]
    at = eye.index(outer)
    strips = [(eye[: at + 1], [inner, *eye[: at - 1 : -1]])]
    lips = next(run for run in _excursions(rim, middle) if points[run, 1].mean() > -6)
    corner = int(np.argmax(points[lips, 0]))
    strips.append((lips[corner::-1], lips[corner:]))
    taken = edges(triangles)
    helpers = []
    for one, other in strips:
        for a, b, c in _strip(one, other):
            facing = not any(e in taken for e in ((a, b), (b, c), (c, a)))
            helpers.append((a, b, c) if facing else (c, b, a))
    return np.array(helpers, np.int64)


def _excursions(loop: list[int], middle: NDArray[np.bool_]) -> list[list[int]]:
    """Stretches of a loop that leave the mid-line, with the vertices on it at both ends."""
    start = next(i for i, v in enumerate(loop) if middle[v] and not middle[loop[i + 1 - len(loop)]])
    loop = loop[start:] + loop[: start + 1]
    found, run = [], [loop[0]]
    for before, v in pairwise(loop):
        if middle[before]:
            run = [before]
        run.append(v)
        if middle[v] and not middle[before]:
            found.append(run)
    return found


def _strip(one: list[int], other: list[int]) -> list[tuple[int, int, int]]:
    """Triangles between two chains that begin at the same vertex."""
    found, i, j = [], 0, 0
    m, n = len(one) - 1, len(other) - 1
    while i < m or j < n:
        if j == n or (i < m and i * n <= j * m):
            found.append((one[i], one[i + 1], other[j]))
            i += 1
        else:
            found.append((one[i], other[j + 1], other[j]))
            j += 1
    return [t for t in found if len(set(t)) == 3]


def _outline(points: Floats, closed: Ints) -> tuple[list[int], list[int], list[int]]:
    """The closed half's border as front mid-line, bust rim and back mid-line, all connected."""
    border = boundary_loops(closed)[0]
    middle = points[:, 0] == 0
    above = [v for v in border if middle[v] and points[v, 2] > -2 and points[v, 1] > 8]
    crown = min(above, key=lambda v: abs(points[v, 2] - 1.5))
    at = border.index(crown)
    border = border[at:] + border[:at]
    if points[border[5], 2] < points[crown, 2]:
        border = [crown, *border[:0:-1]]
    off = [k for k, v in enumerate(border) if not middle[v]]
    first, last = off[0] - 1, off[-1] + 1
    if len(off) != last - first - 1:
        raise ValueError("the half head's outline leaves the mid-line more than once")
    return border[: first + 1], border[first : last + 1], [*border[last:], crown]


def _rectangle(
    points: Floats, front: list[int], bottom: list[int], back: list[int]
) -> tuple[Floats, NDArray[np.bool_]]:
    """The outline on the rectangle's sides, and which coordinates may still slide."""
    uv = np.zeros((len(points), 2))
    free = np.ones((len(points), 2), bool)
    density = _density(points[front], np.ones(len(front)))
    steps = np.diff(arc_length(points[front])) * (density[1:] + density[:-1])
    down = np.concatenate([[0.0], np.cumsum(steps)])
    uv[front, 1] = down / down[-1] * SKIN_ROWS
    free[front, 0] = False
    along = arc_length(points[bottom])
    uv[bottom, 0] = along / along[-1] * HALF
    uv[bottom, 1] = SKIN_ROWS
    free[bottom, 1] = False
    up = arc_length(points[back])
    up = up / up[-1] * (SKIN_ROWS + 0.75 * HALF)
    corner = int(np.argmin(np.abs(up - SKIN_ROWS)))
    side, top = back[: corner + 1], back[corner:]
    uv[side] = np.stack(
        [np.full(len(side), HALF), SKIN_ROWS * (1 - up[: corner + 1] / up[corner])], 1
    )
    over = (up[corner:] - up[corner]) / (up[-1] - up[corner])
    uv[top] = np.stack([HALF * (1 - over), np.zeros(len(top))], 1)
    free[side, 0] = False
    free[top, 1] = False
    free[[front[0], front[-1], bottom[-1], back[corner]]] = False
    return uv, free


def _density(at: Floats, openness: Floats) -> Floats:
    """Wanted texels per centimetre, up to a factor: lips and eyes over face, ears, neck, cranium.

    Nostrils get two fifths: what nobody sees needs few texels.
    """
    x, y, z = np.abs(at[:, 0]), at[:, 1], at[:, 2]

    def step(t: Floats) -> Floats:
        return 1 / (1 + np.exp(-t))

    def bump(squared: Floats, sigma: float) -> Floats:
        return np.exp(-squared / (2 * sigma**2))

    face = step((z - 4.5) / 0.9) * step((9.5 - y) / 0.8) * step((y + 9.2) / 0.8)
    lips = bump((x / 2.9) ** 2 * 4 + (y + 3.4) ** 2 / 0.9, 1.5) * (z > 7)
    eyes = bump(((x - 3.2) / 1.25) ** 2 * 2 + (y - 3.6) ** 2 / 0.5, 1.3) * (z > 6)
    ears = bump((x - 8.2) ** 2 + (y - 2) ** 2 / 4, 1.5)
    density = 0.36 + 0.50 * face + 0.55 * lips + 0.50 * eyes + 0.10 * ears
    nose = (x < 1.9) & (np.abs(y + 0.7) < 1.3) & (z > 7.5)
    return density * np.where(nose, 0.4 + 0.6 * np.clip((openness - 0.45) / 0.4, 0, 1), 1)


def _openness(kit: FaceKit, points: Floats, triangles: Ints) -> Floats:
    """How far skin keeps off a point held 0.6 cm above each triangle: 1 is flat, 0 a pit."""
    height = 0.6
    held = points[triangles].mean(1) + height * normals(points, triangles)
    return cKDTree(kit.vertices[np.unique(kit.part("M_Face"))]).query(held)[0] / height
