import numpy as np

from avatar_engine.shapes import surface_groups, texel_triangles
from avatar_engine.types import Chart


def test_quads_join_texels_of_one_surface_only():
    chart = np.zeros((3, 6), np.uint8)
    chart[:, 1:3] = Chart.SKIN
    chart[:, 4] = Chart.EYE
    triangles = texel_triangles(chart)
    assert len(triangles) == 4
    assert set(triangles.ravel() % 6) == {1, 2}


def test_teeth_and_gums_are_one_surface():
    chart = np.array([[3, 4], [4, 3]], np.uint8)
    assert len(texel_triangles(chart)) == 2
    assert (surface_groups(chart) == Chart.TEETH).all()


def test_the_back_of_the_head_is_stitched_closed():
    chart = np.full((5, 8), Chart.SKIN, np.uint8)
    triangles = texel_triangles(chart)
    edges: dict[tuple[int, int], int] = {}
    for t in triangles.tolist():
        for a, b in zip(t, t[1:] + t[:1], strict=True):
            edges[a, b] = edges.get((a, b), 0) + 1
    # Consistent winding: no directed edge twice; the rim that is left is the bottom row alone.
    assert max(edges.values()) == 1
    rim = {a for a, b in edges if (b, a) not in edges}
    assert {t // 8 for t in rim} == {4}
    assert len(rim) == 8


def test_no_seam_where_the_border_is_not_skin():
    chart = np.full((4, 6), Chart.CAVITY, np.uint8)
    assert len(texel_triangles(chart)) == 2 * 3 * 5


def test_the_halves_of_the_cavity_are_stitched_along_their_middle():
    chart = np.zeros((4, 8), np.uint8)
    chart[1:, [0, 1, 6, 7]] = Chart.CAVITY
    triangles = texel_triangles(chart)
    across = [t for t in triangles.tolist() if {v % 8 for v in t} == {1, 6}]
    assert len(triangles) == 2 * (2 + 2 + 2)
    assert len(across) == 4
