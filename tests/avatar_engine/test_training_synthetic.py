"""Synthetic heads: they look like heads, and what is said of them is true."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from avatar_engine.errors import ShapeError
from avatar_engine.gaussian.regions import Regions, regions_of
from avatar_engine.head import load_head_rig
from avatar_engine.portrait.detection import detect_faces
from avatar_engine.portrait.networks import default_networks
from avatar_engine.training.portraits.cached import CachedHead, load_cached
from avatar_engine.training.portraits.unwrapping import Unwrapper
from avatar_engine.training.synthetic.__main__ import main
from avatar_engine.training.synthetic.caching import fill_cache, stranger_of
from avatar_engine.training.synthetic.flow import flow_between
from avatar_engine.training.synthetic.heads import Stranger, SyntheticHead, turned
from avatar_engine.training.synthetic.motion import Mover, expressions
from avatar_engine.training.synthetic.scene import picture, portrait_of, stage
from avatar_engine.training.synthetic.skin import TONES, learn_skin, tone
from avatar_engine.types import ARKIT, ARKIT_INDEX, Chart, HeadRig

JAW = ARKIT_INDEX["jawOpen"]
BLINK = ARKIT_INDEX["eyeBlinkLeft"]


@pytest.fixture(scope="module")
def rig() -> HeadRig:
    return load_head_rig()


@pytest.fixture(scope="module")
def regions(rig: HeadRig) -> Regions:
    return regions_of(rig)


def a_portrait(rig: HeadRig, regions: Regions, seed: int) -> CachedHead:
    """An unwrapped face of even skin with dark brows, as a photo might give it."""
    rng = np.random.default_rng(seed)
    face = (rig.mean[:, 2] > 4) & regions.skin & (regions.scalp < 0.02)
    base = np.full((65536, 3), [190, 150, 130]) + rng.integers(-20, 20, 3)
    brow = face & (np.abs(rig.mean[:, 1] - 4.6) < 0.4) & (np.abs(np.abs(rig.mean[:, 0]) - 3) < 2)
    base[brow] //= 3
    base = np.clip(base + rng.normal(0, 4, base.shape), 0, 255).astype(np.uint8)
    grid = lambda a: a.reshape(256, 256, *a.shape[1:])  # noqa: E731
    return CachedHead(
        residual=np.zeros((64, 64, 3), np.float16),
        residual_seen=np.zeros((64, 64), np.uint8),
        positions=np.zeros((64, 64, 3), np.float16),
        source=np.zeros(52, np.float16),
        pose=np.zeros(3, np.float32),
        color=grid(base * face[:, None]),
        seen=grid(np.where(face, 255, 0).astype(np.uint8)),
        hairy=np.zeros((256, 256), np.uint8),
        base=grid(base),
    )


@pytest.fixture(scope="module")
def stranger(rig: HeadRig, regions: Regions) -> Stranger:
    skin = learn_skin([a_portrait(rig, regions, k) for k in range(6)], regions)
    return Stranger(rig, skin, [np.zeros(52)])


@pytest.fixture(scope="module")
def head(stranger: Stranger) -> SyntheticHead:
    return stranger.sample(np.random.default_rng([0, 3]))


def plain_mover(rig: HeadRig, regions: Regions) -> Mover:
    zero = rig.mean.astype(np.float64)
    return Mover(rig, regions, zero, rig.eye_centers.astype(np.float64), np.ones(52))


def test_the_jaw_turns_where_the_rig_goes_straight(rig: HeadRig, regions: Regions) -> None:
    mover = plain_mover(rig, regions)
    chin = (rig.jaw > 0.98) & (rig.chart.ravel() == Chart.TEETH)
    for weight in (0.25, 0.5, 1.0):
        face = np.zeros(52)
        face[JAW] = weight
        apart = mover.exact(face)[chin] - mover.linear(face)[chin]
        far = np.linalg.norm(apart, axis=1).mean()
        assert (far < 0.01) == (weight == 1.0)
        arm = np.linalg.norm(mover.zero[chin, 1:] - [-0.59, 1.92], axis=1)
        now = mover.zero[chin] + mover.exact(face)[chin]
        np.testing.assert_allclose(
            np.linalg.norm(now[:, 1:] - [-0.59, 1.92], axis=1), arm, atol=0.02
        )


def test_lids_go_round_the_eyeball(rig: HeadRig, regions: Regions) -> None:
    mover = plain_mover(rig, regions)
    face = np.zeros(52)
    face[BLINK] = 0.5
    edge = regions.skin & regions.left & regions.above_lids & (regions.lid_distance < 3)
    centre = rig.eye_centers[0]
    straight = np.linalg.norm(mover.zero[edge] + mover.linear(face)[edge] - centre, axis=1)
    round_way = np.linalg.norm(mover.zero[edge] + mover.exact(face)[edge] - centre, axis=1)
    assert (round_way >= straight - 1e-9).all()
    assert (round_way - straight).max() > 0.02


def test_nothing_moves_in_the_neutral_face(rig: HeadRig, regions: Regions) -> None:
    assert np.abs(plain_mover(rig, regions).exact(np.zeros(52))).max() == 0


def test_expressions_are_mostly_alike_on_both_sides() -> None:
    faces = expressions(200, np.random.default_rng(0))
    assert faces.min() >= 0
    assert faces.max() <= 1
    lefts = [k for k, name in enumerate(ARKIT) if name.endswith("Left")]
    rights = [ARKIT_INDEX[ARKIT[k][:-4] + "Right"] for k in lefts]
    left, right = faces[:, lefts], faces[:, rights]
    alike = (left == right)[np.maximum(left, right) > 0]
    assert 0.6 < alike.mean() < 1


def test_skin_is_as_often_dark_as_light() -> None:
    rng = np.random.default_rng(1)
    light = np.array([tone(rng).mean() for _ in range(400)])
    middle = TONES.mean(1)[[2, 3]].mean()
    assert 0.4 < (light > middle).mean() < 0.6


def test_too_few_portraits_teach_no_skin(rig: HeadRig, regions: Regions) -> None:
    with pytest.raises(ShapeError, match="needed are 4"):
        learn_skin([a_portrait(rig, regions, 0)], regions)


def test_learnt_skin_keeps_what_faces_share(rig: HeadRig, regions: Regions) -> None:
    heads = [a_portrait(rig, regions, k) for k in range(6)]
    mean = learn_skin(heads, regions).mean
    x, y, z = rig.mean.reshape(256, 256, 3)[::2, ::2].transpose(2, 0, 1)
    brow = (np.abs(y - 4.6) < 0.25) & (np.abs(np.abs(x) - 3) < 1.5) & (z > 6)
    cheek = (np.abs(y) < 1.5) & (np.abs(np.abs(x) - 4) < 1) & (z > 6)
    assert mean[brow].mean() < mean[cheek].mean() - 0.25
    np.testing.assert_allclose(mean, mean[:, ::-1], atol=0.05)


def test_the_same_seed_is_the_same_head(stranger: Stranger, head: SyntheticHead) -> None:
    again = stranger.sample(np.random.default_rng([0, 3]))
    np.testing.assert_array_equal(again.color, head.color)
    np.testing.assert_array_equal(again.mover.zero, head.mover.zero)
    other = stranger.sample(np.random.default_rng([0, 4]))
    assert np.abs(other.mover.zero - head.mover.zero).max() > 0.1


def test_a_face_is_found_where_it_was_drawn(head: SyntheticHead) -> None:
    image, cover = picture(head, stage(head.s, np.random.default_rng(0)))
    faces = detect_faces(image, default_networks())
    assert len(faces) == 1
    rows, cols = np.nonzero(cover > 0.5)
    assert rows.min() < image.shape[0] * 0.4
    assert 0.15 < (cover > 0.5).mean() < 0.7
    nose = head.s.project(head.surface(head.s.source))
    nose = head.s.rig.landmarks(nose)[1]
    assert cover[int(nose[1]), int(nose[0])] > 0.9
    assert cols.min() < nose[0] < cols.max()


def test_labels_landmarks_and_matte_are_exact(head: SyntheticHead) -> None:
    portrait = portrait_of(head, stage(head.s, np.random.default_rng(0)))
    assert portrait.labels is not None
    np.testing.assert_allclose(portrait.labels.sum(-1), 1, atol=1e-5)
    p = head.s.project(head.surface(head.s.source))
    np.testing.assert_allclose(portrait.landmarks[:, :2], head.s.rig.landmarks(p)[:, :2], atol=1e-3)
    assert portrait.matte.max() == pytest.approx(1, abs=0.02)


def test_flow_leads_to_the_same_texel(head: SyntheticHead) -> None:
    s, size = head.s, head.s.view.size
    here = s.project(head.surface(s.source))
    aside = turned(s, 0.5)
    there = aside.project(head.surface(s.source))
    flow, seen = flow_between(here, there, s.regions.triangles, size)
    back, _ = flow_between(here, here, s.regions.triangles, size)
    covered = np.isfinite(flow[..., 0])
    assert np.abs(back[covered]).max() < 1e-3
    assert 0.3 < seen[covered].mean() < 0.99
    nose = s.rig.landmarks(here)[4], s.rig.landmarks(there)[4]
    row, col = int(nose[0][1]), int(nose[0][0])
    np.testing.assert_allclose(flow[row, col], nose[1][:2] - nose[0][:2], atol=2.0)


def test_turning_keeps_the_face_before_the_camera(head: SyntheticHead) -> None:
    aside = turned(head.s, -0.6, 0.1)
    middle = [s.project(np.array([[0.0, 1.0, 9.0]]))[0, :2] for s in (head.s, aside)]
    np.testing.assert_allclose(middle[0], middle[1], atol=1e-6)


def test_the_cache_holds_head_and_truth(stranger: Stranger, rig: HeadRig, tmp_path: Path) -> None:
    told: list[SyntheticHead | None] = []
    assert fill_cache(stranger, tmp_path, count=1, seed=5, told=told.append) == 0
    assert fill_cache(stranger, tmp_path, count=1, seed=5, told=told.append) == 0
    assert told[0] is not None
    assert told[1] is None
    kept = load_cached(tmp_path / "synthetic-5-0000.npz")
    assert kept.truth is not None
    assert kept.color is not None
    assert kept.seen is not None
    assert kept.expressions is not None
    assert kept.truth_displacement is not None
    seen = kept.seen > 200
    assert seen.mean() > 0.1
    # What the persona's own first half unwraps from the picture is the texture it was drawn with.
    assert np.abs(kept.color.astype(int) - kept.truth)[seen].mean() < 14
    grid = Unwrapper(rig).grid
    moved = told[0].mover.exact(kept.expressions[0].astype(np.float64))
    np.testing.assert_allclose(kept.truth_displacement[0], grid.of(moved), atol=0.01)
    assert fill_cache(stranger, tmp_path, count=2, seed=5, until=0) == 1


def test_nothing_is_sampled_from_an_empty_cache(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="no portraits"):
        stranger_of(tmp_path)
    app = typer.Typer()
    app.command()(main)
    said = CliRunner().invoke(app, ["--work", str(tmp_path), "--count", "1"])
    assert said.exit_code == 2
    assert "no portraits" in said.output


def test_closed_lids_are_skin(stranger: Stranger, regions: Regions) -> None:
    head = stranger.sample(np.random.default_rng([0, 8]))
    lid = regions.skin & regions.above_lids & (np.abs(regions.lid_distance - 7) < 2)
    assert head.lid_color[lid].mean() > head.color[lid].mean()
    plain = replace(head, color=head.lid_color)
    closed = head.s.source.copy()
    closed[[BLINK, ARKIT_INDEX["eyeBlinkRight"]]] = 1
    image, _ = picture(plain, stage(head.s, np.random.default_rng(0)), weights=closed, size=256)
    assert image.std() > 5
