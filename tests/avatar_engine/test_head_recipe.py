import os
from pathlib import Path

import numpy as np
import pytest

from avatar_engine.head import load_head_rig
from avatar_engine.training.head_model.layout import R, twin_texel
from avatar_engine.training.head_model.mesh import (
    boundary_loops,
    local_frames,
    signed_areas,
)
from avatar_engine.training.head_model.raster import cover
from avatar_engine.training.head_model.resample import mirrored, principal_modes
from avatar_engine.training.head_model.slim import slim, tutte
from avatar_engine.training.head_model.tongue import tongue_out
from avatar_engine.types import Chart


def grid_mesh(n: int) -> tuple[np.ndarray, np.ndarray]:
    """An n x n grid of points in the unit square, as triangles."""
    v, u = np.mgrid[:n, :n] / (n - 1)
    index = np.arange(n * n).reshape(n, n)
    a, b, c, d = (
        i.ravel() for i in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1])
    )
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return np.stack([u.ravel(), v.ravel()], 1), triangles


def test_a_rolled_sheet_is_flattened_without_stretch_or_fold():
    flat, triangles = grid_mesh(12)
    angle = flat[:, 0] * 2.0  # a sheet rolled around a cylinder is developable: energy 4 exists
    points = np.stack([np.sin(angle) / 2.0, flat[:, 1], np.cos(angle) / 2.0], 1)
    border = np.array(boundary_loops(triangles)[0])
    placed = np.zeros(len(flat), bool)
    placed[border] = True
    circle = np.zeros((len(flat), 2))
    turn = np.arange(len(border)) / len(border) * 2 * np.pi
    circle[border] = np.stack([np.cos(turn), np.sin(turn)], 1) * 0.5
    start = tutte(triangles, placed, circle)
    if np.median(signed_areas(start, triangles)) < 0:
        start[:, 0] *= -1
    assert (signed_areas(start, triangles) > 0).all()
    free = np.ones((len(flat), 2), bool)
    free[0] = False
    weights = np.ones(len(triangles))
    found, energy = slim(start, triangles, local_frames(points, triangles), weights, free)
    assert (signed_areas(found, triangles) > 0).all()
    assert energy < 4.01


def test_boundary_loops_are_found_longest_first():
    _, triangles = grid_mesh(6)
    inner = np.isin(triangles, [14, 15, 20, 21]).any(1)
    loops = boundary_loops(triangles[~inner])
    assert len(loops) == 2
    assert len(loops[0]) == 20
    assert len(loops[1]) < 20


def test_the_nearest_triangle_covers_a_texel_with_its_weights():
    points = np.array([[0, 0, 1.0], [4, 0, 1], [0, 4, 1], [0, 0, 2], [2, 0, 2], [0, 2, 2]])
    triangles = np.array([[0, 1, 2], [3, 4, 5]])
    found, weights = cover(points, triangles, 4, 4)
    assert found[0, 0] == 1
    assert found[0, 2] == 0
    assert found[3, 3] == -1
    at = np.einsum("k,kd->d", weights[1, 1], points[triangles[found[1, 1]]])
    np.testing.assert_allclose(at[:2], [1.5, 1.5])
    assert cover(points, triangles, 4, 4, longest=3)[0][0, 2] == -1


def test_twins_of_twins_are_themselves():
    texels = np.arange(R * R)
    np.testing.assert_array_equal(twin_texel(twin_texel(texels)), texels)
    maps = np.random.default_rng(0).normal(size=(2, R * R, 3))
    np.testing.assert_array_equal(mirrored(mirrored(maps)), maps)
    np.testing.assert_array_equal(mirrored(maps)[:, twin_texel(texels)], maps * [-1, 1, 1])


def test_principal_modes_are_uncorrelated_whatever_the_modes_were():
    random = np.random.default_rng(0)
    modes = np.tensordot(random.normal(size=(6, 6)), random.normal(size=(6, 50, 3)), 1)
    area = random.uniform(size=50)
    area /= area.sum()
    turn, variance = principal_modes(modes, area)
    np.testing.assert_allclose(turn @ turn.T, np.eye(6), atol=1e-9)
    new = np.tensordot(turn, modes, 1)
    gram = np.einsum("and,bnd,n->ab", new, new, area)
    np.testing.assert_allclose(gram, np.diag(variance), atol=1e-9)
    assert (np.diff(variance) <= 0).all()


def test_the_tongue_goes_out_and_down_and_stays_rooted():
    z = np.linspace(5.0, 9.75, 30)
    at = np.stack([np.zeros(30), np.full(30, -3.2), z], 1)
    moved = at + tongue_out(at)
    np.testing.assert_allclose(moved[0], at[0], atol=1e-9)
    assert (np.diff(moved[:, 2]) > 0).all()
    assert moved[-1, 2] > 13
    assert moved[-1, 1] < moved[15, 1]


@pytest.mark.shared
@pytest.mark.slow
def test_the_shipped_shapes_are_what_the_recipe_makes():
    shared = os.environ.get("LIVEPITCH_SHARED")
    if not shared:
        pytest.skip("LIVEPITCH_SHARED is unset: no rigs to build from")
    from avatar_engine.training.head_model.atlas import flatten_skin
    from avatar_engine.training.head_model.charts import sampler, skin_patch
    from avatar_engine.training.head_model.rigs import read_face_kit

    kit = read_face_kit(Path(shared) / "data/rigs")
    chart = flatten_skin(kit)
    assert len(chart.triangles) > 10_000
    assert (signed_areas(chart.uv, chart.triangles) > 0).all()
    made = sampler(kit, [skin_patch(chart)]) @ kit.vertices
    made = (made + mirrored(made)) / 2
    rig = load_head_rig()
    skin = rig.chart.reshape(-1) == Chart.SKIN
    error = np.linalg.norm(made[skin] - rig.mean[skin], axis=1)
    # Another machine's arithmetic may end SLIM an iteration apart: same shape, texels a hair off.
    assert np.percentile(error, 95) < 0.02


def test_a_folder_without_rigs_is_named(tmp_path: Path):
    from avatar_engine.training.head_model.rigs import read_face_kit

    with pytest.raises(FileNotFoundError, match=r"ict_facekit\.npz is missing; --rigs"):
        read_face_kit(tmp_path)
