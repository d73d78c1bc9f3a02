"""Colours that are not the person's: collars on the neck, ears taken for hair, rims of hair."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_engine.gaussian.foreign import without_foreign
from avatar_engine.gaussian.light import Light, light_of
from avatar_engine.gaussian.locks import bare_ears, clear_collar, cover_ears
from avatar_engine.gaussian.regions import regions_of
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import CLOTH, HAIR, SKIN, Labels, segment
from avatar_engine.gaussian.unwrap import Samples, unwrap
from avatar_engine.gaussian.view import View, view_of
from avatar_engine.gaussian.zbuffer import nearest
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.portrait import read_portrait
from avatar_engine.types import LabelKind

EXAMPLE = Path(__file__).parents[2] / "examples" / "face.png"
BLUE = np.array([0.25, 0.35, 0.8])


@cache
def sampled() -> tuple[Sculpture, Labels, Samples, Light]:
    rig, portrait = load_head_rig(), read_portrait(EXAMPLE)
    fit = fit_head(rig, portrait)
    s = Sculpture.started(rig, fit, view_of(portrait, fit.camera), regions_of(rig))
    nowhere = np.zeros((s.view.size, s.view.size), bool)
    labels = segment(s.view, nowhere, nowhere)
    p = s.project(s.source_shape())
    front = nearest(p, s.regions.triangles, width=s.view.size, height=s.view.size)
    samples = unwrap(s, labels, front)
    return s, labels, samples, light_of(s, samples.color, samples.weight, samples.bare)


def kept(color: NDArray[np.float64]) -> NDArray[np.float64]:
    s, labels, samples, light = sampled()
    return without_foreign(s, labels, replace(samples, color=color), light).weight


def jaw(s: Sculpture, samples: Samples) -> NDArray[np.bool_]:
    """[N] trusted texels low at the sides, of which there are enough to judge by."""
    low = (s.rig.mean[:, 1] < -4.5) & (s.rig.mean[:, 2] < 6) & s.regions.skin
    chosen = np.asarray(low & (samples.weight > 0.3))
    assert chosen.sum() > 100
    return chosen


def test_a_blue_collar_on_the_neck_is_not_trusted_and_skin_is() -> None:
    s, _, samples, _ = sampled()
    low = jaw(s, samples)
    painted = samples.color.copy()
    painted[low] = BLUE
    assert kept(painted)[low].max() < 0.15
    assert kept(samples.color)[low].sum() > 0.6 * samples.weight[low].sum()


def test_the_front_of_the_face_may_have_any_colour() -> None:
    s, _, samples, _ = sampled()
    front = s.regions.skin & (s.rig.mean[:, 2] > 8) & (s.rig.mean[:, 1] > -3)
    painted = samples.color.copy()
    painted[np.nonzero(front)[0][::9]] = BLUE
    assert np.array_equal(kept(painted)[front], samples.weight[front])


def test_what_stands_behind_the_crown_is_not_trusted_as_hair() -> None:
    s, _, samples, _ = sampled()
    rim = (s.regions.scalp > 0.5) & s.regions.skin & (samples.facing < 0.25)
    painted = samples.color.copy()
    painted[rim] = [0.1, 0.9, 0.2]
    s, labels, samples, light = sampled()
    shown = replace(samples, color=painted, tone=np.ones_like(samples.tone))
    assert without_foreign(s, labels, shown, light).tone[rim].max() < 0.05


def _patched(
    color: NDArray[np.float64], u: float, v: float, kind: int
) -> tuple[View, NDArray[np.float32], NDArray[np.bool_]]:
    """The view with a painted patch at a place of the face's frame, which labels call `kind`."""
    s, labels, _, _ = sampled()
    yy, xx = np.mgrid[0 : s.view.size, 0 : s.view.size]
    frame = s.view.face_frame(np.stack([xx, yy], -1) + 0.5)
    patch = (np.abs(frame[..., 0] - u) < 0.08) & (np.abs(frame[..., 1] - v) < 0.08)
    lab = s.view.lab.copy()
    lab[patch] = color
    share = labels.share.copy()
    share[patch] = np.eye(4, dtype=np.float32)[kind]
    return replace(s.view, lab=lab), share, patch


def test_an_ear_that_was_taken_for_hair_becomes_skin_by_its_colour() -> None:
    s, labels, _, _ = sampled()
    skin = np.median(s.view.lab[(labels.share[..., SKIN] > 0.9) & s.view.face_hull(grow=-20)], 0)
    hair = np.median(s.view.lab[labels.share[..., HAIR] > 0.95], 0)
    for colour, expected in ((skin, SKIN), (hair, HAIR)):
        view, share, patch = _patched(colour, 0.55, 0.45, HAIR)
        freed, ear = bare_ears(view, share)
        assert (freed.argmax(-1) == expected)[patch].mean() > 0.7
        assert (ear > 0.5)[patch].mean() == pytest.approx(float(expected == SKIN), abs=0.3)
        np.testing.assert_allclose(freed.sum(-1), 1, atol=1e-3)


def test_hair_that_was_taken_for_an_ear_is_hair_as_a_whole() -> None:
    s, labels, _, _ = sampled()
    skin = np.median(s.view.lab[(labels.share[..., SKIN] > 0.9) & s.view.face_hull(grow=-20)], 0)
    hair = np.median(s.view.lab[labels.share[..., HAIR] > 0.95], 0)
    for colour, expected in ((skin, LabelKind.EAR), (hair, LabelKind.HAIR)):
        view, _, patch = _patched(colour, 0.55, 0.45, HAIR)
        assert labels.kinds is not None
        kinds = labels.kinds.copy()
        kinds[..., LabelKind.HAIR] += kinds[..., LabelKind.EAR]
        kinds[..., LabelKind.EAR] = 0
        kinds[patch] = np.eye(9, dtype=np.float32)[LabelKind.EAR]
        cover_ears(view, kinds)
        assert (kinds.argmax(-1) == expected)[patch].all()


def test_a_collar_beside_the_neck_becomes_cloth_though_it_stands_above_the_chin() -> None:
    s, labels, _, _ = sampled()
    cloth = np.median(s.view.lab[labels.share[..., CLOTH] > 0.95], 0)
    view, share, patch = _patched(cloth, 0.42, 0.02, SKIN)
    clear_collar(view, share)
    yy = np.mgrid[0 : s.view.size, 0 : s.view.size][0]
    lower = patch & (yy > np.median(yy[patch]))
    assert (share[..., CLOTH] > share[..., SKIN])[lower].mean() > 0.3
