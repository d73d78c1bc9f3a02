"""The recipes of the generator and of the feature network: pairs, losses that fall, resuming."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torch import Tensor

from avatar_engine.codebook.screen.config import ScreenConfig
from avatar_engine.codebook.screen.generator import ScreenOutput
from avatar_engine.codebook.screen.guide import Flow, flow_levels
from avatar_engine.training.features.heads import LANDMARKS, LabelledPictures
from avatar_engine.training.features.learning import FeatureLearner, load_features
from avatar_engine.training.features.network import PerceptualDistance
from avatar_engine.training.screen.batches import batch_of
from avatar_engine.training.screen.gathering import photos_in, read_records, write_record
from avatar_engine.training.screen.learning import Learner, Schedule
from avatar_engine.training.screen.losses import Critic, flow_losses, time_loss
from avatar_engine.training.screen.measuring import improve
from avatar_engine.training.screen.returning import Record

torch.set_num_threads(1)
SIDE = 32
TINY = ScreenConfig(
    side=SIDE, grid=4, widths=(8, 8, 8, 8), codes=16, motion_width=8, appearance_width=8, heads=2
)


def _smooth(rng: np.random.Generator) -> np.ndarray:
    """A soft picture [R, R, 3] in [0, 1]."""
    coarse = torch.from_numpy(rng.random((1, 3, 5, 5), np.float32))
    large = torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bicubic")
    return large[0].permute(1, 2, 0).clamp(0, 1).numpy()


def _bytes(picture: np.ndarray) -> np.ndarray:
    return np.rint(255 * picture).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """Discs that are drawn too pale, with a flow that misses by a pixel, beside the right ones."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5 - SIDE / 2
    disc = (np.hypot(x, y) < 0.42 * SIDE).astype(np.float32)
    found = []
    for k in range(3):
        rng = np.random.default_rng(k)
        source = _smooth(rng)
        target = np.where(disc[..., None] > 0, np.roll(source, -3, 1), source)
        pale = np.where(disc[..., None] > 0, 0.6 * target + 0.35, target)
        layer = np.concatenate([_bytes(pale), _bytes(disc[..., None])], -1)

        def sums(right: float, disc: np.ndarray = disc) -> np.ndarray:
            return np.stack([disc, disc, disc, right * disc, 0 * disc]).astype(np.float16)

        found.append(
            Record(
                source=_bytes(source),
                picture=_bytes(pale),
                layer=layer,
                flow=sums(2.0),
                target=_bytes(target),
                true_flow=sums(3.0),
                next_layer=np.roll(layer, 1, 1),
                next_flow=np.roll(sums(2.0), 1, 2),
                between=sums(1.0),
                large_picture=_bytes(pale),
                large_target=_bytes(target),
                is_real=int(k == 0),
            )
        )
    return found


def test_the_loss_falls_and_pictures_come_nearer(records: list[Record]) -> None:
    learner = Learner(records, Schedule(steps=60, batch=2, rate=4e-3), config=TINY)
    seen: list[dict[str, float]] = []
    learner.run(told=lambda _step, losses: seen.append(losses))
    assert all(np.isfinite(list(losses.values())).all() for losses in seen)
    pictures = [losses["picture"] for losses in seen]
    assert np.mean(pictures[-8:]) < 0.8 * np.mean(pictures[:8])
    codes = [losses["codes"] for losses in seen if "codes" in losses]
    assert codes[-1] < codes[0]
    assert any("time" in losses for losses in seen)
    assert min(one.gain_db for one in improve(learner.mean, records)) > 0.5
    assert set(learner.used_codes()) == {"motion", "appearance"}


def test_training_goes_on_where_it_was_put_aside(records: list[Record], tmp_path: Path) -> None:
    schedule = Schedule(steps=6, batch=1, time_every=2, codes_every=2, adversarial=0.1)
    whole = Learner(records, schedule, config=TINY)
    whole.run()
    file = tmp_path / "checkpoint.pt"
    first = Learner(records, schedule, config=TINY)
    with pytest.raises(InterruptedError):
        first.run(told=_stopping_after(3))
    first.save(file)
    second = Learner(records, schedule, config=TINY)
    second.resume(file)
    assert second.step == 4
    second.run()
    assert _equal(whole.net.state_dict(), second.net.state_dict())
    assert _equal(whole.mean.state_dict(), second.mean.state_dict())


def _stopping_after(last: int) -> Callable[[int, dict[str, float]], None]:
    def told(step: int, _losses: dict[str, float]) -> None:
        if step == last:
            raise InterruptedError

    return told


