"""Labels at the working size: from the network, and from colours where it is at a loss."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_engine.gaussian.colour_model import Mixture, softmax
from avatar_engine.gaussian.segment import BACKGROUND, CLOTH, HAIR, SKIN, Labels, segment
from avatar_engine.gaussian.view import View, view_of
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.portrait import read_portrait
from avatar_engine.types import LabelKind

FACE = Path(__file__).parents[2] / "examples" / "face.png"


@cache
def view() -> View:
    portrait = read_portrait(FACE)
    return view_of(portrait, fit_head(load_head_rig(), portrait).camera)


@cache
def labelled(*, by_network: bool) -> Labels:
    seen = view() if by_network else replace(view(), seen=None)
    yy, xx = np.mgrid[0 : seen.size, 0 : seen.size]
    scalp = seen.face_frame(np.stack([xx, yy], -1) + 0.5)[..., 1] > 0.9
    return segment(seen, scalp & seen.inside, np.zeros_like(scalp))


@pytest.mark.parametrize("by_network", [True, False])
def test_the_parts_are_where_they_belong(by_network: bool) -> None:
    labels, seen = labelled(by_network=by_network), view()
    np.testing.assert_allclose(labels.share.sum(-1), 1, atol=1e-4)
    assert (labels.share[..., BACKGROUND][seen.matte < 0.05] > 0.9).all()
    yy, xx = np.mgrid[0 : seen.size, 0 : seen.size]
    u, v = np.moveaxis(seen.face_frame(np.stack([xx, yy], -1) + 0.5), -1, 0)
    person = seen.matte > 0.9
    best = labels.share.argmax(-1)
    assert (best == SKIN)[(np.abs(u) < 0.3) & (v > 0.1) & (v < 0.6)].mean() > 0.97
    assert (best == HAIR)[(v > 1.25) & person].mean() > 0.9
    assert (best == CLOTH)[(v < -0.25) & (np.abs(u) > 0.7) & person].mean() > 0.9
    assert not labels.is_bald
    assert (labels.kinds is not None) == by_network
    assert np.linalg.norm(labels.skin_tone - labels.hair_tone) > 0.1


def test_glasses_and_beard_move_with_the_face_and_hats_with_the_hair() -> None:
    seen = view()
    assert seen.seen is not None
    swap = [*range(9)]
    swap[LabelKind.SKIN], swap[LabelKind.BEARD] = LabelKind.BEARD, LabelKind.SKIN
    swap[LabelKind.HAIR], swap[LabelKind.HEADWEAR] = LabelKind.HEADWEAR, LabelKind.HAIR
    nothing = np.zeros((seen.size, seen.size), bool)
    other = segment(replace(seen, seen=seen.seen[..., swap]), nothing, nothing)
    plain = labelled(by_network=True)
    assert (other.share.argmax(-1) == plain.share.argmax(-1)).mean() > 0.999
    assert other.kinds is not None
    assert (other.kinds.argmax(-1) == LabelKind.BEARD).mean() > 0.05


def test_the_multiplied_out_density_is_the_plain_one() -> None:
    rng = np.random.default_rng(3)
    samples = np.concatenate([rng.normal(m, s, (300, 3)) for m, s in ((30, 3), (60, 9))])
    mixture = Mixture.fitted(samples, 3)
    at: NDArray[np.float64] = rng.uniform(0, 90, (50, 3))
    d = at[:, None] - mixture.means
    plain = -0.5 * np.einsum("nki,kij,nkj->nk", d, mixture.precisions, d) + mixture.log_norms
    plain = np.log((np.exp(plain) * mixture.weights).sum(1) + 1e-300)
    np.testing.assert_allclose(mixture.log_density(at), np.maximum(plain, -30), atol=1e-6)


def test_shares_are_finite_however_unlikely_everything_is() -> None:
    share = softmax(np.array([[-1e4, -1e4 - 1], [0.0, 800.0]]))
    np.testing.assert_allclose(share, [[0.731059, 0.268941], [0, 1]], atol=1e-5)
