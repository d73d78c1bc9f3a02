"""The far side of a turned head: necklaces stay, beards bristle, ears keep their light."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_engine.gaussian.beards import beard_share, grown_beard
from avatar_engine.gaussian.complete import complete
from avatar_engine.gaussian.ear_light import ears_in_their_light
from avatar_engine.gaussian.ears import auricle
from avatar_engine.gaussian.fusion import fuse
from avatar_engine.gaussian.light import Light, light_of
from avatar_engine.gaussian.necklaces import necklaces_as_cloth
from avatar_engine.gaussian.painting import PaintedHead, paint_head
from avatar_engine.gaussian.segment import CLOTH, SKIN
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.portrait import read_portrait

EXAMPLE = Path(__file__).parents[2] / "examples" / "face.png"


@pytest.fixture(scope="module")
def painted() -> PaintedHead:
    rig, portrait = load_head_rig(), read_portrait(EXAMPLE)
    return paint_head(rig, fit_head(rig, portrait), portrait, lambda _step, _share: None)


def necked(painted: PaintedHead) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The example's labels with a neck down to the picture's edge, and the low part of that neck:
    everything below is cloth.
    """
    share = np.zeros_like(painted.labels.share)
    up = painted.s.view.frame()[..., 1]
    bottom = up[painted.s.view.inside].min()
    cloth = up < 0.75 * bottom
    share[..., CLOTH], share[..., SKIN] = cloth, ~cloth
    return share, ~cloth & (up < -0.05) & painted.s.view.inside


def pearled(painted: PaintedHead, at: tuple[int, int]) -> NDArray[np.float32]:
    """[S, S] share of cloth where a pearl lies on a throat of one colour."""
    share, low = necked(painted)
    image = np.where(low[..., None], np.float32([0.7, 0.5, 0.4]), painted.s.view.image)
    cv2.circle(image, at, 6, (0.9, 0.88, 0.85), -1)
    view = replace(painted.s.view, image=image, lab=cv2.cvtColor(image, cv2.COLOR_RGB2LAB))
    necklaces_as_cloth(view, share)
    np.testing.assert_allclose(share.sum(-1), 1, atol=1e-5)
    x, y = at
    return share[y - 4 : y + 5, x - 4 : x + 5, CLOTH]


def test_a_pearl_beside_the_clothes_belongs_to_them_and_a_shining_throat_does_not(
    painted: PaintedHead,
) -> None:
    _, low = necked(painted)
    rows = np.nonzero(low.sum(1) > 60)[0]
    x = int(np.nonzero(low[rows[-1]])[0].mean())
    assert pearled(painted, (x, int(rows[-1]) - 5)).min() > 0.9
    assert pearled(painted, (x, int(rows[-1]) - 24)).max() < 0.1


def bristled(painted: PaintedHead, *, amount: float) -> NDArray[np.float64]:
    """Colours [N, 3] of a face of one tone on whose jaw hair grows."""
    low = (painted.s.rig.mean[:, 1] < -4.5) & painted.s.regions.skin
    noise = np.random.default_rng(1).normal(size=len(low)) * low
    tone = np.array([0.6, 0.45, 0.35]) * np.ones((len(low), 1))
    return np.asarray(np.clip(tone * (1 + amount * noise[:, None]), 0.05, 1), np.float64)


def test_a_beard_is_what_bristles_and_a_shaven_jaw_has_none(painted: PaintedHead) -> None:
    s = painted.s
    sure = np.ones(len(s.chart))
    share = beard_share(s, bristled(painted, amount=0.35), sure)
    chin = s.regions.skin & (s.rig.mean[:, 1] < -6) & (s.rig.mean[:, 2] > 8)
    chin &= s.regions.lip_depth > 1.5
    assert chin.sum() > 100
    assert np.median(share[chin]) > 0.8
    assert share[s.rig.mean[:, 1] > -4].max() == 0
    assert not beard_share(s, bristled(painted, amount=0.02), sure).any()
    assert not beard_share(s, painted.color, sure).any()


