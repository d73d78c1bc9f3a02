"""What landmarks say beyond the fit reaches the persona; how a driver is made does not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from avatar_engine.evaluation.posed_landmarks import PosedLandmarks
from avatar_engine.head import load_head_rig
from avatar_engine.render.gaussians import TorchMaps
from avatar_engine.render.joints import expression_weights
from avatar_engine.tracking.driver import Driver
from avatar_engine.tracking.likeness import LARGEST_CORRECTION, Likeness
from avatar_engine.tracking.lip_gap import LipGap
from avatar_engine.tracking.trust import LOWER_RIM, UPPER_RIM
from avatar_engine.types import ARKIT_INDEX, Drivers, FaceState, weights_of
from tests.avatar_engine.test_tracking import seen_at
from tests.support.synthetic_head import synthetic_head

FACE = slice(0, 468)


@pytest.fixture(scope="module")
def rig():
    return load_head_rig()


@pytest.fixture(scope="module")
def head(rig):
    """Made-up maps that move as the head model does, and by two corrective modes besides."""
    maps, _, camera = synthetic_head()
    x, y, _ = rig.mean.T
    wide = np.exp(-(((y + 4) / 2) ** 2) - (np.abs(x) - 2.5) ** 2)
    extra = np.zeros((2, *rig.mean.shape), np.float32)
    extra[0, :, 0], extra[1, :, 1] = 0.3 * wide * np.sign(x), 0.3 * wide
    modes = np.concatenate([rig.expression, np.zeros((1, *rig.mean.shape)), extra])
    scales = np.maximum(np.abs(modes).max((1, 2)) / 32767, 1e-9).astype(np.float32)
    whole = replace(
        maps,
        modes=np.round(modes / scales[:, None, None]).astype(np.int16),
        mode_scales=scales,
        drivers=Drivers.none(2),
    )
    return whole, camera


def moved_by(rig, maps, weights, corrections):
    amounts = np.concatenate([weights, [0.0], corrections])
    return rig.landmarks(np.tensordot(amounts * maps.mode_scales, maps.modes, 1))[FACE]


def lacking(rig, maps, weights, corrections):
    """What a state lacks to be the wanted weights and corrections, as a picture would show it."""

    def missing(state, residual):
        now = expression_weights(maps, state, residual)
        apart = np.concatenate([weights - now[:52], [0.0], corrections - now[53:]])
        return rig.landmarks(np.tensordot(apart * maps.mode_scales, maps.modes, 1))[FACE]

    return missing


def test_landmarks_are_brought_where_they_are_wanted(rig, head):
    maps, _ = head
    wanted = weights_of(jawOpen=0.4, mouthSmile=0.5).astype(np.float64)
    begun = FaceState(weights_of(jawOpen=0.25))
    missing = lacking(rig, maps, wanted, np.array([0.8, -0.6]))
    state, residual = Likeness(maps, rig).matched(begun, missing)
    before, left = missing(begun, 1.0)[:, :2], missing(state, residual)[:, :2]
    assert np.abs(left).mean() < 0.25 * np.abs(before).mean()
    found = np.asarray(maps.rest) + state.blendshapes
    assert found.min() >= 0
    assert found.max() <= 1
    assert residual == pytest.approx(1.0)  # this head has none that could say otherwise


def test_what_the_photo_showed_besides_goes_when_landmarks_say_so(rig, head):
    smirk = np.zeros((1, *rig.mean.shape))
    smirk[0, :, 1] = np.exp(-((rig.mean[:, 0] - 3) ** 2) - (rig.mean[:, 1] + 3.5) ** 2)
    modes, scales = head[0].modes.copy(), head[0].mode_scales.copy()
    scales[52] = 1 / 32767
    modes[52] = np.round(smirk / scales[52])
    maps = replace(head[0], modes=modes, mode_scales=scales)
    for share in (0.0, 0.5, 1.0):

        def missing(state, residual, share=share):
            moved = expression_weights(maps, FaceState(), share) - expression_weights(
                maps, state, residual
            )
            return rig.landmarks(np.tensordot(moved * maps.mode_scales, maps.modes, 1))[FACE]

        _, residual = Likeness(maps, rig).matched(FaceState(), missing)
        assert residual == pytest.approx(share, abs=0.12)


def test_wild_landmarks_stay_within_bounds(rig, head):
    likeness = Likeness(head[0], rig)
    wild = np.full((468, 3), 30.0)
    state, residual = likeness.matched(FaceState(), lambda *_: wild)
    assert state.corrections is not None
    assert np.abs(state.corrections).max() <= LARGEST_CORRECTION
    assert np.abs(likeness.corrections(wild)).max() <= LARGEST_CORRECTION
    assert 0 <= residual <= 1
    weights = expression_weights(head[0], state, 0.0)[:52]
    assert np.allclose(weights, head[0].rest + state.blendshapes, atol=1e-6)


def test_without_corrective_modes_only_weights_answer(rig, head):
    maps = replace(head[0], modes=head[0].modes[:53], mode_scales=head[0].mode_scales[:53])
    maps = replace(maps, drivers=Drivers.none())
    wanted = weights_of(jawOpen=0.3).astype(np.float64)
    state, _ = Likeness(maps, rig).matched(FaceState(), lacking(rig, maps, wanted, np.zeros(0)))
    assert state.corrections is None
    assert state.blendshapes[ARKIT_INDEX["jawOpen"]] > 0.2


def test_a_driver_corrects_what_comes_and_goes_and_not_how_the_driver_is_made(rig, head):
    maps, _ = head
    driver = Driver(maps)
    own = moved_by(rig, maps, np.zeros(52), [1.0, 0.5])  # always there
    for k in range(50):
        state = driver.follow(seen_at(k / 25, left_over=own), k / 25)
    assert state.corrections == pytest.approx(np.zeros(2), abs=1e-6)
    for k in range(50, 60):
        now = own + moved_by(rig, maps, np.zeros(52), [0.0, 0.7])
        state = driver.follow(seen_at(k / 25, left_over=now), k / 25)
    assert state.corrections[1] > 0.3
    assert abs(state.corrections[0]) < 0.1


def test_the_lip_gap_knows_corrections(head):
    maps, _ = head
    gap = LipGap(maps)
    apart = gap.of(np.zeros(52), np.array([0.0, 1.0])) - gap.of(np.zeros(52))
    upper, lower = maps.modes[54, maps.lip_upper, 1], maps.modes[54, maps.lip_lower, 1]
    pairs = len(upper)
    middle = slice(pairs // 3, pairs - pairs // 3)
    assert apart == pytest.approx(
        float((upper.astype(float) - lower)[middle].mean() * maps.mode_scales[54])
    )


def test_posed_landmarks_are_where_the_definition_draws_them(rig, head):
    maps, camera = head
    state = FaceState(weights_of(jawOpen=0.5), np.array([0.1, -0.05, 0.02], np.float32))
    drawn = TorchMaps(maps, dtype=torch.float64).project([state], camera, source_residual=1.0)
    texels, shares = rig.landmark_texels[FACE], rig.landmark_weights[FACE]
    apart = np.ptp(maps.positions[texels], axis=1).max(1)
    lies_still = (maps.chart[texels] == 1).all(1) & (apart < 0.5)
    lies_still &= ~np.isin(texels, maps.lid_texels).any(1)
    pixels = np.einsum("lkd,lk->ld", drawn.means[0].numpy()[texels], shares)
    missing = PosedLandmarks(maps, camera).missing(state, pixels)
    assert lies_still.sum() > 100
    assert np.abs(missing[lies_still]).max() < 0.01  # cm


def test_what_expressions_bring_on_is_not_counted_where_landmarks_speak(rig, head):
    drivers = Drivers.none(2)
    drivers.linear[:, ARKIT_INDEX["jawOpen"]] = [0.8, -0.5]
    maps = replace(head[0], drivers=drivers)
    wanted = weights_of(jawOpen=0.5).astype(np.float64)
    begun = FaceState(weights_of(jawOpen=0.4))
    likeness = Likeness(maps, rig)

    def drawn(corrections):
        state, _ = likeness.matched(begun, lacking(rig, maps, wanted, corrections))
        return expression_weights(maps, state, 1.0)[53:]

    by_lines = drawn(np.zeros(2))
    assert np.abs(by_lines).max() < 0.02
    # Landmarks still bring the modes on, only less readily than those that nothing drives.
    besides = drawn(np.array([0.8, 0.0]))
    free, _ = Likeness(head[0], rig).matched(
        begun, lacking(rig, head[0], wanted, np.array([0.8, 0.0]))
    )
    assert free.corrections is not None
    assert 0.02 < besides[0] < 0.5 * free.corrections[0]
    assert abs(besides[1]) < 0.02


def test_lips_that_stay_together_keep_the_mouth_shut_whatever_the_chin_says(rig, head):
    maps, _ = head
    open_ = weights_of(jawOpen=0.4).astype(np.float64)
    all_open = lacking(rig, maps, open_, np.zeros(2))
    upper, lower = list(UPPER_RIM), list(LOWER_RIM)

    def gap_of(move):
        return float((move[upper, 1] - move[lower, 1]).mean())

    def rims_shut(state, residual):
        missing = all_open(state, residual).copy()
        now = moved_by(rig, maps, expression_weights(maps, state, residual)[:52], np.zeros(2))
        missing[lower, 1] = missing[upper, 1] + now[upper, 1] - now[lower, 1]
        return missing

    def drawn(missing):
        state, _ = Likeness(maps, rig).matched(FaceState(), missing)
        amounts = expression_weights(maps, state, 1.0)
        return gap_of(moved_by(rig, maps, amounts[:52], amounts[53:]))

    assert drawn(all_open) > 0.8 * gap_of(moved_by(rig, maps, open_, np.zeros(2)))
    assert drawn(rims_shut) < 0.2 * drawn(all_open)
