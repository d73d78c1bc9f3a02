"""The head meets the photo's outline: ears where they are seen, a neck that holds."""

from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_engine.gaussian.ears import auricle, bare_ears_skin, fit_ears, shaded_ears
from avatar_engine.gaussian.foreign import without_foreign
from avatar_engine.gaussian.hair import _level
from avatar_engine.gaussian.light import Light
from avatar_engine.gaussian.neck import collar_line, neck_follow
from avatar_engine.gaussian.outline import grow_to_outline
from avatar_engine.gaussian.regions import regions_of
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import SKIN, Labels, segment
from avatar_engine.gaussian.unwrap import Samples, unwrap
from avatar_engine.gaussian.view import view_of
from avatar_engine.gaussian.zbuffer import nearest
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.portrait import read_portrait
from avatar_engine.types import LabelKind

EXAMPLE = Path(__file__).parents[2] / "examples" / "face.png"


@cache
def fitted() -> tuple[Sculpture, Labels, Samples]:
    rig, portrait = load_head_rig(), read_portrait(EXAMPLE)
    fit = fit_head(rig, portrait)
    s = Sculpture.started(rig, fit, view_of(portrait, fit.camera), regions_of(rig))
    nowhere = np.zeros((s.view.size, s.view.size), bool)
    labels = segment(s.view, nowhere, nowhere)
    p = s.project(s.source_shape())
    front = nearest(p, s.regions.triangles, width=s.view.size, height=s.view.size)
    return s, labels, unwrap(s, labels, front)


def covered(s: Sculpture) -> NDArray[np.bool_]:
    p = s.project(s.source_shape())
    return nearest(p, s.regions.triangles, width=s.view.size, height=s.view.size).covered


def showing(s: Sculpture, labels: Labels, ear: NDArray[np.bool_]) -> Labels:
    """Everything is skin, and ears are where they are told to be."""
    kinds = np.zeros((*ear.shape, len(LabelKind)), np.float32)
    kinds[..., LabelKind.EAR] = ear
    kinds[..., LabelKind.SKIN] = ~ear
    share = np.zeros((*ear.shape, 4), np.float32)
    share[..., SKIN] = 1
    return replace(labels, share=share, kinds=kinds, is_long=False)


def ear_box(s: Sculpture, side: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Lowest and highest (distance from the middle, height) of an ear in the face's frame."""
    at = s.view.face_frame(s.project(s.source_shape()[auricle(s) & side])[:, :2])
    return np.percentile(np.abs(at), (4, 96), 0)


@pytest.mark.parametrize("is_left", [True, False])
def test_an_ear_is_moved_and_scaled_onto_the_photos(is_left: bool) -> None:
    s, labels, _ = deepcopy(fitted())
    side = s.regions.left if is_left else ~s.regions.left
    (_, low), (out, high) = ear_box(s, side)
    want_low, want_high, want_out = low - 0.04, high - 0.02, out + 0.03
    yy, xx = np.mgrid[0 : s.view.size, 0 : s.view.size]
    u, v = np.moveaxis(s.view.face_frame(np.stack([xx, yy], -1) + 0.5), -1, 0)
    sign = np.sign(s.project(s.rig.mean[side & s.regions.ear])[:, 0].mean() - s.view.size / 2)
    shown = (sign * u > want_out - 0.1) & (sign * u < want_out) & (v > want_low) & (v < want_high)
    s.view = replace(s.view, inside=s.view.inside | shown, matte=np.maximum(s.view.matte, shown))
    assert fit_ears(s, showing(s, labels, shown)) == (is_left, not is_left)
    (_, new_low), (new_out, new_high) = ear_box(s, side)
    assert abs(new_low - want_low) < 0.03
    assert abs(new_high - want_high) < 0.03
    assert abs(new_out - want_out) < 0.02
    far = s.regions.skin & (np.abs(s.rig.mean[:, 0]) < 3)
    assert not s.offset[far | ~side].any()


def test_without_an_ear_in_the_photo_the_head_keeps_its_shape() -> None:
    s, labels, _ = deepcopy(fitted())
    nothing = np.zeros((s.view.size, s.view.size), bool)
    assert fit_ears(s, showing(s, labels, nothing)) == (False, False)
    assert fit_ears(s, replace(labels, kinds=None)) == (False, False)
    assert not s.offset.any()


def test_a_head_grows_to_a_wider_outline_and_not_beyond() -> None:
    s, labels, _ = deepcopy(fitted())
    before = covered(s)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))
    wider = cv2.dilate(before.astype(np.uint8), disc) > 0
    s.view = replace(s.view, inside=wider, spilled=np.zeros_like(wider))
    yy, xx = np.mgrid[0 : s.view.size, 0 : s.view.size]
    high = s.view.face_frame(np.stack([xx, yy], -1) + 0.5)[..., 1] > 0.45
    grow_to_outline(s, showing(s, labels, np.zeros_like(wider)))
    after = covered(s)
    missing = wider & high
    assert (missing & ~after).sum() < 0.5 * (missing & ~before).sum()
    assert (after & ~wider & high).sum() < 0.01 * after.sum()


