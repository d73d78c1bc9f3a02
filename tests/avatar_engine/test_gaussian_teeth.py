"""Which of what an open mouth shows are teeth, and where they end."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar_engine.gaussian.regions import regions_of
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.teeth import INNER_LIPS, shown_teeth, teeth_paint
from avatar_engine.gaussian.view import View, view_of
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.portrait import read_portrait
from avatar_engine.types import Chart

EXAMPLE = Path(__file__).parents[2] / "examples" / "face.png"
OUTER_LIPS = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91]
OUTER_LIPS += [146]
UPPER_INNER = [80, 81, 82, 13, 312, 311, 310]
LOWER_INNER = [88, 178, 87, 14, 317, 402, 318]
DROPPED = {95, 88, 178, 87, 14, 317, 402, 318, 324, 146, 91, 181, 84, 17, 314, 405, 321, 375}
TOOTH, TONGUE, DARK = (0.88, 0.84, 0.78), (0.86, 0.78, 0.74), (0.12, 0.05, 0.05)


@pytest.fixture(scope="module")
def s() -> Sculpture:
    rig, portrait = load_head_rig(), read_portrait(EXAMPLE)
    fit = fit_head(rig, portrait)
    return Sculpture.started(rig, fit, view_of(portrait, fit.camera), regions_of(rig))


def _shouting(view: View, teeth: tuple[float, ...] = TOOTH) -> tuple[View, float]:
    """A wide open mouth: ten rows of teeth above, a pale tongue below; and where the teeth end."""
    marks = view.landmarks.copy()
    marks[list(DROPPED), 1] += 40
    image = np.full((view.size, view.size, 3), (0.78, 0.58, 0.47), np.float32)

    def paint(at: np.ndarray, color: tuple[float, ...]) -> None:
        cv2.fillPoly(image, [np.round(at).astype(np.int32)], color)

    paint(marks[OUTER_LIPS], (0.70, 0.30, 0.30))
    paint(marks[INNER_LIPS], DARK)
    down = np.array([0.0, 1.0])
    upper, lower = marks[UPPER_INNER], marks[LOWER_INNER]
    paint(np.concatenate([upper + down, upper[::-1] + 10 * down]), teeth)
    paint(np.concatenate([lower - down, lower[::-1] - 9 * down]), TONGUE)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    return replace(view, image=image, lab=lab, landmarks=marks), float(marks[13, 1] + 10)


def test_a_tongue_is_not_where_upper_teeth_end(s):
    view, end = _shouting(s.view)
    shown = shown_teeth(view)
    assert shown is not None
    assert shown.edge is not None
    assert abs(shown.edge[1] - end) < 2.5


def test_what_is_red_is_no_tooth(s):
    gums = (0.80, 0.50, 0.48)
    view, _ = _shouting(s.view, gums)
    shown = shown_teeth(view)
    assert shown is None or shown.tone.max() - shown.tone.min() < 0.36 * shown.tone.max()


@pytest.mark.parametrize("lamp", [(0.6, 0.6, 0.6), (0.9, 0.7, 0.5)])
def test_teeth_nobody_saw_stand_in_the_light_of_the_face(s, lamp):
    day = s.view
    tones = []
    for image in (day.image, np.asarray(day.image * lamp, np.float32)):
        s.view = replace(day, image=image)
        color = np.zeros((len(s.chart), 3))
        assert not teeth_paint(s, None, color).any()
        tones.append(color[s.chart == Chart.TEETH].mean(0))
    s.view = day
    change = tones[1] / tones[0]
    assert abs(change.mean() - np.mean(lamp)) < 0.1
    assert change[0] / change[2] == pytest.approx(np.sqrt(lamp[0] / lamp[2]), rel=0.1)


def test_teeth_behind_a_dark_slit_get_less_light(s):
    teeth = np.nonzero(s.chart == Chart.TEETH)[0]

    def light(between: float) -> float:
        image = np.full_like(s.view.image, 0.6)
        marks = s.view.landmarks.copy()
        marks[list(DROPPED), 1] += 6
        view = replace(s.view, image=image, landmarks=marks)
        image[view.polygon(INNER_LIPS)] = between
        color = np.zeros((len(s.chart), 3))
        assert not teeth_paint(replace(s, view=view), None, color).any()
        return float(color[teeth].mean())

    assert light(0.05) < 0.6 * light(0.5)
    assert light(0.2) == pytest.approx(0.2 / 0.6 / 0.45 * light(0.5), rel=0.02)
    assert light(0.35) == light(0.5)  # as dark as lips themselves: nothing is said
