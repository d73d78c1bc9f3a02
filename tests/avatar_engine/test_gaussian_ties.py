"""Texels that share a pixel are held together."""

from pathlib import Path

import numpy as np
import pytest

from avatar_engine.gaussian.regions import regions_of
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.ties import ties
from avatar_engine.gaussian.view import view_of
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.portrait import read_portrait

EXAMPLE = Path(__file__).parents[2] / "examples" / "face.png"
HAIR = 256


@pytest.fixture(scope="module")
def head() -> Sculpture:
    rig, portrait = load_head_rig(), read_portrait(EXAMPLE)
    fit = fit_head(rig, portrait)
    return Sculpture.started(rig, fit, view_of(portrait, fit.camera), regions_of(rig))


def test_ties_cost_nothing_where_neighbours_agree(head):
    n = len(head.chart)
    tied = ties(head, n + HAIR)
    assert tied.shape == (n + HAIR, n + HAIR)
    assert np.abs(tied @ np.ones(n + HAIR, np.float32)).max() < 1e-4
    assert np.abs(tied - tied.T).max() == 0
    noise = np.random.default_rng(0).normal(size=n + HAIR).astype(np.float32)
    assert noise @ (tied @ noise) > 0
    assert tied[n:].nnz == 0


def test_the_nearer_in_the_photo_the_stronger_the_tie(head):
    tied = ties(head, len(head.chart))
    at = head.project(head.source_shape())[:, :2]
    beside = np.arange(len(at) - 1)
    apart = np.linalg.norm(at[beside] - at[beside + 1], axis=1)
    tie = -np.asarray(tied[beside, beside + 1]).ravel()
    seen = head.regions.skin[:-1] & head.regions.skin[1:]
    assert tie[seen & (apart < 0.5)].min() > 0.5
    assert tie[seen & (apart > 4)].max() == 0
    assert tie[~head.regions.skin[:-1]].max() == 0