def test_a_head_that_reaches_the_outline_stays_as_it_is() -> None:
    s, labels, _ = deepcopy(fitted())
    s.view = replace(s.view, inside=covered(s))
    grow_to_outline(s, showing(s, labels, np.zeros_like(s.view.inside)))
    assert not s.offset.any()


def test_the_neck_follows_the_head_less_towards_the_collar() -> None:
    s, _, samples = fitted()
    follow = neck_follow(s, samples)
    R = s.rig.resolution
    above = s.rig.mean[:, 1] - collar_line(s, samples)[np.arange(R * R) % R]
    assert (follow <= s.rig.neck + 1e-9).all()
    assert np.array_equal(follow[~s.regions.neck_zone], s.rig.neck[~s.regions.neck_zone])
    low = s.regions.neck_zone & (above < 0)
    inner = s.regions.neck_zone & (s.rig.mean[:, 1] < -7)
    assert follow[low & inner].max() < 0.5 * s.rig.neck[inner].max()
    assert follow[low & inner].mean() < 0.1


def test_a_bare_ear_nobody_sees_is_skin_and_a_seen_one_keeps_its_colour() -> None:
    s, _, samples = fitted()
    skin, hair = np.array([0.7, 0.5, 0.4]), np.array([0.1, 0.08, 0.06])
    N = len(s.chart)
    ear = auricle(s)
    color = np.where((s.rig.mean[:, 2] > 4)[:, None], skin, hair)
    trust = np.where((s.rig.mean[:, 2] > 4) & s.regions.skin, 1.0, 0.0)
    bare = replace(samples, hairy=np.zeros(N))
    no_light = Light(np.zeros((N, 3)))
    left = ear & s.regions.left
    painted, known = bare_ears_skin(s, bare, no_light, (True, False), (color, trust))
    assert np.abs(painted[left] - skin).max() < 0.02
    assert np.median(known[left]) > 0.45
    assert np.array_equal(painted[~s.regions.left], color[~s.regions.left])
    seen = trust + ear
    painted, _ = bare_ears_skin(s, bare, no_light, (True, True), (color, seen))
    assert np.array_equal(painted[ear], color[ear])


def test_a_cheek_does_not_take_the_ear_that_stands_before_it() -> None:
    s, labels, samples = fitted()
    assert labels.kinds is not None
    no_light = Light(np.zeros((len(s.chart), 3)))
    cheek = s.regions.skin & (samples.weight > 0.5) & (s.rig.mean[:, 2] > 7.5)
    kinds = np.zeros_like(labels.kinds)
    kinds[..., LabelKind.EAR] = 1
    shown = without_foreign(s, replace(labels, kinds=kinds), samples, no_light)
    assert shown.weight[cheek].max() == 0
    kinds = np.zeros_like(labels.kinds)
    kinds[..., LabelKind.SKIN] = 1
    shown = without_foreign(s, replace(labels, kinds=kinds), samples, no_light)
    assert shown.weight[cheek].sum() > 0.95 * samples.weight[cheek].sum()


def test_hair_is_solved_where_it_faces_the_camera_alone() -> None:
    flat = np.full((32, 32), 120.0)
    step_cm = np.full((32, 32), 0.2)
    ramp = flat + np.arange(32) * 0.2
    assert _level(flat, step_cm).min() == 1
    assert _level(ramp, step_cm)[8:-8, 8:-8].min() > 0.99
    assert _level(flat + np.arange(32) * 0.8, step_cm)[8:-8, 8:-8].max() == 0


def test_an_ear_that_nobody_saw_has_hollows_and_one_that_was_seen_is_left_alone() -> None:
    s, _, samples = fitted()
    plain = np.full((len(s.chart), 3), 0.6)
    unseen = replace(samples, weight=np.zeros_like(samples.weight))
    shaded = shaded_ears(s, unseen, (True, False), plain)
    left, right = auricle(s) & s.regions.left, auricle(s) & ~s.regions.left
    assert np.quantile(shaded[left], 0.05) < 0.5 < 0.6 < np.quantile(shaded[left], 0.9)
    np.testing.assert_array_equal(shaded[right], plain[right])
    np.testing.assert_array_equal(shaded[~s.regions.skin], plain[~s.regions.skin])
    seen = replace(samples, weight=np.ones_like(samples.weight))
    np.testing.assert_allclose(shaded_ears(s, seen, (True, True), plain), plain, atol=1e-6)
