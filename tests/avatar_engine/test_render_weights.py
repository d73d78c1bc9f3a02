"""The source view that a persona's making asks: light by Gaussian, and opacities that fall."""

import dataclasses

import numpy as np
import pytest

from avatar_engine.render import blend_weights
from avatar_engine.render.weights import BlendedView
from avatar_engine.types import FaceState
from tests.support.synthetic_head import synthetic_head

SIZE = 96
STATE = FaceState()


@pytest.fixture(scope="module")
def head():
    return synthetic_head(SIZE)


@pytest.fixture(scope="module")
def fallen(head):
    """Opacities of which some have fallen since the view was opened."""
    opacities = head[0].opacities
    share = np.random.default_rng(0).random(len(opacities))
    return (opacities * np.where(share < 0.3, share, 1)).astype(np.float32)


def test_fallen_opacities_weigh_as_in_a_new_view(head, fallen) -> None:
    maps, _, camera = head
    view = BlendedView(maps, camera.framed(SIZE, SIZE), STATE, 0.0)
    view.weights(maps.opacities)
    weights, light = view.weights(fallen)
    lower = dataclasses.replace(maps, opacities=fallen)
    expected, rest = blend_weights(lower, camera, STATE, 0.0, SIZE, SIZE)
    assert abs(weights - expected).max() < 1e-6
    assert np.allclose(light, rest, atol=1e-6)


def test_light_is_the_weights_added_up(head, fallen) -> None:
    maps, _, camera = head
    view = BlendedView(maps, camera.framed(SIZE, SIZE), STATE, 0.0)
    share = np.random.default_rng(1).random(SIZE * SIZE).astype(np.float32)
    weights, _ = view.weights(fallen)
    sent, falls = view.light_on(fallen, share, 0.0)
    assert np.allclose(sent, weights.sum(0), rtol=1e-3, atol=1e-4)
    assert np.allclose(falls, weights.T @ share, rtol=1e-3, atol=1e-4)


def test_gaussians_away_from_the_share_are_left_out_and_the_others_are_the_same(head) -> None:
    maps, _, camera = head
    view = BlendedView(maps, camera.framed(SIZE, SIZE), STATE, 0.0)
    share = np.zeros((SIZE, SIZE), np.float32)
    share[:, : SIZE // 3] = 0.9
    everything, all_falls = view.light_on(maps.opacities, share.ravel(), -1.0)
    sent, falls = view.light_on(maps.opacities, share.ravel(), 0.5)
    asked = sent > 0
    assert 50 < asked.sum() < (everything > 0).sum()
    assert np.allclose(sent[asked], everything[asked], rtol=1e-3, atol=1e-4)
    assert np.allclose(falls, all_falls, rtol=1e-3, atol=1e-4)  # all that falls on it is found