def _equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_every_term_pulls_on_the_generator(records: list[Record]) -> None:
    batch = batch_of(records[:2])
    learner = Learner(records, Schedule(batch=2, time_every=1, codes_every=1), config=TINY)
    learner.run(told=lambda step, _losses: None, until=0.0)
    for parameter in learner.net.parameters():
        if parameter.abs().sum() == 0:
            torch.nn.init.normal_(parameter, std=0.02)
    losses, _, tokens = learner._losses(batch)
    assert set(losses) == {"picture", "flow", "occlusion", "codes", "time"}
    assert tokens is not None
    for name, value in losses.items():
        learner.net.zero_grad()
        value.backward(retain_graph=True)
        moved = sum(
            float(p.grad.abs().sum()) for p in learner.net.parameters() if p.grad is not None
        )
        assert moved > 0, name


def test_flow_losses_are_least_at_the_truth_and_keep_odds_as_logits(records: list[Record]) -> None:
    batch = batch_of(records)
    mesh, truth = flow_levels(batch.seen.flow), flow_levels(batch.true_flow)
    unsure = [replace(flow, logit=torch.zeros_like(flow.logit)) for flow in mesh]
    right, off = flow_losses(truth, truth), flow_losses(unsure, truth)
    assert right["flow"] < 0.02 < off["flow"]
    assert right["occlusion"] < off["occlusion"]


def test_what_moves_with_the_head_costs_nothing_in_time() -> None:
    change = torch.rand(1, 3, 16, 16)
    moved = change.roll(2, -1)
    shift = torch.zeros(1, 2, 16, 16)
    shift[:, 0] = 2
    known = torch.zeros(1, 1, 16, 16)
    known[..., 2:-4] = 1
    between = Flow(shift, torch.full((1, 1, 16, 16), 9.0), known)

    def says(change: Tensor) -> ScreenOutput:
        return ScreenOutput(change, [])

    assert time_loss(says(change), says(moved), between) < 1e-5
    assert time_loss(says(change), says(change), between) > 0.1


def test_records_are_kept_and_held_out(records: list[Record], tmp_path: Path) -> None:
    write_record(tmp_path / "a_0.npz", records[0])
    (again,) = read_records(tmp_path, ["a"], has_large=True)
    for name in ("source", "flow", "between", "large_target"):
        np.testing.assert_array_equal(getattr(again, name), getattr(records[0], name))
    assert read_records(tmp_path, ["a"])[0].large_picture.size == 0
    for k in range(21):
        (tmp_path / f"{k:03}.jpg").write_bytes(b"")
    training = [p.stem for p in photos_in(tmp_path, is_training=True)]
    assert len(training) == 18
    assert not {"000", "010", "020"} & set(training)


def test_a_mirrored_batch_is_the_mirror_of_the_batch(records: list[Record]) -> None:
    mirror = Mock(np.random.Generator, uniform=lambda *_: 1.0, normal=lambda size: np.zeros(size))
    mirror.random.return_value = 0.0
    plain = batch_of(records[:1])
    mirrored = batch_of(records[:1], mirror)
    torch.testing.assert_close(mirrored.target, plain.target.flip(-1))
    torch.testing.assert_close(mirrored.seen.layer, plain.seen.layer.flip(-1))
    fetched = flow_levels(plain.true_flow)[0].warped(plain.seen.source)
    other = flow_levels(mirrored.true_flow)[0].warped(mirrored.seen.source)
    torch.testing.assert_close(other, fetched.flip(-1), atol=1e-4, rtol=1e-4)


def test_a_critic_learns_what_is_made() -> None:
    torch.manual_seed(0)
    critic = Critic(4)
    optimiser = torch.optim.Adam(critic.parameters(), 1e-2)
    real, made = torch.rand(4, 3, 32, 32), torch.rand(4, 3, 32, 32).mean(1, keepdim=True)
    made = made.expand(-1, 3, -1, -1)
    first = float(critic.hinge(made, real).detach())
    for _ in range(30):
        optimiser.zero_grad()
        loss = critic.hinge(made, real)
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.7 * first


def test_features_are_learned_and_compare_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (8, SIDE, SIDE, 3), np.uint8)
    places = pictures[:, ::4, ::4][..., [0, 1, 2, 0]] // 2 + 64
    told = rng.random((8, 55 + 2 * len(LANDMARKS))).astype(np.float32)
    examples = LabelledPictures(pictures, places, told)
    learner = FeatureLearner(examples, steps=25, batch=4)
    losses: list[float] = []
    file = tmp_path / "features.pt"
    learner.run(file=file, told=lambda _step, loss: losses.append(loss))
    assert np.mean(losses[-4:]) < 0.7 * losses[0]
    distance = PerceptualDistance(load_features(file))
    picture = torch.from_numpy(pictures[:1].astype(np.float32) / 255).permute(0, 3, 1, 2)
    near = (picture + 0.05 * torch.rand_like(picture)).requires_grad_()
    close, far = distance(near, picture), distance(picture.flip(-1), picture)
    assert 0 < float(close.detach()) < float(far)
    close.backward()
    assert near.grad is not None
    assert near.grad.abs().sum() > 0
    assert all(p.grad is None for p in distance.parameters())