def test_an_unseen_jaw_is_skin_or_beard_and_no_mixture() -> None:
    side = 64
    known = np.zeros((side, side), np.float32)
    known[:, :16], known[:, 48:] = 1, 1
    beard = np.zeros((side, side))
    beard[:, :16] = 1
    rng = np.random.default_rng(0)
    grey, skin = np.log([0.3, 0.3, 0.3]), np.log([0.7, 0.5, 0.4])
    bare = np.where(beard[..., None] > 0, grey, skin) + 0.0
    bare[:, :16] += 0.2 * rng.normal(size=(side, 16, 1))
    filled = np.exp(grown_beard(bare, known, beard.ravel(), np.zeros_like(bare) + skin))
    between = filled[8:-8, 17:47].mean(-1)
    is_skin = np.abs(between - np.exp(skin).mean()) < 0.04
    assert 0.3 < is_skin.mean() < 0.7
    assert (between[:, :8] < 0.45).mean() > 0.9
    assert between[:, :8].std() > 0.02  # bristles


@pytest.mark.parametrize("gain", [0.7, 1.3])
def test_a_painted_ear_has_the_light_the_photo_shows_on_it(
    painted: PaintedHead, gain: float
) -> None:
    s = painted.s
    unseen = replace(
        painted.samples,
        weight=np.zeros(len(s.chart)),
        visible=np.ones(len(s.chart), bool),
        bare=np.ones(len(s.chart)),
        color=np.clip(gain * painted.color, 0, 1),
    )
    lit = ears_in_their_light(s, unseen, (True, False), painted.color)
    here = auricle(s) & s.regions.left & (painted.color.min(1) > 0.05) & (unseen.color.max(1) < 1)
    assert np.median(lit[here] / painted.color[here]) == pytest.approx(gain, rel=0.02)
    other = (s.regions.ear_weight == 0) | ~s.regions.left
    np.testing.assert_array_equal(lit[other], painted.color[other])
    seen = replace(unseen, weight=np.ones(len(s.chart)))
    kept = ears_in_their_light(s, seen, (True, True), painted.color)
    np.testing.assert_allclose(kept, painted.color)


def test_the_folds_of_an_ear_are_no_other_side_of_the_head(painted: PaintedHead) -> None:
    s = painted.s
    normal, _ = s.normals(s.source_shape())
    lit = 0.5 * np.exp(0.3 * (normal @ s.fit.placement[:, :3].T)[:, :1]) * np.ones(3)
    light = light_of(s, lit, painted.samples.weight, np.ones(len(lit)))
    ear = auricle(s) & s.regions.left
    assert light.log[ear].std() < 0.7 * np.log(lit[ear]).std()


def test_a_pixel_of_lock_and_cheek_tells_the_tone_of_neither(painted: PaintedHead) -> None:
    s = painted.s
    n = len(s.chart)
    seen = replace(
        painted.samples, weight=np.zeros(n), tone=np.ones(n), bare=np.full(n, 0.5),
        hairy=np.full(n, 0.4),
    )  # fmt: skip
    light = Light(np.zeros((n, 3)))
    assert fuse(seen, s.regions, light)[1].max() == 0
    plain = replace(seen, bare=np.ones(n))
    assert fuse(plain, s.regions, light)[1][s.regions.skin].min() > 0.3


def test_a_stray_texel_does_not_tell_the_tone_of_a_whole_side(painted: PaintedHead) -> None:
    s = painted.s
    x, y, z = s.rig.mean.T
    side = s.regions.skin & (np.abs(x) > 5) & (np.abs(y) < 3) & (z < 6)
    tone = np.array([0.6, 0.45, 0.35])
    color = np.where(side[:, None], [0.2, 0.3, 0.8], tone)
    trust = np.where(side, 0.02, 1.0) * s.regions.skin
    nothing = np.zeros(len(x))
    whole = complete(
        s, painted.labels, color, trust, (0.0, 0.0), (0.0, 0.0), nothing,
        Light(np.zeros((len(x), 3))), nothing,
    )  # fmt: skip
    bare = side & (s.regions.scalp < 0.01) & (s.regions.ear_weight < 0.01)
    assert bare.sum() > 100
    assert (whole[bare, 2] < whole[bare, 0]).mean() > 0.99
