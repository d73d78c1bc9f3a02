"""A driver's face is eased in and out, leaves the mouth to speech, and is forgotten when gone."""

import numpy as np
import pytest

from avatar_engine.engine.puppet import EASE_S, STALE_S, Puppet
from avatar_engine.types import ARKIT_INDEX, FaceState, weights_of

FPS = 25
OWN = FaceState(blendshapes=weights_of(jawOpen=0.1), head_pose=np.array([0.1, 0, 0], np.float32))
THEIRS = FaceState(
    blendshapes=weights_of(jawOpen=0.9, browInnerUp=0.8),
    head_pose=np.array([-0.3, 0, 0], np.float32),
)


def test_without_a_driver_the_face_is_its_own():
    assert Puppet(FPS).face(OWN, is_speaking=False) is OWN


def test_a_driver_is_eased_in_and_out_without_a_jump():
    puppet = Puppet(FPS)
    yaws = []
    for k in range(60):
        puppet.follow(THEIRS if k < 30 else None)
        yaws.append(float(puppet.face(OWN, is_speaking=False).head_pose[0]))
    assert yaws[29] == pytest.approx(-0.3)
    assert yaws[-1] == pytest.approx(0.1)
    assert np.abs(np.diff(yaws)).max() < 0.4 * 1.6 / (EASE_S * FPS)


def test_while_a_line_is_spoken_the_mouth_is_its_own():
    puppet = Puppet(FPS)
    for _ in range(20):
        puppet.follow(THEIRS)
        face = puppet.face(OWN, is_speaking=True)
    assert face.blendshapes[ARKIT_INDEX["jawOpen"]] == pytest.approx(0.1)
    assert face.blendshapes[ARKIT_INDEX["browInnerUp"]] == pytest.approx(0.8)


def test_a_driver_that_sends_nothing_more_is_forgotten():
    puppet = Puppet(FPS)
    for _ in range(20):
        puppet.follow(THEIRS)
        puppet.face(OWN, is_speaking=False)
    for _ in range(round((STALE_S + EASE_S) * FPS) + 2):
        face = puppet.face(OWN, is_speaking=False)
    assert face is OWN
