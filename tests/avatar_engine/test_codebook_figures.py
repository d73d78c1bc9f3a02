"""What the codebooks' benchmark measures with: hiding by turning, sizes, distances."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn

from avatar_engine.codebook import NAME, SHIPPED, VERSION
from avatar_engine.codebook.plan import APPEARANCE, SCALES
from avatar_engine.codebook.retrieval import Codebook
from avatar_engine.head import load_head_rig
from avatar_engine.types import Chart
from avatar_engine.weights import load_weights

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def views(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("codebook_views")


def test_a_turned_head_hides_its_far_side(views: ModuleType) -> None:
    rig = load_head_rig()
    ahead = views.visible_when_turned(rig, 0.0)
    aside = views.visible_when_turned(rig, np.radians(45))
    skin = rig.chart.ravel() == Chart.SKIN
    x, _, z = rig.mean.T
    left, right = (skin & (side * x > 5) & (z > 0) & (z < 6) for side in (1, -1))
    np.testing.assert_allclose(ahead[left].mean(), ahead[right].mean(), atol=0.02)
    # Turned toward the subject's left, the right cheek and ear come to the front.
    assert aside[right].mean() > ahead[right].mean() + 0.2
    assert aside[left].mean() < 0.02
    assert ahead[skin & (z < -5)].max() < 0.05
    assert ahead[skin & (z > 11)].mean() > 0.5


def test_sizes_are_counted_by_hand(views: ModuleType) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Flatten(), nn.Linear(4 * 64, 5))
    parameters, multiply_adds = views.size_of(net, torch.zeros(1, 3, 8, 8))
    assert parameters == 3 * 4 * 9 + 4 + 4 * 64 * 5 + 5
    assert multiply_adds == 64 * 4 * 27 + 4 * 64 * 5


def test_distances_weigh_what_they_are_told_to(views: ModuleType) -> None:
    miss = np.zeros((3, 4, 4))
    miss[:, :2] = 0.1
    top = np.zeros((4, 4))
    top[:2] = 1
    assert views.rms(miss, top) == pytest.approx(0.1)
    assert views.rms(miss, 1 - top) == 0
    assert views.psnr(miss, top) == pytest.approx(20.0)


def test_a_mean_lies_within_its_interval_and_noise_widens_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    figures = importlib.import_module("codebook_figures")
    rng = np.random.default_rng(0)
    quiet, loud = 0.3 + 0.1 * rng.normal(size=40), 0.3 + rng.normal(size=40)
    low, high = figures.interval(list(quiet))
    assert low < quiet.mean() < high
    assert high - low == pytest.approx(4 * 0.1 / 40**0.5, rel=0.3)
    wide_low, wide_high = figures.interval(list(loud))
    assert wide_high - wide_low > 5 * (high - low)


def test_without_choice_every_token_is_given_the_mean_of_its_codes(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    parts = importlib.import_module("codebook_parts")
    tensors = load_weights(SHIPPED, (NAME, VERSION)).tensors
    layers = {name: np.asarray(value, np.float32) for name, value in tensors.items()}
    rng = np.random.default_rng(0)
    asking = {
        scale: rng.normal(size=(1, scale * scale, APPEARANCE.width)).astype(np.float32)
        for scale in SCALES
    }
    spreads = []
    for given in (layers, parts.without_choice(layers, "appearance")):
        gates = {k: v * (0 if ".gate." in k else 1) for k, v in given.items()}
        painted, _ = Codebook(gates, "appearance", APPEARANCE).compensate(asking)
        inner = painted[:, :, 32:-32, 32:-32]  # doubling bends the rim
        cells = inner.reshape(1, 3, 4, 16, 4, 16)  # of the coarsest patches
        spreads.append(float(np.abs(cells - cells[:, :, :1, :, :1]).max()))
    assert spreads[0] > 1e-3
    assert spreads[1] < 1e-5
