"""Tracking: gaze and pose are read back; a driver drives, whatever the camera shows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar_engine.errors import VideoError
from avatar_engine.head import load_head_rig
from avatar_engine.head.view import FACE_MIDDLE, View
from avatar_engine.persona import build_persona
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.tracking.driver import EASE_S, HOLD_S, Driver
from avatar_engine.tracking.gaze import LEFT_IRIS, RIGHT_IRIS, gaze_of
from avatar_engine.tracking.lids import LidGauge
from avatar_engine.tracking.observation import Observation
from avatar_engine.tracking.retarget import Rest, Retarget, angles_of, rotation_of
from avatar_engine.tracking.smoothing import OneEuro
from avatar_engine.tracking.tracker import FaceTracker
from avatar_engine.tracking.video import DrivingVideo
from avatar_engine.types import ARKIT_INDEX, FaceState, weights_of
from tests.support.synthetic_head import synthetic_head

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "face.png"
STRAIGHT = View(np.eye(3), 20.0, np.array([256.0, 256.0, 0.0]))
OPEN = np.array([0.36, 0.36])


@pytest.fixture(scope="module")
def maps():
    return synthetic_head()[0]


def seen_at(time_s: float, **changed) -> Observation:
    usual = Observation(
        time_s=time_s,
        landmarks=np.zeros((478, 3)),
        expression=np.zeros(52),
        view=STRAIGHT,
        gaze=np.zeros(2),
        openness=OPEN,
        score=0.99,
        error=0.01,
        shape=np.zeros((468, 3)),
        left_over=np.zeros((468, 3)),
    )
    return replace(usual, **changed)


@pytest.mark.parametrize("yaw", [-0.3, 0.0, 0.4])
@pytest.mark.parametrize("look", [(0.0, 0.0), (0.3, -0.1), (-0.25, 0.2)])
def test_gaze_is_read_back_from_irises_on_turned_heads(yaw, look):
    rig = load_head_rig()
    view = replace(STRAIGHT, turn=rotation_of(np.array([yaw, 0.1, -0.05])))
    ahead = rotation_of(np.array([*look, 0.0]))[:, 2]
    landmarks = np.zeros((478, 3))
    for eye, iris in enumerate((LEFT_IRIS, RIGHT_IRIS)):
        # Without perspective, as the reading assumes at the eye's own depth.
        middle = view.project(rig.eye_centers[eye].astype(np.float64))
        offset = view.turn @ ahead * rig.eye_radius * view.scale
        landmarks[iris] = middle + offset * [1, -1, -1]
    found = gaze_of(landmarks, view, rig.eye_centers, rig.eye_radius)
    assert found == pytest.approx(np.array([look, look]), abs=1e-6)


def test_angles_and_rotation_are_each_other_s_inverse():
    for pose in ([0.4, -0.2, 0.1], [-1.0, 0.6, -0.5], [0, 0, 0]):
        assert angles_of(rotation_of(np.array(pose))) == pytest.approx(pose, abs=1e-12)


def test_a_turn_about_the_neck_alone_needs_no_shift(maps):
    pose = np.array([0.2, 0.1, -0.05])
    arm = maps.placement[:, :3] @ (FACE_MIDDLE - maps.pivot)
    went = rotation_of(pose) @ arm - arm
    nearer = 130.0 / (130.0 - went[2])
    view = View(
        rotation_of(pose),
        STRAIGHT.scale * nearer,
        STRAIGHT.centre + STRAIGHT.scale * nearer * np.array([went[0], -went[1], 0.0]),
    )
    rest = Rest(np.zeros(52), STRAIGHT, np.zeros(2))
    state = Retarget(maps, limits=False).state(seen_at(0, view=view), rest)
    assert state.head_pose == pytest.approx(pose, abs=1e-6)
    assert state.head_shift == pytest.approx(np.zeros(3), abs=1e-5)


def test_the_driver_s_shape_stays_at_home(maps):
    driver = Driver(maps)
    smiling = weights_of(mouthSmile=0.4).astype(np.float64)
    for k in range(60):
        state = driver.follow(seen_at(k / 25, expression=smiling), k / 25)
    # A face that always smiles so is at rest: the persona does not smile.
    assert state.blendshapes[ARKIT_INDEX["mouthSmileLeft"]] == pytest.approx(0.0, abs=0.02)
    wider = weights_of(mouthSmile=0.9).astype(np.float64)
    for k in range(60, 70):
        state = driver.follow(seen_at(k / 25, expression=wider), k / 25)
    assert state.blendshapes[ARKIT_INDEX["mouthSmileLeft"]] > 0.4


def test_calibration_makes_the_next_picture_the_rest(maps):
    driver = Driver(maps)
    turned = replace(STRAIGHT, turn=rotation_of(np.array([0.3, 0.0, 0.0])))
    driver.calibrate()
    state = driver.follow(seen_at(0.0, view=turned, gaze=np.array([-0.3, 0.0])), 0.0)
    assert state.head_pose == pytest.approx(np.zeros(3), abs=1e-6)
    assert state.gaze == pytest.approx(np.zeros(2), abs=1e-6)


def test_a_lost_face_is_held_then_eases_to_rest_and_comes_back_without_a_jump(maps):
    driver = Driver(maps)
    turned = replace(STRAIGHT, turn=rotation_of(np.array([0.25, 0.0, 0.0])))
    time_s = 0.0
    for _ in range(40):
        driver.follow(seen_at(time_s), time_s)
        time_s += 0.04
    for _ in range(25):
        state = driver.follow(seen_at(time_s, view=turned), time_s)
        time_s += 0.04
    yaws = [state.head_pose[0]]
    assert yaws[0] > 0.15
    lost_s = time_s - 0.04
    while time_s - lost_s < HOLD_S + EASE_S + 0.2:
        yaws.append(driver.follow(None, time_s).head_pose[0])
        assert not driver.is_following
        if time_s - lost_s <= HOLD_S:
            assert yaws[-1] == yaws[0]
        time_s += 0.04
    assert yaws[-1] == 0.0
    assert np.abs(np.diff(yaws)).max() < 0.1 * yaws[0]
    back = [driver.follow(seen_at(time_s + k * 0.04), time_s + k * 0.04) for k in range(20)]
    assert driver.is_following
    assert np.abs(np.diff([state.head_pose[0] for state in back])).max() < 0.05


def test_a_blink_closes_whole_for_narrow_and_for_wide_eyes():
    for usual in (0.2, 0.45):
        gauge = LidGauge()
        for _ in range(40):
            gauge.closed(np.full(2, usual))
        assert gauge.closed(np.full(2, usual)).max() == 0.0
        assert gauge.closed(np.full(2, 0.3 * usual)).min() == 1.0
        assert 0.2 < gauge.closed(np.full(2, 0.6 * usual)).max() < 0.8


def test_the_filter_keeps_still_what_is_still_and_follows_a_jump():
    rng = np.random.default_rng(0)
    euro = OneEuro(1.5, 20.0)
    noisy = rng.normal(0, 0.004, 100)
    calm = [euro.smooth(np.array([x]), k / 25)[0] for k, x in enumerate(noisy)]
    assert np.std(np.diff(calm[20:])) < 0.5 * np.std(np.diff(noisy[20:]))
    jumped = [euro.smooth(np.array([1.0]), 4 + k / 25)[0] for k in range(5)]
    assert jumped[3] > 0.9


def test_a_file_without_a_picture_is_refused_in_one_line(tmp_path: Path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0" * 100)
    with pytest.raises(VideoError, match=r"broken\.mp4 cannot be read as a video"):
        DrivingVideo(broken)


def test_a_rendered_face_is_read_back_turn_mouth_and_blink():
    persona = build_persona(EXAMPLE)
    renderer = open_renderer(
        "cpu", persona.maps, persona.plates, persona.camera, RenderConfig(512, 512)
    )
    tracker = FaceTracker(identity_frames=3)

    def seen(state: FaceState, k: int) -> Observation:
        found = tracker.track(renderer.render(state).copy(), k / 25)
        assert found is not None
        return found

    still = [seen(FaceState(), k) for k in range(4)][-1]
    turned = seen(FaceState(head_pose=np.array([0.2, 0.1, -0.05], np.float32)), 4)
    found = angles_of(turned.view.turn @ still.view.turn.T)
    assert found == pytest.approx([0.2, 0.1, -0.05], abs=0.07)
    open_, jaw = seen(FaceState(weights_of(jawOpen=0.5)), 5), ARKIT_INDEX["jawOpen"]
    assert open_.expression[jaw] > still.expression[jaw] + 0.2
    shut = seen(FaceState(weights_of(eyeBlink=1.0)), 6)
    assert shut.openness.max() < 0.62 * still.openness.min()
    assert max(o.error for o in (still, turned, open_)) < 0.03
    wall = np.full((512, 512, 3), 128, np.uint8)
    assert tracker.track(wall, 7 / 25) is None
