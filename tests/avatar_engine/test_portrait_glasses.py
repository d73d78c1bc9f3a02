"""Glasses are noticed, bare eyes are left alone."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_engine.portrait import read_portrait
from avatar_engine.portrait.glasses import glasses_features, wears_glasses
from avatar_engine.training.labels.hand import KEPT_APART, read_notes
from avatar_engine.types import Portrait

FACE = Path(__file__).parents[2] / "examples" / "face.png"
SHARED = os.environ.get("LIVEPITCH_SHARED")


@pytest.fixture(scope="module")
def bare() -> Portrait:
    return read_portrait(FACE)


def _with_rims(portrait: Portrait) -> NDArray[np.uint8]:
    """Dark rims and a bridge drawn about the eyes."""
    picture, marks = portrait.image.copy(), portrait.landmarks[:, :2]
    eyes = [marks[[33, 133]].mean(0), marks[[362, 263]].mean(0)]
    apart = float(np.linalg.norm(eyes[1] - eyes[0]))
    half = np.array([0.40, 0.28]) * apart
    for eye in eyes:
        centre = tuple(np.round(eye).astype(int))
        axes = tuple(np.round(half).astype(int))
        cv2.ellipse(picture, centre, axes, 0, 0, 360, (30, 25, 25), max(2, round(0.05 * apart)))
    across = (eyes[1] - eyes[0]) / apart * half[0]
    ends = [np.round(p).astype(int) for p in (eyes[0] + across, eyes[1] - across)]
    cv2.line(picture, tuple(ends[0]), tuple(ends[1]), (30, 25, 25), max(2, round(0.05 * apart)))
    return picture


def test_drawn_rims_are_noticed_on_a_bare_face(bare: Portrait) -> None:
    assert not bare.wears_glasses
    assert wears_glasses(_with_rims(bare), bare.landmarks)


def test_size_light_and_tilt_of_the_photo_do_not_matter(bare: Portrait) -> None:
    rims, marks = _with_rims(bare), bare.landmarks[:, :2]
    size = len(rims)
    half = cv2.resize(rims, (size // 2, size // 2), interpolation=cv2.INTER_AREA)
    assert wears_glasses(half, marks / 2)
    assert wears_glasses((rims * 0.6).astype(np.uint8), marks)
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), 20, 1.0)
    for picture, expected in ((rims, True), (bare.image, False)):
        tilted = cv2.warpAffine(picture, turn, (size, size), borderMode=cv2.BORDER_REPLICATE)
        assert wears_glasses(tilted, marks @ turn[:, :2].T + turn[:, 2]) == expected


def test_a_mirrored_face_looks_the_same_to_the_check(bare: Portrait) -> None:
    mirrored = np.ascontiguousarray(bare.image[:, ::-1])
    marks = bare.landmarks[:, :2] * [-1, 1] + [len(bare.image), 0]
    pairs = {33: 263, 133: 362, 263: 33, 362: 133, 234: 454, 454: 234}
    marks[list(pairs)] = marks[list(pairs.values())]
    one, other = glasses_features(bare.image, bare.landmarks), glasses_features(mirrored, marks)
    assert np.abs(one - other).max() < 0.15 * np.abs(one).max()


@pytest.mark.shared
@pytest.mark.skipif(SHARED is None, reason="LIVEPITCH_SHARED is unset: no portraits")
def test_people_kept_apart_are_told_right() -> None:
    dev = Path(SHARED or "") / "data" / "portraits" / "dev"
    notes = {n: k for n, k in read_notes(KEPT_APART).items() if (dev / f"{n}.jpg").exists()}
    chosen = [n for n in sorted(notes) if "glasses" in notes[n].kinds] + sorted(notes)[:5]
    told = {n: read_portrait(dev / f"{n}.jpg").wears_glasses for n in chosen}
    assert sum(told.values()) >= 7
    assert told == {n: "glasses" in notes[n].kinds for n in chosen}
