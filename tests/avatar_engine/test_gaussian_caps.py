"""Splats that may not become spikes."""

from pathlib import Path

import numpy as np

from avatar_engine.gaussian.caps import tangent_caps
from avatar_engine.gaussian.regions import regions_of
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.view import view_of
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.portrait import read_portrait

EXAMPLE = Path(__file__).parents[2] / "examples" / "face.png"


def test_a_texel_torn_from_one_neighbour_is_no_longer_than_the_way_to_the_other() -> None:
    rig, portrait = load_head_rig(), read_portrait(EXAMPLE)
    fit = fit_head(rig, portrait)
    s = Sculpture.started(rig, fit, view_of(portrait, fit.camera), regions_of(rig))
    R = rig.resolution
    inner = (s.regions.skin & (rig.mean[:, 2] < -4) & (s.regions.scalp > 0.9)).reshape(R, R)
    row, col = next(
        (r, c) for r, c in np.argwhere(inner) if 3 < c < R - 4 and inner[r, c - 3 : c + 4].all()
    )
    whole = tangent_caps(s).reshape(R, R, 2)[row, col, 0]
    s.offset.reshape(R, R, 3)[row, col + 1 : col + 4] += [0, 0, -3.0]
    torn = tangent_caps(s).reshape(R, R, 2)
    step = np.linalg.norm(
        s.rest_shape().reshape(R, R, 3)[row, col] - s.rest_shape().reshape(R, R, 3)[row, col - 1]
    )
    assert torn[row, col, 0] <= 1.6 * step + 0.041
    assert torn[row, col, 0] <= 1.2 * whole
    assert torn[row, col, 0] < 1.0  # of the three centimetres of the gap
