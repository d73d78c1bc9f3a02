"""Frontal heads are drawn without what nobody could see of them."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from avatar_engine.render import RenderConfig
from avatar_engine.render.cpu.hidden import FRONTAL_YAW_RAD, is_frontal
from avatar_engine.render.cpu.renderer import CpuRenderer
from avatar_engine.types import Chart, FaceState, weights_of
from tests.support.synthetic_head import synthetic_head

SIZE = 192
FRONTAL = {
    "neutral": FaceState(),
    "not a number": FaceState(head_pose=np.array([np.nan, np.inf, 0.1], np.float32)),
    "turned": FaceState(head_pose=np.array([0.2, -0.15, 0.1], np.float32)),
    "speaking": FaceState(
        weights_of(jawOpen=0.8, eyeBlink=0.6), np.array([-0.12, 0.1, 0.0], np.float32)
    ),
}


@pytest.fixture(scope="module")
def head():
    return synthetic_head(SIZE)


@pytest.fixture(scope="module")
def renderer(head):
    return CpuRenderer(*head, RenderConfig(SIZE, SIZE))


def _with_everything(renderer: CpuRenderer, state: FaceState) -> np.ndarray:
    kept = renderer._frontal
    renderer._frontal = renderer._packed
    try:
        return renderer.render(state).copy()
    finally:
        renderer._frontal = kept


@pytest.mark.parametrize("name", FRONTAL)
def test_frontal_heads_look_the_same_with_fewer_gaussians(renderer, name: str) -> None:
    state = FRONTAL[name]
    assert is_frontal(state)
    expected = _with_everything(renderer, state)
    all_of_them = int(renderer._records.drawn[0])
    assert peak_signal_noise_ratio(expected, renderer.render(state)) >= 52
    assert renderer._records.drawn[0] < 0.95 * all_of_them


@pytest.mark.parametrize(
    "state",
    [
        FaceState(head_pose=np.array([1.1 * FRONTAL_YAW_RAD, 0, 0], np.float32)),
        FaceState(head_pose=np.array([0, -0.4, 0], np.float32)),
        FaceState(head_shift=np.array([0, 9, 0], np.float32)),
        FaceState(orbit=0.1),
    ],
    ids=["yaw", "pitch", "shift", "orbit"],
)
def test_other_heads_are_drawn_with_everything(renderer, state: FaceState) -> None:
    assert not is_frontal(state)
    np.testing.assert_array_equal(_with_everything(renderer, state), renderer.render(state))


def test_eyes_mouth_and_what_moves_stay(renderer, head) -> None:
    maps = head[0]
    is_left = (renderer._frontal.log_opacity == renderer._packed.log_opacity).ravel()
    assert not is_left.all()
    inside = ~np.isin(maps.chart, (Chart.SKIN, Chart.HAIR))
    assert is_left[inside].all()
    assert is_left[maps.lid_texels].all()


def test_small_pictures_are_drawn_with_everything() -> None:
    small = CpuRenderer(*synthetic_head(96), RenderConfig(96, 96, "rgba"))
    state = FRONTAL["turned"]
    np.testing.assert_array_equal(_with_everything(small, state), small.render(state))


def test_twins_share_what_is_hidden(renderer) -> None:
    twin = renderer.twin()
    assert twin._frontal is renderer._frontal
    np.testing.assert_array_equal(renderer.render(FaceState()).copy(), twin.render(FaceState()))
