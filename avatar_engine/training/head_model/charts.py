"""Every texel as a weighted sum of kit vertices: skin, teeth and gums, tongue, mouth cavity.

One sparse row per texel makes any field over the kit's vertices (a position, a mode) a map by one
product. A chart fills its left half; the right half takes the same weights of the twin vertices.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from avatar_engine.training.head_model.atlas import SLIVER, HalfChart, left_half, skin_triangles
from avatar_engine.training.head_model.layout import (
    CAVITY,
    HALF,
    LOWER_TEETH,
    SKIN_ROWS,
    TONGUE,
    UPPER_TEETH,
    Place,
    R,
    twin_texel,
)
from avatar_engine.training.head_model.mesh import (
    Floats,
    Ints,
    arc_length,
    areas,
    boundary_loops,
    edges,
    local_frames,
    normals,
    signed_areas,
)
from avatar_engine.training.head_model.raster import cover
from avatar_engine.training.head_model.rigs import FaceKit
from avatar_engine.training.head_model.slim import slim, tutte
from avatar_engine.types import Chart

_ARCH_Z = 5.2  # centre of the dental arch
_ARCH_ANGLE = np.radians(82.0)


@dataclass(frozen=True)
class Patch:
    """Texels of one left half and what they are made of.

    Attributes:
        texels: [P] row * R + column.
        corners: [P, 3] kit vertices.
        weights: [P, 3] rows sum to one.
        labels: [P] of Chart.
    """

    texels: Ints
    corners: Ints
    weights: Floats
    labels: Ints


def sampler(kit: FaceKit, patches: list[Patch]) -> sparse.csr_matrix:
    """Matrix [R * R, V] from fields over kit vertices to maps; empty texels are zero rows."""
    rows: list[NDArray[np.integer]] = [np.repeat(p.texels, 3) for p in patches]
    rows += [twin_texel(r) for r in rows]
    columns = [p.corners.ravel() for p in patches]
    columns += [kit.twin[c] for c in columns]
    values = [p.weights.ravel() for p in patches] * 2
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_matrix(entries, shape=(R * R, len(kit.vertices)))


def skin_patch(chart: HalfChart) -> Patch:
    """The skin, from its flat half."""
    return _patch(Place(HALF, 0, HALF, SKIN_ROWS), chart.uv, chart.triangles, chart, Chart.SKIN)


def cavity_patch(kit: FaceKit) -> Patch:
    """The sack behind the lips, evenly spread."""
    sack = skin_triangles(kit)[1]
    sack = sack[(kit.vertices[sack][:, :, 1] < 0).all(1)]
    flat = _flatten_patch(kit, sack, CAVITY, lambda at: np.ones(len(at)))
    return _patch(CAVITY, flat.uv, flat.triangles, flat, Chart.CAVITY)


def tongue_patch(kit: FaceKit) -> Patch:
    """The tongue's upper side from root to tip, its edges, and the tip's underside.

    Twice as dense before the lips as at the root, for that is what shows.
    """
    flat = _flatten_patch(
        kit, _tongue(kit), TONGUE, lambda at: 0.6 + 0.6 * np.clip((at[:, 2] - 5) / 4, 0, 1)
    )
    return _patch(TONGUE, flat.uv, flat.triangles, flat, Chart.TONGUE)


def teeth_patches(kit: FaceKit) -> list[Patch]:
    """Upper and lower ribbon of teeth and gums as the lips see them.

    The kit's teeth are closed shells with roots; a cylinder around the dental arch keeps only
    what faces outward.
    """
    teeth, gums = kit.part("M_Teeth"), kit.part("M_GumsTongue")
    both = np.concatenate([teeth, gums])
    is_tooth = np.arange(len(both)) < len(teeth)
    is_lower = _moves_with_jaw(kit, both)
    tongue = {tuple(t) for t in _tongue(kit).tolist()}
    # The tongue fills the lower arch: left in, it and the floor under it would catch the rays.
    is_tongue = np.array([tuple(t) in tongue for t in both.tolist()])
    x, _, z = kit.vertices[both].mean(1).T
    is_inside = ~is_tooth & ((x / 2.35) ** 2 + ((z - _ARCH_Z) / 4.3) ** 2 < 1)
    return [
        _ribbon(kit, both, is_tooth, ~is_lower, UPPER_TEETH, (-1.8, -3.5)),
        _ribbon(
            kit, both, is_tooth, is_lower & ~is_tongue & ~is_inside, LOWER_TEETH, (-3.05, -4.65)
        ),
    ]


def _ribbon(
    kit: FaceKit,
    triangles: Ints,
    is_tooth: NDArray[np.bool_],
    chosen: NDArray[np.bool_],
    place: Place,
    span_y: tuple[float, float],
) -> Patch:
    """What a cylinder around the dental arch sees of some triangles between two heights."""
    x, y, z = kit.vertices.T
    top, bottom = span_y
    columns = np.arctan2(x, z - _ARCH_Z) / _ARCH_ANGLE * place.width
    rows = (top - y) / (top - bottom) * place.height
    seen = np.stack([columns, rows, np.hypot(x, z - _ARCH_Z)], 1)
    local = triangles[chosen]
    found, weights = cover(seen, local, place.height, place.width, longest=place.width * 0.7)
    row, column = np.nonzero(found >= 0)
    tri = found[row, column]
    labels = np.where(is_tooth[chosen][tri], Chart.TEETH, Chart.GUM)
    texels = (row + place.row) * R + column + place.column
    return Patch(texels, local[tri], weights[row, column], labels)


def _tongue(kit: FaceKit) -> Ints:
    """The tongue's triangles, grown from the top of its back over all that does not face down."""
    gums = kit.part("M_GumsTongue")
    middle = kit.vertices[gums].mean(1)
    open_side = (normals(kit.vertices, gums)[:, 1] > -0.5) & _moves_with_jaw(kit, gums)
    gums = gums[open_side & (middle[:, 2] > 3.7) & (middle[:, 1] > -4.62)]
    neighbours = sparse.lil_matrix((len(gums), len(gums)))
    owner: dict[tuple[int, int], int] = {}
    for k, t in enumerate(gums.tolist()):
        for e in edges(np.array([t])):
            owner[e] = k
    for (a, b), k in owner.items():
        if (b, a) in owner:
            neighbours[k, owner[b, a]] = 1
    piece = sparse.csgraph.connected_components(neighbours.tocsr())[1]
    seed = np.argmin(np.linalg.norm(kit.vertices[gums].mean(1) - [0, -3.1, 7.2], axis=1))
    return gums[piece == piece[seed]]


