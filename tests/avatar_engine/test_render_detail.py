"""The photo's finer detail: both makings agree, and it follows the surface."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from avatar_engine.render import RenderConfig, definition
from avatar_engine.render.colour import to_i420
from avatar_engine.render.cpu.renderer import CpuRenderer
from avatar_engine.render.reference import ReferenceRenderer
from avatar_engine.types import FaceState, weights_of
from tests.support.striped_photo import with_striped_photo
from tests.support.synthetic_head import synthetic_head

SIZE = 128
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def head():
    """A head whose photo shows more than its Gaussians can: fine stripes all over."""
    scene = with_striped_photo(*synthetic_head(SIZE))
    return *scene, scene[1].photo


def as_photographed(maps) -> FaceState:
    return FaceState(blendshapes=maps.source - maps.rest)


def test_the_source_view_is_the_photo_where_the_head_is(head):
    maps, plates, camera, photo = head
    renderer = CpuRenderer(maps, plates, camera, RenderConfig(SIZE, SIZE))
    covered = renderer.coverage(as_photographed(maps), source_residual=1.0) > 0.9
    shown = renderer.render(as_photographed(maps), source_residual=1.0)
    assert peak_signal_noise_ratio(photo[covered], shown[covered]) > 40
    without = CpuRenderer(maps, replace(plates, photo=plates.photo[:0]), camera, renderer.config)
    plain = without.render(as_photographed(maps), source_residual=1.0)
    assert peak_signal_noise_ratio(photo[covered], plain[covered]) < 30


@pytest.mark.parametrize(
    "state",
    [
        FaceState(),
        FaceState(weights_of(jawOpen=0.7, eyeBlink=0.8), np.array([0.25, 0.1, -0.1], np.float32)),
        FaceState(head_shift=np.array([2.0, 1.0, 0.0], np.float32), orbit=0.3),
        FaceState(orbit=np.pi),
    ],
    ids=["rest", "open and turned", "moved", "behind"],
)
@pytest.mark.parametrize("format_", ["rgb", "rgba"])
def test_both_makings_agree(head, state, format_):
    config = RenderConfig(SIZE, SIZE, format_)
    expected = ReferenceRenderer(*head[:3], config).render(state)
    actual = CpuRenderer(*head[:3], config).render(state)
    if format_ == "rgba":  # colour counts as far as it covers
        expected, actual = (p[..., :3] * (p[..., 3:] / 255.0) for p in (expected, actual))
        expected, actual = expected.astype(np.uint8), actual.astype(np.uint8)
    assert peak_signal_noise_ratio(expected, actual) >= 44
    assert abs((actual.astype(float) - expected).mean()) < 0.25


def test_both_makings_agree_on_large_pictures(head, monkeypatch):
    monkeypatch.setattr(definition, "LARGEST_DRAWN_PX", SIZE)
    state = FaceState(weights_of(jawOpen=0.3), np.array([0.15, 0.1, -0.1], np.float32))
    config = RenderConfig(2 * SIZE, 2 * SIZE)
    expected = ReferenceRenderer(*head[:3], config).render(state)
    actual = CpuRenderer(*head[:3], config).render(state)
    assert peak_signal_noise_ratio(expected, actual) >= 44


def test_i420_is_the_rgb_picture_converted(head):
    state = FaceState(head_pose=np.array([0.1, 0.05, 0.0], np.float32))
    for size in ((SIZE, SIZE), (120, 200)):
        rgb = CpuRenderer(*head[:3], RenderConfig(*size, "rgb")).render(state)
        i420 = CpuRenderer(*head[:3], RenderConfig(*size, "i420")).render(state)
        luma = size[0] * size[1]
        expected = to_i420(rgb)
        assert peak_signal_noise_ratio(expected[:luma], i420[:luma]) >= 45
        assert peak_signal_noise_ratio(expected[luma:], i420[luma:]) >= 38


def test_detail_moves_with_the_surface_and_does_not_stay_on_the_screen(head):
    maps, plates, camera, _ = head
    shift = FaceState(maps.source - maps.rest, head_shift=np.array([0.0, 2.0, 0.0], np.float32))
    drawn = []
    for photo in (plates.photo, plates.photo[:0]):
        renderer = CpuRenderer(maps, replace(plates, photo=photo), camera, RenderConfig(SIZE, SIZE))
        here = renderer.render(as_photographed(maps), source_residual=1.0).astype(float)
        moved = renderer.render(shift, source_residual=1.0).astype(float)
        drawn.append((here, moved))
    detail_here, detail_moved = (drawn[0][n] - drawn[1][n] for n in (0, 1))
    middle = slice(40, 90)
    scores = {
        lag: np.corrcoef(
            detail_here[40:90, middle].ravel(), np.roll(detail_moved, lag, 0)[40:90, middle].ravel()
        )[0, 1]
        for lag in range(-12, 13)
    }
    best = max(scores, key=lambda lag: scores[lag])
    # Two centimetres up are some pixels up on the screen: rolled down again it fits.
    expected = 2.0 * camera.K[0, 0] / 121
    assert best == pytest.approx(expected, abs=1.5)
    assert scores[best] > max(0.8, scores[0] + 0.08)


def test_what_stood_before_a_guessed_side_does_not_turn_with_it(head):
    """A photo that is lighter all over than what the Gaussians show of it."""
    maps, plates, camera, photo = head
    lighter = np.clip(photo.astype(np.int16) + 25, 0, 255).astype(np.uint8)
    turned = FaceState(maps.source - maps.rest, np.array([0.8, 0.0, 0.0], np.float32))
    added = []
    for state in (as_photographed(maps), turned):
        with_, without = (
            CpuRenderer(maps, replace(plates, photo=p), camera, RenderConfig(SIZE, SIZE))
            .render(state, source_residual=1.0)
            .astype(float)[50:80, 55:73]
            for p in (lighter, plates.photo[:0])
        )
        added.append((with_ - without).mean())
    assert added[0] > 20  # the photo's own view keeps all
    assert added[1] < 0.5 * added[0]


def test_nothing_is_left_behind_where_the_head_was(head):
    maps, plates, camera, _ = head
    renderer = CpuRenderer(maps, plates, camera, RenderConfig(SIZE, SIZE))
    away = FaceState(head_shift=np.array([25.0, 0.0, 0.0], np.float32))
    fresh = CpuRenderer(maps, plates, camera, RenderConfig(SIZE, SIZE)).render(away).copy()
    for _ in range(3):
        renderer.render(FaceState())
    assert np.array_equal(renderer.render(away), fresh)
