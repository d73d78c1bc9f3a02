"""Teaching a generator: the same steps in the same order, however often it is interrupted."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from avatar_engine.codebook.screen.config import COMPACT, LEVELS, ScreenConfig
from avatar_engine.codebook.screen.generator import ScreenGenerator
from avatar_engine.codebook.screen.guide import flow_levels
from avatar_engine.training.course import Course, Stateful, at_rate, average
from avatar_engine.training.features.network import PerceptualDistance
from avatar_engine.training.screen.batches import Batch, batch_of
from avatar_engine.training.screen.losses import (
    Critic,
    Tokens,
    Weights,
    code_losses,
    flow_losses,
    picture_losses,
    time_loss,
    truth_of,
)
from avatar_engine.training.screen.returning import Record

_REAL_SHARE = 0.5
_PARTS = ("net", "mean", "critic", "optimiser", "critics")


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long, how fast, and what counts.

    Attributes:
        steps: All in all.
        batch: Records per step.
        rate: Highest learning rate, after a warm-up of a twentieth; it falls as a cosine.
        seed: Decides weights, order and augmentation.
        time_every, codes_every: Steps between those terms, which cost another pass.
        adversarial: Weight of the critic from half of the steps on; 0 is none.
        weights: Of the other terms.
    """

    steps: int = 1200
    batch: int = 4
    rate: float = 2e-3
    seed: int = 0
    time_every: int = 6
    codes_every: int = 3
    adversarial: float = 0.0
    weights: Weights = field(default_factory=Weights)


class Learner(Course[dict[str, float]]):
    """A generator, its optimiser and its running mean.

    Args:
        records: What to learn from.
        schedule: How.
        config: Size of the generator.
        distance: Between pictures, beside pixels; None is none.
        device: Where to compute; on a GPU in bfloat16 and compiled.
    """

    def __init__(
        self,
        records: Sequence[Record],
        schedule: Schedule,
        *,
        config: ScreenConfig = COMPACT,
        distance: PerceptualDistance | None = None,
        device: str = "cpu",
    ) -> None:
        super().__init__(schedule.steps)
        torch.manual_seed(schedule.seed)
        self.records, self.schedule, self.device = records, schedule, device
        self.net = ScreenGenerator(config).to(device)
        self.mean = copy.deepcopy(self.net).eval()
        self.critic = Critic().to(device)
        self.distance = distance.to(device) if distance is not None else None
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=schedule.rate)
        self.critics = torch.optim.AdamW(self.critic.parameters(), lr=schedule.rate / 4)
        self._run: Callable[..., Any] = torch.compile(self.net) if device != "cpu" else self.net
        odds = np.array([_REAL_SHARE if r.is_real else 1 - _REAL_SHARE for r in records])
        kinds = np.array([r.is_real for r in records])
        for kind in (0, 1):
            odds[kinds == kind] /= max(1, int((kinds == kind).sum()))
        self._odds = odds / odds.sum()

    def parts(self) -> Mapping[str, Stateful]:
        """Both networks, the running mean, both optimisers."""
        return {name: getattr(self, name) for name in _PARTS}

    def one_step(self) -> dict[str, float]:
        """One step of the optimisers; every term of the loss."""
        self.net.train()
        schedule = self.schedule
        rng = np.random.default_rng([schedule.seed, self.step])
        picked = rng.choice(len(self.records), schedule.batch, p=self._odds)
        batch = batch_of([self.records[k] for k in picked], rng).to(self.device)
        at_rate(self.optimiser, self.rate(schedule.rate))
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device != "cpu"):
            losses, made, tokens = self._losses(batch)
        weights = asdict(schedule.weights) | {"adversarial": schedule.adversarial}
        total = sum((weights[name] * value for name, value in losses.items()), made.new_zeros(()))
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        if schedule.adversarial > 0:
            self.critics.zero_grad(set_to_none=True)
            self.critic.hinge(made.detach(), batch.target).backward()
            self.critics.step()
        if tokens is not None:  # only now: the gradient needed the codes as they were
            chance = torch.Generator().manual_seed(schedule.seed * 1_000_003 + self.step)
            self.net.motion.book.follow(tokens[0], chance)
            self.net.appearance.book.follow(tokens[1], chance)
        self.step += 1
        average(self.mean, self.net, self.step)
        return {"total": float(total.detach())} | {k: float(v.detach()) for k, v in losses.items()}

    def _losses(
        self, batch: Batch
    ) -> tuple[dict[str, Tensor], Tensor, tuple[Tokens, Tokens] | None]:
        """The terms of this step, the picture made, and what the codebooks shall follow."""
        schedule = self.schedule
        tokens: tuple[Tokens, Tokens] | None = None
        out = self._run(batch.seen)
        made = batch.picture + out.change
        meshes, truth = truth_of(batch)
        losses = picture_losses(out, batch, self.distance) | flow_losses(out.flows, truth)
        if self.step % schedule.codes_every == 0:
            losses["codes"], motion, appearance = code_losses(self.net, batch, meshes, truth)
            tokens = motion, appearance
        if self.step % schedule.time_every == 0:
            losses["time"] = time_loss(out, self._run(batch.later), flow_levels(batch.between)[0])
        if schedule.adversarial > 0 and self.step > schedule.steps // 2:
            losses["adversarial"] = -self.critic(made).mean()
        return losses, made, tokens

    def used_codes(self) -> dict[str, list[float]]:
        """Share of the open codes in use by perplexity, coarse to fine."""
        open_codes = [self.net.config.open_codes(k) for k in reversed(range(LEVELS))]
        return {
            "motion": self.net.motion.book.used(open_codes),
            "appearance": self.net.appearance.book.used(open_codes),
        }
