"""Corrective modes and the person they belong to, told apart."""

from types import SimpleNamespace
from typing import cast

import numpy as np

from avatar_engine.gaussian.regions import regions_of
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.settled import settled
from avatar_engine.head import load_head_rig
from avatar_engine.types import ARKIT_INDEX, Drivers, HeadMaps

N = 256 * 256
BROW = ARKIT_INDEX["browInnerUp"]


def _maps() -> HeadMaps:
    rng = np.random.default_rng(0)
    blank = dict.fromkeys(HeadMaps.__dataclass_fields__)
    drivers = Drivers.none(1)
    drivers.linear[0, BROW] = 2.0
    source = np.zeros(52, np.float32)
    source[BROW] = 0.5
    modes = np.zeros((54, N, 3), np.int16)
    modes[52:] = rng.integers(-300, 300, (2, N, 3))
    told = {
        "positions": rng.normal(size=(N + 256, 3)).astype(np.float32),
        "modes": modes,
        "mode_scales": np.full(54, 1e-3, np.float32),
        "source": source,
        "drivers": drivers,
    }
    return cast(HeadMaps, SimpleNamespace(**{**blank, **told}))


def _surface(maps: HeadMaps, weights: np.ndarray, residual: float) -> np.ndarray:
    amounts = maps.drivers.amounts(weights) - residual * maps.drivers.amounts(maps.source)
    told = maps.modes[52:].astype(np.float64) * maps.mode_scales[52:, None, None]
    return maps.positions[:N] + residual * told[0] + amounts[0] * told[1]


def test_the_photo_stays_as_it_is_and_the_person_keeps_what_is_theirs(monkeypatch):
    rig = load_head_rig()
    regions = regions_of(rig)
    s = cast(Sculpture, SimpleNamespace(rig=rig, regions=regions, chart=rig.chart.ravel()))
    maps = _maps()
    monkeypatch.setattr("avatar_engine.gaussian.settled.replace", _replaced)
    after = settled(s, maps)
    source, neutral = maps.source, np.zeros(52, np.float32)
    before = _surface(maps, source, 1.0)
    np.testing.assert_allclose(_surface(after, source, 1.0), before, atol=2e-4)
    far = rig.mean[:, 1] > 3  # from the mouth, whose misfit is the expression's already
    moved = (_surface(after, neutral, 0.0) - _surface(maps, neutral, 0.0))[far]
    np.testing.assert_allclose(moved, -maps.modes[53, far] * 1e-3, atol=2e-4)
    live = (_surface(after, source, 0.0) - _surface(maps, neutral, 0.0))[far]
    np.testing.assert_allclose(live, 0, atol=2e-4)
    np.testing.assert_array_equal(after.positions[N:], maps.positions[N:])


def _replaced(maps: HeadMaps, **changes: object) -> HeadMaps:
    return cast(HeadMaps, SimpleNamespace(**{**vars(maps), **changes}))
