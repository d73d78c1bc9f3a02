"""The mirror: what is drawn beside the driver is noticed, answered the other way, and forgotten."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar_engine.portrait import read_portrait
from avatar_engine.tracking.mirror import Mirror
from avatar_engine.tracking.retarget import angles_of, rotation_of
from avatar_engine.tracking.tracker import FaceTracker
from avatar_engine.tracking.trust import OUTLINE, landmark_trust

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "face.png"


@pytest.fixture(scope="module")
def picture():
    return read_portrait(EXAMPLE).image


@pytest.fixture(scope="module")
def seen(picture):
    found = FaceTracker(identity_frames=1).track(picture, 0.0)
    assert found is not None
    return found


def moved(picture, seen, *, right=0.0, down=0.0, degrees=0.0, scale=1.0):
    x, y = seen.view.centre[:2]
    move = cv2.getRotationMatrix2D((x, y), degrees, scale)
    move[:, 2] += right, down
    return cv2.warpAffine(
        picture, move, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE
    ).astype(np.uint8)


def answer(seen, drawn):
    mirror = Mirror()
    mirror.corrected(seen)
    mirror.look(drawn, seen)
    return mirror, mirror.corrected(seen)


def test_a_picture_drawn_alike_changes_little(picture, seen):
    _, view = answer(seen, picture)
    assert np.hypot(*(view.centre - seen.view.centre)[:2]) < 0.6  # pixels
    assert np.abs(angles_of(view.turn @ seen.view.turn.T)).max() < 0.006


def test_what_is_drawn_beside_the_driver_is_brought_back(picture, seen):
    _, alike = answer(seen, picture)
    _, view = answer(seen, moved(picture, seen, right=8, down=-6))
    back = (view.centre - alike.centre)[:2]
    assert back == pytest.approx([-0.3 * 8, 0.3 * 6], abs=0.8)
    _, view = answer(seen, moved(picture, seen, scale=1.06))
    assert np.log(view.scale / alike.scale) == pytest.approx(-0.3 * np.log(1.06), abs=0.006)
    _, view = answer(seen, moved(picture, seen, degrees=6))
    roll = angles_of(view.turn @ alike.turn.T)[2]
    assert roll == pytest.approx(-0.3 * np.radians(6), abs=0.012)


def test_what_was_learnt_is_forgotten_as_the_head_turns(picture, seen):
    mirror, view = answer(seen, moved(picture, seen, right=8))
    there = float((view.centre - seen.view.centre)[0])
    turned = replace(seen, view=replace(seen.view, turn=rotation_of(np.array([0.15, 0, 0]))))
    left = float((mirror.corrected(turned).centre - seen.view.centre)[0])
    assert abs(left) < 0.2 * abs(there)


def test_a_mouth_drawn_beside_the_drivers_is_asked_to_the_other_side(picture, seen):
    alike = answer(seen, picture)[0].beside
    x, y = seen.landmarks[[61, 291, 0, 17], :2].mean(0)
    pixel = np.mgrid[: picture.shape[0], : picture.shape[1]][::-1].astype(np.float32)
    reach = 0.9 * seen.view.scale * 5.0
    near = np.exp(-((pixel[0] - x) ** 2 + (pixel[1] - y) ** 2) / reach**2 * 4)
    down = 0.25 * seen.view.scale  # a quarter of a centimetre
    drawn = cv2.remap(picture, pixel[0], pixel[1] - down * near, cv2.INTER_LINEAR)
    mirror, _ = answer(seen, drawn)
    lips, brows = [0, 13, 14, 17], [70, 105, 300, 334]
    # The network sees half of so odd a bend.
    asked = (mirror.beside - alike)[:, 1]
    assert 0.3 < asked[lips].mean() / (0.2 * 0.25) < 1.1
    assert asked[13] == pytest.approx(asked[14], abs=1e-3)  # how far they are apart stays
    assert abs(asked[brows].mean()) < 0.01


def test_no_landmark_is_asked_far_beside_where_it_is_wanted(picture, seen):
    mirror = Mirror()
    for _ in range(12):
        mirror.corrected(seen)
        mirror.look(moved(picture, seen, degrees=-14, scale=0.9), replace(seen))
    assert 0 < np.abs(mirror.beside).max() <= 0.3


def test_a_picture_without_a_face_teaches_nothing(seen, picture):
    _, view = answer(seen, np.full_like(picture, 90))
    assert view.centre == pytest.approx(seen.view.centre)
    assert view.turn == pytest.approx(seen.view.turn)


def test_lids_are_trusted_most_and_the_outline_least():
    trust = landmark_trust()
    assert trust.shape == (468,)
    assert trust[159] > trust[5] > trust[list(OUTLINE)].max()
