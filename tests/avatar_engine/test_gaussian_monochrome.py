"""What is guessed for a photo in one tone has that tone too."""

from pathlib import Path

import numpy as np
import pytest

from avatar_engine.gaussian.monochrome import in_the_photos_tone
from avatar_engine.gaussian.view import view_of
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.portrait import read_portrait
from avatar_engine.types import Chart
from tests.support.synthetic_head import synthetic_head

EXAMPLE = Path(__file__).parents[2] / "examples" / "face.png"
GREY = np.array([0.299, 0.587, 0.114])


@pytest.fixture(scope="module")
def view():
    portrait = read_portrait(EXAMPLE)
    return view_of(portrait, fit_head(load_head_rig(), portrait).camera)


@pytest.mark.parametrize("tone", [[0, 0, 0], [0.1, 0.02, -0.12]])
def test_a_red_tongue_takes_the_photos_one_tone(view, tone) -> None:
    maps = synthetic_head(64)[0]
    luma = view.image @ GREY
    view.image[...] = luma[..., None] + np.multiply.outer(luma, tone)
    toned = in_the_photos_tone(maps, view)
    inside = np.isin(maps.chart, (Chart.TONGUE, Chart.GUM, Chart.CAVITY))
    assert np.ptp(maps.colors[inside], axis=1).max() > 0.1  # it was red
    own = toned.colors[inside] @ GREY
    assert toned.colors[inside] == pytest.approx(own[:, None] * (1 + np.array(tone)), abs=0.02)


def test_a_photo_in_colour_keeps_all_colours() -> None:
    maps = synthetic_head(64)[0]
    portrait = read_portrait(EXAMPLE)
    colourful = view_of(portrait, fit_head(load_head_rig(), portrait).camera)
    assert in_the_photos_tone(maps, colourful) is maps
