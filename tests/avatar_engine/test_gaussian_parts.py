"""Small parts of the skin's making, each against something obviously right."""

import numpy as np
import pytest
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import (
    binary_closing,
    binary_dilation,
    binary_fill_holes,
    binary_opening,
    distance_transform_edt,
)
from scipy.sparse import csr_array, diags_array

from avatar_engine.gaussian.masks import closed, dilated, opened, without_holes
from avatar_engine.gaussian.residual import _plate
from avatar_engine.gaussian.sampling import sample
from avatar_engine.gaussian.shelves import packed
from avatar_engine.gaussian.smooth import blur_atlas, distance, fill, smoothstep
from avatar_engine.gaussian.solve import _conjugate_gradients, composed_plate
from avatar_engine.gaussian.steps import in_steps
from avatar_engine.gaussian.zbuffer import nearest
from avatar_engine.types import Plates


def test_samples_are_exact_at_pixel_centres_and_linear_between():
    picture = np.arange(12, dtype=np.float32).reshape(3, 4)
    at = np.array([[0.5, 0.5], [3.5, 2.5], [1.0, 0.5], [-5, 0.5]])
    assert np.allclose(sample(picture, at), [0, 11, 0.5, 0])


def test_the_nearest_triangle_wins():
    points = np.array(
        [[0, 0, 5.0], [8, 0, 5], [0, 8, 5], [0, 0, 3], [4, 0, 3], [0, 4, 3]], np.float64
    )
    triangles = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
    seen = nearest(points, triangles, width=8, height=8)
    assert seen.triangle[0, 0] == 1
    assert seen.triangle[0, 6] == 0
    assert seen.triangle[7, 7] == -1
    assert seen.depth[0, 0] == pytest.approx(3)
    assert np.isinf(seen.depth[7, 7])


def test_a_blur_crosses_the_back_seam():
    grid = np.zeros((32, 32), np.float32)
    grid[10, 0] = 1
    spread = blur_atlas(grid, 2.0)
    assert spread[10, 31] == pytest.approx(spread[10, 1], rel=1e-4)
    crown = np.zeros((32, 32), np.float32)
    crown[0, 5] = 1
    spread = blur_atlas(crown, 2.0)
    assert spread[0, 26] > 0.5 * spread[1, 5]


def test_a_fill_keeps_what_is_known_and_stays_within_its_range():
    rng = np.random.default_rng(0)
    values = rng.uniform(0.2, 0.8, (64, 64, 3)).astype(np.float32)
    weight = np.zeros((64, 64), np.float32)
    weight[20:40, 20:40] = 1
    full = fill(values, weight)
    assert np.allclose(full[20:40, 20:40], values[20:40, 20:40], atol=1e-5)
    assert full.min() >= 0.2 - 1e-4
    assert full.max() <= 0.8 + 1e-4


def test_smoothstep_rises_and_falls():
    assert smoothstep(0.5, 0, 1) == pytest.approx(0.5)
    assert smoothstep(2.0, 0, 1) == 1
    assert smoothstep(0.1, 1, 0) > 0.9


def test_shelves_hold_every_live_texel_once():
    rng = np.random.default_rng(1)
    live = rng.random((90, 130)) < 0.3
    shape = live.shape
    sheet = {
        "positions": rng.random((*shape, 3)), "colors": np.zeros((*shape, 3)),
        "sigmas": np.ones((*shape, 2)), "tangent_caps": np.ones((*shape, 2)),
        "neighbours": np.full(shape, 15, np.uint8), "chart": np.where(live, 7, 0),
    }  # fmt: skip
    for name in ("head_weight", "trust", "opacities", "winding", "depth_bias"):
        sheet[name] = np.zeros(shape)
    maps = packed([sheet])
    assert len(maps["chart"]) % 256 == 0
    kept = maps["chart"] == 7
    assert kept.sum() == live.sum()
    ordered = np.sort(maps["positions"][kept, 0])
    assert np.allclose(ordered, np.sort(sheet["positions"][live, 0]))
    assert packed([])["positions"].shape == (0, 3)


