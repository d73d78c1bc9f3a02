"""A smile's fold goes with the smile; a beard stays."""

import numpy as np
import pytest

from avatar_engine.gaussian.relax import bearded

R = 256
SKIN = np.ones((R, R), bool)


def test_a_dark_line_is_no_beard_however_deep():
    row, col = np.mgrid[0:R, 0:R]
    fold = np.exp(-(((row - 0.8 * col - 20) / 2.0) ** 2))
    light = (0.6 * (1 - 0.7 * fold)).astype(np.float32)
    assert bearded(light, SKIN).max() < 0.05


@pytest.mark.parametrize("level", [0.25, 0.6])
def test_bristles_are_a_beard_on_dark_and_on_fair_skin(level):
    rng = np.random.default_rng(0)
    light = np.full((R, R), level)
    light[100:140, 80:180] *= 1 - 0.7 * (rng.random((40, 100)) < 0.4)
    share = bearded(light.astype(np.float32), SKIN).reshape(R, R)
    assert share[108:132, 90:170].mean() > 0.8
    assert share[:80].max() < 0.05
    assert share[170:].max() < 0.05
