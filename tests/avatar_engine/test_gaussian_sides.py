"""Stripes beside the face do not survive; what the photo shows well does."""

from pathlib import Path

import numpy as np
import pytest

from avatar_engine.gaussian.painting import PaintedHead, paint_head
from avatar_engine.gaussian.sides import soft_sides
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.portrait import read_portrait

EXAMPLE = Path(__file__).parents[2] / "examples" / "face.png"


@pytest.fixture(scope="module")
def painted() -> PaintedHead:
    rig, portrait = load_head_rig(), read_portrait(EXAMPLE)
    return paint_head(rig, fit_head(rig, portrait), portrait, lambda _step, _share: None)


def test_stripes_go_where_the_photo_grazes_and_nowhere_else(painted: PaintedHead) -> None:
    s, samples = painted.s, painted.samples
    side = len(s.rig.chart)
    stripes = np.where(np.arange(side * side) % side % 4 < 2, 0.05, -0.05)[:, None]
    plain = np.clip(painted.color, 0.05, 0.95)
    after = soft_sides(painted, plain + stripes)
    left = np.abs(after - soft_sides(painted, plain)).mean(1) / 0.05
    twin = samples.facing[s.regions.twin] * samples.visible[s.regions.twin]
    unsure = (samples.facing * samples.visible < 0.2) & (twin < 0.2)
    aside = s.regions.skin & (s.rig.mean[:, 2] < 6) & (np.abs(s.rig.mean[:, 1]) < 4)
    aside &= (s.regions.scalp < 0.1) & (s.regions.ear_weight < 0.1) & (painted.glasses < 0.1)
    assert (aside & unsure).sum() > 200
    assert np.median(left[aside & unsure]) < 0.4
    shown = (samples.facing > 0.6) & (samples.visible > 0.9) & (s.rig.mean[:, 2] > 9)
    assert left[shown] == pytest.approx(1, abs=1e-3)
    assert left[s.regions.ear_weight >= 1].min() > 0.8
