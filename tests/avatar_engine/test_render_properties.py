"""What must hold for every head and every state, whatever the picture looks like."""

import dataclasses
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar_engine.render import RenderConfig
from avatar_engine.render.cpu.machine import float_mode
from avatar_engine.render.cpu.renderer import CpuRenderer
from avatar_engine.types import Camera, FaceState, HeadMaps, weights_of
from tests.support.synthetic_head import synthetic_head

SIZE = 96
LIGHT = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
angle = st.floats(-0.6, 0.6)
states = st.builds(
    lambda jaw, blink, pose, gaze, orbit: FaceState(
        weights_of(jawOpen=jaw, eyeBlink=blink),
        np.array(pose, np.float32),
        np.zeros(3, np.float32),
        np.array(gaze, np.float32),
        orbit,
    ),
    st.floats(0, 1),
    st.floats(0, 1),
    st.tuples(angle, angle, angle),
    st.tuples(angle, angle),
    st.floats(-3.2, 3.2),
)


@pytest.fixture(scope="module")
def head():
    return synthetic_head(SIZE, hair_rows=64)


@pytest.fixture(scope="module")
def renderer(head) -> CpuRenderer:
    return CpuRenderer(*head, RenderConfig(SIZE, SIZE))


def middle_of(coverage: np.ndarray) -> np.ndarray:
    """Centre of mass (x, y) in pixels."""
    y, x = np.mgrid[: coverage.shape[0], : coverage.shape[1]] + 0.5
    return np.array([(x * coverage).sum(), (y * coverage).sum()]) / coverage.sum()


@LIGHT
@given(state=states)
def test_coverage_is_a_share(renderer: CpuRenderer, state: FaceState) -> None:
    coverage = renderer.coverage(state)
    assert coverage.min() >= 0
    assert coverage.max() <= 1
    assert coverage.max() > 0.99  # a head is never glass


@LIGHT
@given(state=states)
def test_a_state_draws_the_same_whatever_came_before(head, renderer, state: FaceState) -> None:
    renderer.render(FaceState(head_pose=np.array([0.5, 0.2, 0.3], np.float32)))
    after_another = renderer.render(state).copy()
    fresh = CpuRenderer(*head, renderer.config, twin=renderer)
    assert np.array_equal(after_another, fresh.render(state))


@settings(LIGHT, max_examples=8)
@given(shift=st.floats(0.5, 4.0))
def test_moving_the_camera_left_moves_the_face_right(head, shift: float) -> None:
    maps, plates, camera = head
    viewmat = camera.viewmat.copy()
    viewmat[0, 3] += shift  # world to camera: the camera moved by -shift in x
    moved = Camera(viewmat, camera.K, camera.width, camera.height)
    config = RenderConfig(SIZE, SIZE)
    here = middle_of(CpuRenderer(maps, plates, camera, config).coverage(FaceState()))
    there = middle_of(CpuRenderer(maps, plates, moved, config).coverage(FaceState()))
    assert there[0] > here[0] + 0.3 * shift
    assert there[1] == pytest.approx(here[1], abs=0.3)


@pytest.mark.parametrize(
    ("pose", "axis", "sign"),
    [((0.3, 0, 0), 0, 1), ((0, 0.3, 0), 1, 1), ((0, 0, 0.3), 0, -1)],
    ids=["yaw to the subject's left", "pitch down", "roll counter-clockwise"],
)
def test_the_head_turns_the_way_conventions_say(head, pose, axis: int, sign: int) -> None:
    maps, plates, camera = head
    nose = int(np.argmax(np.where(maps.chart == 1, maps.positions[:, 2], -99)))
    brow = int(np.argmin(np.linalg.norm(maps.positions - [0, 9, 5], axis=1)))
    marked = np.zeros_like(maps.opacities)
    block = (np.array([-256, 0, 256])[:, None] + np.arange(-1, 2)).ravel()
    marked[(brow if axis == 0 and sign < 0 else nose) + block] = 0.9
    one = dataclasses.replace(maps, opacities=marked)
    config = RenderConfig(SIZE, SIZE)
    renderer = CpuRenderer(one, plates, camera, config)
    still = middle_of(renderer.coverage(FaceState()))
    turned = middle_of(renderer.coverage(FaceState(head_pose=np.array(pose, np.float32))))
    assert sign * (turned - still)[axis] > 2


def test_gaze_moves_the_irises_only(renderer: CpuRenderer) -> None:
    straight = renderer.render(FaceState()).astype(int)
    left = renderer.render(FaceState(gaze=np.array([0.35, 0], np.float32))).astype(int)
    changed = np.abs(left - straight).max(-1) > 12
    rows = np.flatnonzero(changed.any(1))
    assert changed.sum() > 10
    assert np.ptp(rows) < SIZE // 8  # a band across the eyes
    before, after = (np.maximum(90 - p.min(-1), 0) * changed for p in (straight, left))
    assert middle_of(after)[0] > middle_of(before)[0]  # to the subject's left: picture right


