"""Heads with one side hidden, and books that fit what they are asked."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from avatar_engine.codebook.plan import APPEARANCE, MOTION
from avatar_engine.gaussian.painting import PaintedHead, paint_head
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.portrait import read_portrait
from avatar_engine.training.codebooks.aside import turned_aside
from avatar_engine.training.codebooks.asking import Codebook, perplexity
from avatar_engine.training.codebooks.heads import aside_name, person_of, read_aside, read_heads
from avatar_engine.training.codebooks.learning import Halves
from avatar_engine.training.codebooks.pruning import pruned
from avatar_engine.training.portraits.cached import CachedHead
from avatar_engine.training.portraits.index import Entry, write_index

FACE = Path(__file__).parents[2] / "examples" / "face.png"


@pytest.fixture(scope="module")
def head() -> PaintedHead:
    rig, portrait = load_head_rig(), read_portrait(FACE)
    return paint_head(rig, fit_head(rig, portrait), portrait)


@pytest.mark.parametrize("yaw", [-0.6, 0.6])
def test_a_turn_hides_the_side_it_turns_away(head: PaintedHead, yaw: float):
    aside = turned_aside(head, yaw, 0.0)
    gone = head.samples.weight - aside.samples.weight
    skin = head.s.regions.skin
    left, right = head.s.regions.left & skin, ~head.s.regions.left & skin
    away, toward = (left, right) if yaw > 0 else (right, left)
    assert gone[away].sum() > 3 * gone[toward].sum()
    assert (gone > -1e-9).all()
    hidden = gone > 0.9
    assert hidden.sum() > 1000
    # What is hidden is guessed anew; what stays shown stays as it was.
    assert np.abs(aside.color - head.color)[hidden].mean() > 0.01
    kept = skin & (aside.samples.weight > 0.95)
    assert np.abs(aside.color - head.color)[kept].mean() < 0.01


def test_a_hidden_side_is_read_back_with_what_its_photo_shows(tmp_path: Path):
    whole = CachedHead(
        residual=np.zeros((64, 64, 3), np.float16),
        residual_seen=np.full((64, 64), 255, np.uint8),
        positions=np.zeros((64, 64, 3), np.float16),
        source=np.zeros(52, np.float16),
        pose=np.zeros(3, np.float32),
        color=np.full((256, 256, 3), 130, np.uint8),
        seen=np.full((256, 256), 255, np.uint8),
        hairy=np.zeros((256, 256), np.uint8),
        base=np.full((256, 256, 3), 130, np.uint8),
    )
    half = np.where(np.arange(256) < 128, 255, 0) * np.ones((256, 1))
    whole.save(tmp_path / "train-a.npz")
    hidden = replace(whole, seen=half.astype(np.uint8))
    for turn in (0, 1):
        hidden.save(tmp_path / f"{aside_name('train-a', turn)}.npz")
    write_index(tmp_path, [Entry("train-a", "train")])
    heads = read_heads(tmp_path)
    found = read_aside(tmp_path, heads)
    assert [person_of(h.name) for h in found] == ["train-a", "train-a"]
    assert person_of("returned-train-a") == person_of("train-a") == "train-a"
    for one in found:
        np.testing.assert_array_equal(one.truth, heads[0].color)
        np.testing.assert_array_equal(one.known, heads[0].seen)
        assert one.seen is not None
        assert one.seen.mean() == pytest.approx(0.5)


def test_smaller_books_keep_the_codes_that_are_used_most():
    state = Halves("both").state_dict()
    plans = {"motion": MOTION, "appearance": APPEARANCE}
    larger = {half: tuple(2 * count for count in plan.prefixes) for half, plan in plans.items()}
    for half, plan in plans.items():
        name = f"{half}.codebook"
        total = larger[half][-1]
        state[f"{name}.codes"] = torch.arange(total)[:, None].expand(-1, plan.code_size).float()
        state[f"{name}.counts"] = (torch.arange(total) % 2).float()
    found = pruned(state, larger)
    Halves("both").load_state_dict(found)
    for half, plan in plans.items():
        codes = found[f"{half}.codebook.codes"][:, 0]
        assert codes.tolist() == list(range(1, 2 * plan.prefixes[-1], 2))


def test_codes_share_the_tokens_though_most_tokens_are_alike():
    torch.manual_seed(0)
    book, rng = Codebook(MOTION), torch.Generator().manual_seed(0)
    size = (4, 3, MOTION.side, MOTION.side)
    is_still = torch.rand(4, 1, MOTION.side // 8, MOTION.side // 8) < 0.85
    for _ in range(60):
        loud = torch.randn(size, generator=rng)
        quiet = 0.05 * torch.randn(size, generator=rng)
        spots = torch.nn.functional.interpolate(is_still.float(), scale_factor=8) > 0.5
        nearest = book.learn(torch.where(spots, quiet, loud), torch.ones(4, 1, *size[2:]), rng)
    coarsest = MOTION.prefixes[0]
    assert perplexity(nearest[8], coarsest) / coarsest > 0.78  # nearest alone: 0.69
