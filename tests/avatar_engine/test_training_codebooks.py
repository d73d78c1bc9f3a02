"""The recipe of the codebooks, on heads made up here."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from avatar_engine.codebook import load_compensator
from avatar_engine.codebook.plan import MOTION
from avatar_engine.head import load_head_rig
from avatar_engine.training.codebooks.__main__ import main
from avatar_engine.training.codebooks.asking import Codebook, perplexity
from avatar_engine.training.codebooks.batches import Batches
from avatar_engine.training.codebooks.checkpoints import compensator_of
from avatar_engine.training.codebooks.driving import Driving, feature_pairs, prototype_weights
from avatar_engine.training.codebooks.ground import Ground, ground_of
from avatar_engine.training.codebooks.heads import (
    TWINS,
    LearntHead,
    read_heads,
    read_returned,
)
from avatar_engine.training.codebooks.learning import Halves, Learner, Schedule
from avatar_engine.training.codebooks.objective import fit_amounts
from avatar_engine.training.codebooks.returned import main as second_heads
from avatar_engine.training.codebooks.trust import trust_of
from avatar_engine.training.portraits.cached import CachedHead, load_cached
from avatar_engine.training.portraits.index import Entry, write_index
from avatar_engine.types import ARKIT_INDEX, SeenHead

FEW = Schedule(steps=4, heads=1, portraits=1, rate=3e-3)


@pytest.fixture(scope="module")
def ground() -> Ground:
    return ground_of(load_head_rig())


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, ground: Ground) -> Path:
    """Two portraits, the second without colours, and a head whose whole truth is known."""
    folder = tmp_path_factory.mktemp("cache")
    rng = np.random.default_rng(0)
    mean = np.zeros((64, 64, 3), np.float16)
    mean[:] = rng.normal(0, 0.05, 3)
    seen = np.zeros((256, 256), np.uint8)
    seen[60:200, 60:160] = 255
    color = np.where(seen[..., None] > 0, rng.integers(90, 160, (256, 256, 3)), 0)
    common = {
        "positions": mean,
        "residual": rng.normal(0, 0.03, (64, 64, 3)).astype(np.float16),
        "residual_seen": np.full((64, 64), 255, np.uint8),
        "source": rng.uniform(0, 0.4, 52).astype(np.float16),
        "pose": np.zeros(3, np.float32),
    }
    shown = {
        "color": color.astype(np.uint8),
        "seen": seen,
        "hairy": np.zeros_like(seen),
        "base": color.astype(np.uint8),
    }
    faces = rng.uniform(0, 0.5, (3, 52)).astype(np.float32)
    moved = np.tensordot(faces, ground.expression_field, 1) * 1.1
    known = {
        "truth": np.full((256, 256, 3), 120, np.uint8),
        "lid_truth": np.full((256, 256, 3), 110, np.uint8),
        "expressions": faces.astype(np.float16),
        "truth_displacement": np.moveaxis(moved, 1, -1).astype(np.float16),
    }
    CachedHead(**common, **shown).save(folder / "a.npz")
    CachedHead(**common).save(folder / "b.npz")
    CachedHead(**common, **shown, **known).save(folder / "c.npz")
    CachedHead(**common, **shown).save(folder / "d.npz")
    half = {**shown, "seen": np.where(np.arange(256) > 120, seen, 0).astype(np.uint8)}
    CachedHead(**common, **half).save(folder / "returned-a.npz")
    entries = [Entry(name, "train") for name in "abc"]
    write_index(folder, [*entries, Entry("d", "train", held_out="yes"), Entry("e", "train")])
    return folder


@pytest.fixture(scope="module")
def heads(cache: Path) -> list[LearntHead]:
    return read_heads(cache)


def test_heads_to_learn_from_are_apart_from_those_held_out(cache: Path, heads: list[LearntHead]):
    assert [h.name for h in heads] == ["a", "b", "c"]
    assert [h.name for h in read_heads(cache, held_out=True)] == ["d"]
    assert heads[1].color is None


def test_a_second_head_knows_what_the_first_photo_showed(cache: Path, heads: list[LearntHead]):
    (second,) = read_returned(cache, heads)
    assert second.name == "returned-a"
    np.testing.assert_array_equal(second.truth, heads[0].color)
    assert second.seen is not None
    assert second.seen.sum() < second.known.sum()


def test_compensation_is_believed_where_it_would_have_helped(
    cache: Path, heads: list[LearntHead], ground: Ground
):
    batches = Batches(heads, ground, 0)
    halves = Halves("both").eval()
    with torch.no_grad():
        halves.appearance.head.bias.fill_(0.4)  # a tenth brighter, everywhere
    (second,) = read_returned(cache, heads)
    brighter = replace(second, base=second.truth - 0.1 * (second.known > 0))
    darker = replace(second, base=second.truth + 0.1)
    believed = trust_of([brighter], halves, batches).max()
    assert believed > 0.7
    assert trust_of([darker], halves, batches).max() < 0.05
    assert trust_of([], halves, batches).max() == np.float32(0.6)


def test_a_mirrored_head_mirrors_back(heads: list[LearntHead]):
    once = heads[2].mirrored()
    assert (
        once.source[ARKIT_INDEX["mouthSmileLeft"]]
        == heads[2].source[ARKIT_INDEX["mouthSmileRight"]]
    )
    twice = once.mirrored()
    for name in ("positions", "residual", "source", "color", "seen", "truth", "displacement"):
        np.testing.assert_array_equal(getattr(twice, name), getattr(heads[2], name))
    assert not np.array_equal(once.positions[0], heads[2].positions[0])
    assert (TWINS[TWINS] == np.arange(52)).all()


def test_batches_hide_what_the_photo_showed_and_are_the_same_again(
    heads: list[LearntHead], ground: Ground
):
    batches = Batches(heads, ground, seed=3)
    first, again = batches.appearance(5, 2), batches.appearance(5, 2)
    for name in first.__slots__:
        assert torch.equal(getattr(first, name), getattr(again, name)), name
    assert not torch.equal(first.planes, batches.appearance(6, 2).planes)
    assert first.planes.shape == (2, 11, 128, 128)
    assert float(first.hidden.max()) > 0.9
    assert {batches.motion(k, 2).expressions.shape[1] for k in range(12)} == {0, 3}


def test_the_loss_falls(heads: list[LearntHead], ground: Ground):
    schedule = Schedule(steps=14, heads=2, portraits=1, rate=4e-3)
    learner = Learner(Batches(heads, ground, 0), schedule)
    losses: list[float] = []
    learner.run(told=lambda _step, parts: losses.append(parts["loss"]))
    assert np.mean(losses[-4:]) < 0.85 * np.mean(losses[:2])


def test_training_goes_on_where_it_stopped(heads: list[LearntHead], ground: Ground, tmp_path: Path):
    batches = Batches(heads, ground, 0)
    whole = Learner(batches, FEW)
    whole.run()
    first = Learner(batches, FEW)
    for _ in range(2):
        first.one_step()
    first.save(tmp_path / "checkpoint.pt")
    second = Learner(batches, FEW)
    second.resume(tmp_path / "checkpoint.pt")
    assert second.step == 2
    second.run()
    for name, value in whole.mean.state_dict().items():
        assert torch.allclose(value, second.mean.state_dict()[name], atol=1e-4), name


@pytest.mark.parametrize("variant", ["motion", "appearance", "unet", "paper"])
def test_every_variant_trains_and_completes_heads(
    heads: list[LearntHead], ground: Ground, tmp_path: Path, variant: str
):
    learner = Learner(Batches(heads, ground, 0), Schedule(steps=2, heads=1, portraits=1), variant)
    learner.run(file=tmp_path / "checkpoint.pt")
    made = compensator_of(tmp_path / "checkpoint.pt")
    n = 256 * 256
    seen = SeenHead(
        color=np.full((n, 3), 0.5, np.float32),
        seen=np.zeros(n, np.float32),
        hairy=np.zeros(n, np.float32),
        positions=load_head_rig().mean,
        residual=np.zeros((n, 3), np.float32),
        source=np.full(52, 0.1, np.float32),
    )
    found = made.compensate(seen)
    assert bool(np.any(found.color != 0.5)) == (variant != "motion")
    assert len(found.modes) == (0 if variant == "appearance" else 16)


def test_colours_that_learn_alone_do_not_hear_the_motion(heads: list[LearntHead], ground: Ground):
    for variant, hears in (("appearance", False), ("both", True)):
        learner = Learner(Batches(heads, ground, 0), FEW, variant)
        learner.run()
        net = learner.mean.appearance
        planes, rng = torch.full((1, 11, 128, 128), 0.3), torch.Generator().manual_seed(0)
        spoken = [
            {s: k * torch.randn(1, s * s, MOTION.width, generator=rng) for s in (8, 16, 32)}
            for k in (0, 1)
        ]
        with torch.no_grad():
            silent, loud = (net(planes, tokens).total for tokens in spoken)
        assert bool((silent != loud).any()) == hears


def test_the_command_trains_a_little_and_writes_codebooks(cache: Path, tmp_path: Path, capsys):
    output = tmp_path / "made.safetensors"
    main(data=cache, work=tmp_path, output=output, steps=2, seed=1)
    assert (tmp_path / "checkpoint.pt").exists()
    assert output.stat().st_size < 4e6
    load_compensator(output)
    main(data=cache, work=tmp_path, output=output, smoke=True)
    assert "at last" in capsys.readouterr().err


def test_codes_that_nothing_uses_are_put_to_use():
    torch.manual_seed(0)
    codebook = Codebook(MOTION)
    rng = torch.Generator().manual_seed(0)
    known = torch.ones(4, 1, 64, 64)
    codebook.learn(torch.randn(4, 3, 64, 64), known, rng)
    codebook.codes[5:] = 1e3  # nothing is near them
    count, used = MOTION.prefixes[-1], []
    for _ in range(60):
        nearest = codebook.learn(torch.randn(4, 3, 64, 64), known, rng)
        used.append(perplexity(nearest[32], count) / count)
    assert used[0] < 0.12
    assert used[-1] > 0.8


def test_amounts_that_a_tracker_would_find_explain_the_leftovers():
    rng = torch.Generator().manual_seed(1)
    modes = torch.randn(1, 4, 300, generator=rng)
    wanted = torch.tensor([[0.5, -1.0, 0.2, 0.0]])
    weight = torch.full((1, 300), 1 / 300)
    found = fit_amounts(modes, wanted @ modes[0], weight, torch.zeros(1, 4))
    assert torch.allclose(found, wanted, atol=0.01)


def test_each_prototype_brings_on_its_own_mode():
    driving = Driving()
    amounts = driving(prototype_weights()).detach()
    assert (amounts.argmax(1) == torch.arange(len(amounts))).all()
    assert not driving(torch.zeros(52)).any()
    pairs, floors = feature_pairs()
    assert len(pairs) == len(floors) == driving.products.shape[1]


@pytest.mark.shared
def test_a_turned_persona_is_read_as_a_second_head_that_knows_one_side(tmp_path: Path):
    shared = os.environ.get("LIVEPITCH_SHARED")
    if not shared:
        pytest.skip("LIVEPITCH_SHARED names no folder of development data")
    photo = Path(shared) / "data/portraits/train/p027.jpg"
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / photo.name).write_bytes(photo.read_bytes())
    write_index(tmp_path, [Entry("train-p027", "train"), Entry("train-gone", "train")])
    second_heads(photos=[tmp_path / "train"], work=tmp_path, every=1)
    seen = load_cached(tmp_path / "returned-train-p027.npz").seen
    assert seen is not None
    left, right = seen[:, 128:].mean(), seen[:, :128].mean()
    assert abs(left - right) > 0.15 * (left + right)