def test_conjugate_gradients_solve_each_channel():
    rng = np.random.default_rng(2)
    weights = csr_array((rng.random((40, 12)) * (rng.random((40, 12)) < 0.5)).astype(np.float32))
    trust = rng.random(40).astype(np.float32) * (rng.random(40) < 0.8)
    residual = rng.random((40, 3)).astype(np.float32)
    damping = rng.random(12).astype(np.float32) + np.float32(0.1)
    chain = diags_array([-1.0, -1.0], offsets=[-1, 1], shape=(12, 12))
    tied = csr_array(diags_array(-chain.sum(0)) + chain).astype(np.float32)
    found = _conjugate_gradients(weights, trust, residual, damping, tied, 60)
    W, D = weights.toarray(), np.diag(trust)
    H = W.T @ D @ W + np.diag(damping) + tied.toarray()
    assert np.allclose(found, np.linalg.solve(H, W.T @ D @ residual), atol=1e-4)


def test_the_plate_is_composed_with_straight_alpha():
    background = np.full((8, 8, 3), 100, np.uint8)
    body = np.zeros((8, 8, 4), np.uint8)
    body[..., 0], body[..., 3] = 200, 51
    shown = composed_plate(Plates(background, body), 8)
    assert shown[0, 0, 0] == pytest.approx((100 * 0.8 + 200 * 0.2) / 255, abs=1e-4)
    assert shown[0, 0, 1] == pytest.approx(80 / 255, abs=1e-4)


@pytest.mark.parametrize("times", [1, 3])
def test_masks_grow_and_shrink_as_slowly_done(times: int) -> None:
    mask = np.random.default_rng(4).random((40, 50)) > 0.4
    beside = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
    assert (dilated(mask, times) == binary_dilation(mask, beside, times)).all()
    assert (opened(mask, times) == binary_opening(mask, beside, times)).all()
    assert (closed(mask, times) == binary_closing(mask, beside, times)).all()
    assert (without_holes(mask) == binary_fill_holes(mask)).all()


def test_distances_are_exact() -> None:
    mask = np.random.default_rng(5).random((60, 70)) > 0.01
    assert np.allclose(distance(mask), distance_transform_edt(mask), atol=1e-4)


def test_a_fill_keeps_what_is_known_and_reaches_everything_else() -> None:
    ramp = np.linspace(0, 1, 128, dtype=np.float32)[None, :, None] * np.ones(
        (128, 1, 3), np.float32
    )
    weight = np.ones((128, 128), np.float32)
    weight[40:90, 30:100] = 0
    whole = fill(np.where(weight[..., None] > 0, ramp, 9), weight, on_atlas=False)
    assert np.allclose(whole[weight > 0], ramp[weight > 0], atol=1e-5)
    assert np.abs(whole - ramp).max() < 0.3  # nearest first


def test_modes_in_steps_lose_half_a_step() -> None:
    modes = np.random.default_rng(6).normal(size=(3, 50, 3)).astype(np.float32)
    modes[1] = 0
    whole, scales = in_steps(modes)
    assert scales[1] == 1
    assert np.abs(whole * scales[:, None, None] - modes).max() <= scales.max() / 2 + 1e-6
    assert in_steps(modes, finest=1.0)[1].min() == 1


def test_a_thin_plate_is_what_scipy_makes_of_it() -> None:
    rng = np.random.default_rng(7)
    at, values, asked = rng.random((30, 2)) * 500, rng.normal(size=(30, 2)), rng.random((50, 2))
    asked *= 500
    expected = RBFInterpolator(at, values, smoothing=8.0, kernel="thin_plate_spline")(asked)
    near, found = _plate(at, values, asked)
    assert np.allclose(found, expected, atol=1e-6)
    assert np.allclose(near, np.linalg.norm(asked[:, None] - at, axis=-1).min(1))
