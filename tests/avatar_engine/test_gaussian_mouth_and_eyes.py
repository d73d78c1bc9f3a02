"""Mouths that close, bite and round, eyes that shut, glasses that stay: on four real people."""

import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar_engine.head import load_head_rig
from avatar_engine.motion.coarticulation import MouthTrack
from avatar_engine.persona import Persona, build_persona
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.render.joints import expression_weights, tint_amounts
from avatar_engine.shapes import tangents
from avatar_engine.types import Chart, FaceState, Plates, weights_of
from avatar_engine.types.maps import TintDriver
from avatar_engine.types.speech import Phoneme

pytestmark = pytest.mark.shared
PEOPLE = ("p002", "p008", "p020", "p022")
GLASSES = ("p020",)
SMILES = ("p002", "p008", "p020", "p022")
SIZE = 512
INNER = (Chart.TEETH, Chart.GUM, Chart.TONGUE, Chart.CAVITY)


@pytest.fixture(scope="module")
def people() -> dict[str, Persona]:
    shared = os.environ.get("LIVEPITCH_SHARED")
    if not shared:
        pytest.skip("LIVEPITCH_SHARED names no folder of development data")
    folder = Path(shared) / "data" / "portraits" / "dev"
    return {name: build_persona(folder / f"{name}.jpg") for name in PEOPLE}


def _mouth(symbol: str) -> np.ndarray:
    track = MouthTrack()
    track.feed([Phoneme(symbol, 0.2, 0.5)])
    return track.weights(0.35)


def _surface(persona: Persona, blendshapes: np.ndarray) -> np.ndarray:
    """[N, 3] head space, cm."""
    maps = persona.maps
    weights = np.clip(maps.rest + blendshapes, 0, 1) * maps.mode_scales[:52]
    return maps.positions[:65536] + np.tensordot(weights, maps.modes[:52].astype(np.float32), 1)


def _gaps_px(persona: Persona, blendshapes: np.ndarray) -> np.ndarray:
    """Gap of each pair along the inner lips but the corners', pixels at 512."""
    maps, camera = persona.maps, persona.camera.framed(SIZE, SIZE)
    x = _surface(persona, blendshapes)
    place = maps.placement
    upper, lower = (
        camera.project(x[at] @ place[:, :3].T + place[:, 3])[:, 1]
        for at in (maps.lip_upper, maps.lip_lower)
    )
    return (lower - upper)[1:-1]


def _light_of(persona: Persona, charts: tuple[Chart, ...], state: FaceState) -> np.ndarray:
    """[SIZE, SIZE] how much of each pixel some charts fill, in [0, 255]."""
    maps = persona.maps
    marked = np.where(np.isin(maps.chart, charts)[:, None], [0, 1.0, 0], 0).astype(np.float32)
    plain = replace(
        maps,
        colors=marked,
        tints=np.zeros((0, 3), np.float32),
        tint_drivers=np.zeros(0, np.uint8),
    )
    config = RenderConfig(SIZE, SIZE, background=(0, 0, 0), has_body=False)
    # No photo's detail: what is asked is where each chart's Gaussians end up.
    renderer = open_renderer("cpu", plain, _without_detail(persona), persona.camera, config)
    picture = renderer.render(state)[..., 1].astype(np.float32)
    renderer.close()
    return picture


def _without_detail(persona: Persona) -> Plates:
    plates = persona.plates
    if hasattr(plates, "photo"):
        return replace(plates, photo=np.zeros((0, 0, 3), np.uint8))
    return plates