def _moves_with_jaw(kit: FaceKit, triangles: Ints) -> NDArray[np.bool_]:
    motion = np.linalg.norm(kit.expression["jawOpen"], axis=1)
    threshold = 0.5 * np.percentile(motion[np.unique(kit.part("M_Teeth"))], 99)
    return motion[triangles].mean(1) > threshold


def _flatten_patch(
    kit: FaceKit, triangles: Ints, place: Place, density: Callable[[Floats], Floats]
) -> HalfChart:
    """Flatten the left half of a patch: mid-line on the left side, rim on the other three."""
    vertices, triangles, points = left_half(kit, triangles)
    border = boundary_loops(triangles)[0]
    middle = points[:, 0] == 0
    start = next(i for i in range(len(border)) if middle[border[i]] and not middle[border[i - 1]])
    border = border[start:] + border[:start]
    count = next(i for i in range(len(border)) if not middle[border[i]])
    spine, rim = border[:count], [border[count - 1], *border[count:], border[0]]
    uv, free = np.zeros((len(points), 2)), np.ones((len(points), 2), bool)
    down = arc_length(points[spine])
    uv[spine, 1] = down / down[-1] * place.height
    free[spine, 0] = False
    along = arc_length(points[rim]) + 1e-3 * np.arange(len(rim))
    along = along / along[-1] * (2 * place.width + place.height)
    for v, s in zip(rim, along, strict=True):
        if s < place.width:
            uv[v] = s, place.height
        elif s < place.width + place.height:
            uv[v] = place.width, place.width + place.height - s
        else:
            uv[v] = 2 * place.width + place.height - s, 0
    free[rim] = False
    placed = np.zeros(len(points), bool)
    placed[border] = True
    uv = tutte(triangles, placed, uv)
    if np.median(signed_areas(uv, triangles)) < 0:
        triangles = triangles[:, ::-1]
    shapes, area = local_frames(points, triangles), areas(points, triangles)
    wanted = density(points[triangles].mean(1))
    wanted *= np.sqrt(place.width * place.height / (area * wanted**2).sum())
    shapes *= wanted[:, None, None]
    shapes[area < 1e-7] = SLIVER
    uv, energy = slim(uv, triangles, shapes, np.ones(len(triangles)), free, iterations=60)
    return HalfChart(vertices, triangles, uv, energy)


def _patch(place: Place, uv: Floats, triangles: Ints, chart: HalfChart, label: Chart) -> Patch:
    found, weights = cover(uv, triangles, place.height, place.width)
    row, column = np.nonzero(found >= 0)
    corners = chart.vertices[triangles[found[row, column]]]
    texels = (row + place.row) * R + column + place.column
    return Patch(texels, corners, weights[row, column], np.full(len(texels), label))
