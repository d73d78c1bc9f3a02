"""Lips end where the photo's red ends."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar_engine.gaussian.contours import with_own_lips
from avatar_engine.gaussian.view import View, view_of
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.portrait import read_portrait

EXAMPLE = Path(__file__).parents[2] / "examples" / "face.png"
UPPER, LOWER = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291], [375, 321, 405, 314, 17, 84, 181]
LOWER += [91, 146]
INNER = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
INNER += [324, 318, 402, 317, 14, 87, 178, 88, 95]
MIDDLES = [39, 37, 0, 267, 269]


@pytest.fixture(scope="module")
def view() -> View:
    portrait = read_portrait(EXAMPLE)
    return view_of(portrait, fit_head(load_head_rig(), portrait).camera)


def _painted(view: View, red: np.ndarray, raised_px: float) -> View:
    """Flat skin and lips, the upper border ``raised_px`` above its landmarks."""
    marks = view.landmarks.copy()
    marks[UPPER[1:-1], 1] -= raised_px
    image = np.tile(np.array([0.78, 0.58, 0.47], np.float32), (view.size, view.size, 1))
    fill = lambda at, color: cv2.fillPoly(  # noqa: E731
        image, [np.round(marks[at] * 16).astype(np.int32)], color, cv2.LINE_8, 4
    )
    fill(UPPER + LOWER, tuple(map(float, red)))
    fill(INNER, (0.15, 0.05, 0.05))
    image += np.random.default_rng(0).normal(0, 0.015, image.shape).astype(np.float32)
    image = cv2.GaussianBlur(np.clip(image, 0, 1), (0, 0), 0.8)
    return replace(view, image=image, lab=cv2.cvtColor(image, cv2.COLOR_RGB2LAB))


@pytest.mark.parametrize("raised_px", [-3.0, 0.0, 3.0])
def test_the_upper_lip_is_found_where_its_red_ends(view, raised_px):
    seen = _painted(view, np.array([0.72, 0.28, 0.30]), raised_px)
    moved = with_own_lips(seen).landmarks - seen.landmarks
    assert np.abs(moved[MIDDLES, 1] + raised_px).max() < 1.3


def test_lips_as_pale_as_the_skin_stay_near_their_landmarks(view):
    seen = _painted(view, np.array([0.77, 0.57, 0.46]), 3.0)
    moved = with_own_lips(seen).landmarks - seen.landmarks
    thick = np.abs(seen.landmarks[0, 1] - seen.landmarks[13, 1])
    assert np.abs(moved[MIDDLES, 1]).max() < 0.8 * thick


def test_only_lips_move_and_their_corners_stay(view):
    seen = _painted(view, np.array([0.72, 0.28, 0.30]), 3.0)
    moved = np.abs(with_own_lips(seen).landmarks - seen.landmarks).max(1)
    assert moved[[61, 291, 78, 308]].max() == 0
    assert np.flatnonzero(moved).size <= 72
    assert moved[468:].max() == 0
