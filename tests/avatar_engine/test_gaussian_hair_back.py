"""The hair's back begins in the tone it goes on from; where hair turns away there is more of it."""

import numpy as np

from avatar_engine.gaussian.complete import BEHIND_TONE
from avatar_engine.gaussian.hair_back import back_color
from avatar_engine.gaussian.plates import _with_bared_hair
from avatar_engine.gaussian.segment import HAIR, SKIN, Labels
from avatar_engine.gaussian.smooth import distance
from avatar_engine.gaussian.view import View
from avatar_engine.types import Camera

SIZE = 256
BRIGHT, DARK = np.float32([0.8, 0.7, 0.5]), np.float32([0.3, 0.2, 0.1])
TONE = np.array([0.5, 0.4, 0.3])


def lit_from_the_left() -> tuple[View, np.ndarray]:
    """Hair over a round head, bright on its left and dark on its right, with a white rim."""
    yy, xx = np.mgrid[0:SIZE, 0:SIZE]
    hair = (yy - 128) ** 2 + (xx - 128) ** 2 < 90**2
    picture = np.where((xx < 128)[..., None], BRIGHT, DARK).astype(np.float32)
    picture[distance(hair) < 3] = 1.0
    empty = np.zeros((SIZE, SIZE), np.float32)
    camera = Camera(np.diag([500.0, 500.0, 1.0]), np.eye(4), SIZE, SIZE)
    view = View(
        picture, picture, hair.astype(np.float32), hair, picture, empty > 0, np.zeros((478, 2)),
        camera, 150.0, 120.0,
    )  # fmt: skip
    return view, hair


def test_tones_go_on_at_the_outline_and_meet_behind() -> None:
    view, hair = lit_from_the_left()
    labels = Labels(np.zeros((SIZE, SIZE, 4), np.float32), False, True, TONE, TONE)
    edge = distance(hair)
    at = lambda cm: back_color(view, labels, hair, edge, np.full(hair.shape, cm))  # noqa: E731
    left, right = (slice(100, 150), slice(50, 60)), (slice(100, 150), slice(196, 206))
    near, far = at(2.5), at(12.0)
    np.testing.assert_allclose(near[left].mean((0, 1)), BRIGHT, atol=0.1)
    np.testing.assert_allclose(near[right].mean((0, 1)), DARK, atol=0.1)
    np.testing.assert_allclose(far[hair].mean(0), BEHIND_TONE * TONE, atol=0.05)
    np.testing.assert_array_equal(at(0.0), view.clean)


def test_hair_without_an_outline_takes_its_own_tone() -> None:
    view, hair = lit_from_the_left()
    labels = Labels(np.zeros((SIZE, SIZE, 4), np.float32), False, True, TONE, TONE)
    found = back_color(
        view, labels, hair & False, distance(hair), np.full(hair.shape, 2.5, np.float64)
    )
    np.testing.assert_allclose(found.mean((0, 1)), TONE, atol=0.05)


def test_hair_that_turns_away_bares_hair_and_skin_stays_skin() -> None:
    view, hair = lit_from_the_left()
    share = np.zeros((SIZE, SIZE, 4), np.float32)
    share[..., HAIR] = hair
    share[..., SKIN] = ~hair
    neck = np.full((SIZE, SIZE, 3), 0.9, np.float32)
    within = np.zeros((SIZE, SIZE), bool)
    within[180:] = True
    found = _with_bared_hair(view, Labels(share, False, True, TONE, TONE), neck, within)
    np.testing.assert_allclose(found[190:205, 100:115].mean((0, 1)), BEHIND_TONE * BRIGHT, atol=0.1)
    np.testing.assert_array_equal(found[230:], neck[230:])
    np.testing.assert_array_equal(found[:170], neck[:170])