def test_closed_lips_hide_the_teeth(head, renderer: CpuRenderer) -> None:
    maps, plates, camera = head
    toothless = dataclasses.replace(
        maps, opacities=np.where(maps.chart == 3, 0, maps.opacities).astype(np.float32)
    )
    other = CpuRenderer(toothless, plates, camera, renderer.config)
    assert np.array_equal(renderer.render(FaceState()), other.render(FaceState()))
    is_open = FaceState(weights_of(jawOpen=0.9))
    assert np.abs(renderer.render(is_open).astype(int) - other.render(is_open)).max() > 100


def test_the_neutral_state_is_the_neutral_face(head, renderer: CpuRenderer) -> None:
    zero = FaceState(np.zeros(52, np.float32), *(np.zeros(n, np.float32) for n in (3, 3, 2)))
    neutral = renderer.render(FaceState()).copy()
    assert np.array_equal(neutral, renderer.render(zero))
    below = FaceState(np.full(52, -2.0, np.float32))  # weights end at zero, rest included
    resting = dataclasses.replace(head[0], rest=np.zeros(52, np.float32))
    other = CpuRenderer(resting, head[1], head[2], renderer.config)
    # Rest is in the surface with the modes' own 16 bits, and taken out with a block's eight.
    difference = renderer.render(below).astype(int) - other.render(FaceState())
    assert np.abs(difference).max() <= 2
    assert np.abs(difference).mean() < 0.01


def test_texels_of_distinct_depth_may_come_in_any_order(head) -> None:
    maps, plates, camera = head
    rows = len(maps.positions) // 256
    scattered = np.zeros(len(maps.positions), np.float32)
    scattered[:65536:97] = 0.9  # lone texels, no neighbours
    alone = dataclasses.replace(
        maps,
        opacities=scattered,
        neighbours=np.zeros_like(maps.neighbours),
        modes=np.zeros_like(maps.modes),
        chart=np.ones_like(maps.chart),
        lid_texels=np.zeros(0, np.int32),
        tints=np.zeros((0, 3), np.float32),
        tint_drivers=np.zeros(0, np.uint8),
        sigmas=np.full_like(maps.sigmas, 2.0),
    )
    order = np.random.default_rng(5).permutation(rows * 256)
    fields = ("positions", "head_weight", "chart", "neighbours", "colors", "opacities", "sigmas",
              "tangent_caps", "winding", "depth_bias")  # fmt: skip
    mixed = dataclasses.replace(alone, **{name: getattr(alone, name)[order] for name in fields})
    config = RenderConfig(SIZE, SIZE)
    first = CpuRenderer(alone, plates, camera, config).render(FaceState())
    second = CpuRenderer(mixed, plates, camera, config).render(FaceState())
    assert np.array_equal(first, second)


def test_numbers_that_are_not_finite_do_not_spread(head, renderer: CpuRenderer) -> None:
    bad = FaceState(
        np.full(52, np.nan, np.float32),
        np.array([np.nan, np.inf, 0], np.float32),
        np.full(3, np.inf, np.float32),
        np.full(2, np.nan, np.float32),
        float("nan"),
    )
    expected = renderer.render(FaceState()).copy()
    assert np.array_equal(renderer.render(bad), expected)
    maps: HeadMaps = head[0]
    positions = maps.positions.copy()
    positions[256 * 100 + 128] = np.nan
    positions[256 * 40 + 90] = np.inf
    holed = CpuRenderer(dataclasses.replace(maps, positions=positions), *head[1:], renderer.config)
    difference = np.abs(holed.render(FaceState()).astype(int) - expected).max(-1) > 0
    assert 0 < difference.sum() < 60  # holes of a few texels, and nothing else


def test_a_head_far_off_or_behind_the_camera_leaves_the_plates(head, renderer) -> None:
    maps, plates, camera = head
    empty = dataclasses.replace(maps, opacities=np.zeros_like(maps.opacities))
    expected = CpuRenderer(empty, plates, camera, renderer.config).render(FaceState())
    for shift in ([0, 0, 400], [4000, 0, 0], [0, -4000, 0]):
        placement = maps.placement.copy()
        placement[:, 3] += shift
        away = dataclasses.replace(maps, placement=placement)
        picture = CpuRenderer(away, plates, camera, renderer.config).render(FaceState())
        assert np.array_equal(picture, expected)


def test_two_threads_draw_what_one_draws(renderer: CpuRenderer) -> None:
    poses = [FaceState(head_pose=np.array([a, 0, 0], np.float32)) for a in np.linspace(-1, 1, 12)]
    expected = [renderer.render(pose).copy() for pose in poses]
    drawn: dict[int, np.ndarray] = {}

    def work(mine: CpuRenderer, first: int) -> None:
        for i in range(first, len(poses), 2):
            drawn[i] = mine.render(poses[i]).copy()

    threads = [threading.Thread(target=work, args=(renderer.twin(), i)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(drawn[i], picture) for i, picture in enumerate(expected))


def test_a_frame_leaves_the_threads_float_mode_alone(renderer: CpuRenderer) -> None:
    from numba import njit

    @njit
    def mode() -> int:
        old = float_mode(-1)
        float_mode(old)
        return old

    before = mode()
    renderer.render(FaceState())
    assert mode() == before
    assert np.float32(1e-40) * np.float32(1) > 0  # denormals still exist here