def _picture(persona: Persona, state: FaceState) -> np.ndarray:
    config = RenderConfig(SIZE, SIZE)
    renderer = open_renderer("cpu", persona.maps, persona.plates, persona.camera, config)
    picture = renderer.render(state).copy()
    renderer.close()
    return picture


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("sound", "pbm")
def test_lips_close_without_a_gap(people, name, sound):
    assert _gaps_px(people[name], _mouth(sound)).max() < 0.5


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("sound", "fv")
def test_the_lower_lip_meets_the_teeth(people, name, sound):
    persona = people[name]
    x = _surface(persona, _mouth(sound))
    maps = persona.maps
    head = maps.positions[:65536]
    middle = maps.lip_upper[len(maps.lip_upper) // 2]
    teeth = (maps.chart[:65536] == Chart.TEETH) & (maps.opacities[:65536] > 0.5)
    upper = teeth & (np.abs(maps.modes[24, :, 1] * maps.mode_scales[24]) < 0.5)  # the jaw stays
    near = upper & (np.abs(head[:, 0] - head[middle, 0]) < 0.5)
    edge = x[near, 1].min()
    lip = np.median(x[maps.lip_lower[len(maps.lip_lower) // 2 - 1 :][:3], 1])
    assert -0.12 < lip - edge < 0.45  # the lip covers the edge of the teeth, and not the teeth


@pytest.mark.parametrize("name", PEOPLE)
def test_the_mouth_is_narrower_for_u_than_for_i(people, name):
    def width(sound: str) -> float:
        x = _surface(people[name], _mouth(sound))
        maps = people[name].maps
        return float(x[maps.lip_upper[-1], 0] - x[maps.lip_upper[0], 0])

    assert width("uː") < 0.82 * width("iː")


@pytest.mark.parametrize("name", PEOPLE)
def test_skin_beyond_the_corners_of_a_closed_mouth_does_not_fold(people, name):
    persona = people[name]
    maps, place = persona.maps, persona.maps.placement
    rig, at = load_head_rig(), _surface(persona, np.zeros(52, np.float32))
    R = rig.resolution
    p = persona.camera.project(at @ place[:, :3].T + place[:, 3])[:, :2].reshape(R, R, 2)
    tu, tv = tangents(p, maps.neighbours[: R * R].reshape(R, R))
    turned = (tu[..., 0] * tv[..., 1] - tu[..., 1] * tv[..., 0]).ravel() * maps.winding[: R * R]
    for corner, outward in ((61, -1), (291, 1)):
        row, col = divmod(int(rig.landmark_texels[corner][0]), R)
        rows, cols = np.mgrid[row - 6 : row + 7, 1:9]
        assert turned[rows * R + col + outward * cols].min() > 0


@pytest.mark.parametrize("name", PEOPLE)
def test_a_closed_mouth_shows_nothing_of_its_inside(people, name):
    for state in (FaceState(), FaceState(weights_of(mouthSmile=0.5)), FaceState(_mouth("m"))):
        assert _light_of(people[name], INNER, state).max() < 24  # of 255


@pytest.mark.parametrize("name", PEOPLE)
def test_the_tongue_is_seen_for_th_and_l_and_hidden_for_s(people, name):
    def share(sound: str) -> float:
        state = FaceState(_mouth(sound))
        inside = _light_of(people[name], INNER, state).sum()
        return float(_light_of(people[name], (Chart.TONGUE,), state).sum() / inside)

    assert min(share("θ"), share("l")) > 0.2
    assert share("s") < 0.1


@pytest.mark.parametrize("name", PEOPLE)
def test_an_open_mouth_is_rimmed_by_nothing_of_the_photos_smile(people, name):
    persona = people[name]
    opened = FaceState(weights_of(jawOpen=0.5))
    lips = (persona.maps.tint_drivers == TintDriver.LIPS) & (persona.maps.tints.sum(1) < 0)
    assert lips.sum() > 100
    inside = _light_of(persona, INNER, opened) > 100
    rim = cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    plain = replace(persona, plates=_without_detail(persona))
    change = _picture(persona, opened).astype(int) - _picture(plain, opened)
    assert np.abs(change[rim]).mean() < 3  # bytes


@pytest.mark.parametrize("name", PEOPLE)
def test_both_eyes_look_at_one_point(people, name):
    left, right = np.degrees(people[name].maps.eye_gaze)
    assert -4 < right[0] - left[0] < 6  # a camera at 130 cm asks for 2.7
    assert abs(right[1] - left[1]) < 3


@pytest.mark.parametrize("name", PEOPLE)
def test_a_closed_lid_ends_in_a_dark_line(people, name):
    persona = people[name]
    maps = persona.maps
    strip = np.nonzero(maps.chart[:65536] == Chart.HAIR)[0]
    assert 40 < len(strip) < 120
    camera = persona.camera.framed(SIZE, SIZE)
    for shut in (weights_of(eyeBlink=0.8), weights_of(eyeBlink=1.0)):
        light = _picture(persona, FaceState(shut)).mean(-1)
        x = _surface(persona, shut)[strip]
        at = camera.project(x @ maps.placement[:, :3].T + maps.placement[:, 3])
        core = maps.opacities[strip] > 0.3
        col, row = at[core, :2].astype(int).T
        above = light[row - 7, col]
        line = np.minimum.reduce([light[row + k, col] for k in (-1, 0, 1, 2)])
        assert np.median(line / above) < 0.8


@pytest.mark.parametrize("name", PEOPLE)
def test_a_blink_leaves_no_eye_and_looks_like_skin(people, name):
    persona = people[name]
    opened = _light_of(persona, (Chart.EYE,), FaceState())
    shut = FaceState(weights_of(eyeBlink=1.0))
    closed = _light_of(persona, (Chart.EYE,), shut)
    assert closed.max() < 72  # of 255: nowhere does an eye show through
    assert closed.sum() < 0.2 * opened.sum()  # spread thin over the lids
    lid = opened > 128
    picture = _picture(persona, shut).astype(np.float32) / 255
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    grown = cv2.dilate(lid.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    ring = grown & ~lid
    bright = ring & (lab[..., 0] > np.median(lab[ring, 0]) - 4)  # no liner, no frame, no brow
    inside = lid & (lab[..., 0] > np.percentile(lab[lid, 0], 30))  # no lashes
    apart = np.linalg.norm(np.median(lab[inside], 0) - np.median(lab[bright], 0))
    assert apart < 8  # CIE 1976


@pytest.mark.parametrize("name", GLASSES)
def test_no_expression_moves_glasses(people, name):
    maps = people[name].maps
    skin = maps.chart[:65536] == Chart.SKIN
    eyes = maps.positions[:65536] - maps.eye_centers.mean(0)
    bridge = skin & (np.abs(eyes[:, 0]) < 0.8) & (np.abs(eyes[:, 1]) < 0.4) & (eyes[:, 2] > 0)
    assert bridge.sum() > 20
    assert np.abs(maps.modes[:52, bridge] * maps.mode_scales[:52, None, None]).max() < 0.02


@pytest.mark.parametrize("name", [n for n in PEOPLE if n not in GLASSES])
def test_a_bare_face_is_not_held_still(people, name):
    maps = people[name].maps
    eyes = maps.positions[:65536] - maps.eye_centers.mean(0)
    x, y, z = eyes.T
    brows = (np.abs(np.abs(x) - 3) < 1) & (np.abs(y - 1.8) < 0.4) & (z > 0)
    raised = maps.modes[2, brows, 1] * maps.mode_scales[2]
    assert np.median(raised) > 0.05


@pytest.mark.parametrize("name", PEOPLE)
def test_tints_rest_in_the_photos_own_expression(people, name):
    maps = people[name].maps
    photo = FaceState(maps.source - maps.rest)
    assert (tint_amounts(maps, expression_weights(maps, photo, 1.0)) < 1e-6).all()
    neutral = tint_amounts(maps, expression_weights(maps, FaceState(), 0.0))
    if name in SMILES:
        assert neutral[TintDriver.RELAX] == 1
        assert (maps.tint_drivers == TintDriver.RELAX).sum() > 300
    shut = tint_amounts(maps, expression_weights(maps, FaceState(weights_of(eyeBlink=1.0)), 0.0))
    assert shut[[TintDriver.LEFT_LID, TintDriver.RIGHT_LID]].min() == 1
