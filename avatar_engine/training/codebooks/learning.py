"""Training both halves together: the same steps whenever and however often it is interrupted."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from avatar_engine.codebook.plan import APPEARANCE, MOTION
from avatar_engine.training.codebooks.asking import Codebook
from avatar_engine.training.codebooks.batches import AppearanceBatch, Batches, MotionBatch
from avatar_engine.training.codebooks.driving import Driving, prototype_weights
from avatar_engine.training.codebooks.network import AppearanceNet, MotionNet, Variant
from avatar_engine.training.codebooks.objective import (
    Judged,
    judge_answers,
    judge_appearance,
    judge_motion,
)
from avatar_engine.training.codebooks.pruning import pruned

_MOTION_EVERY = 3  # steps; a step without it costs half as much
_AVERAGED = 0.99  # of the running mean of weights, which is what ships

_Batch = TypeVar("_Batch", AppearanceBatch, MotionBatch)

Told = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast.

    Attributes:
        steps: All in all.
        heads: With something hidden, per step.
        portraits: Whose motion is looked at, where not an exact one is.
        rate: Highest learning rate, after a warm-up; it falls as a cosine.
        seed: Decides weights, order and spoiling.
    """

    steps: int = 4000
    heads: int = 5
    portraits: int = 6
    rate: float = 1.5e-3
    seed: int = 0


class Halves(nn.Module):
    """Everything that is learnt."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.motion = MotionNet(variant)
        self.appearance = AppearanceNet(variant)
        self.driving = Driving()


class Learner:
    """Networks, their optimiser and their running mean; can be put aside and taken up again."""

    def __init__(
        self, batches: Batches, schedule: Schedule, variant: Variant = "both", device: str = "cpu"
    ) -> None:
        torch.manual_seed(schedule.seed)
        self.batches, self.schedule, self.variant = batches, schedule, variant
        self.device = torch.device(device)
        self.halves, self.mean = Halves(variant).to(device), Halves(variant).to(device)
        self.mean.load_state_dict(self.halves.state_dict())
        self.optimiser = torch.optim.AdamW(self.halves.parameters(), schedule.rate)
        self.step = 0
        self._expression = torch.from_numpy(batches.ground.expression).to(device)
        self._prototypes = self._fields(prototype_weights().to(device))

    def run(
        self,
        *,
        until: float = float("inf"),
        keep: Callable[[], None] = lambda: None,
        told: Told = lambda _step, _parts: None,
    ) -> None:
        """Train to the schedule's end, or to a time of ``monotonic``; ``keep`` every minute."""
        kept_at = monotonic()
        while self.step < self.schedule.steps and monotonic() < until:
            told(self.step, self.one_step())
            if monotonic() - kept_at > 60:
                keep()
                kept_at = monotonic()
        keep()

    def one_step(self) -> dict[str, float]:
        """One step of the optimiser; figures for people to read."""
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        rng = torch.Generator().manual_seed(self.schedule.seed * 1_000_003 + self.step)
        self.halves.train()
        judged = self._judge(rng)
        loss = torch.stack([part.loss for part in judged]).sum()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for half in self.halves.children():
            torch.nn.utils.clip_grad_norm_(half.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self._average()
        parts = {name: value for part in judged for name, value in part.parts.items()}
        return {"loss": float(loss.detach()), **parts}

    def _judge(self, rng: torch.Generator) -> list[Judged]:
        plan, judged = self.schedule, list[Judged]()
        if self.variant != "motion":
            batch = _onto(self.batches.appearance(self.step, plan.heads), self.device)
            with torch.autocast(self.device.type, torch.bfloat16):
                found = self.halves.appearance(batch.planes, self._heard(batch))
            codebook = self.halves.appearance.codebook
            found = found.exact()
            judged.append(judge_appearance(found, batch, _if_codes(codebook), rng))
        is_due = self.variant == "motion" or self.step % _MOTION_EVERY == 0
        if self.variant != "appearance" and is_due:
            moved = self.batches.motion(self.step, plan.portraits)
            judged += self._judge_motion(_onto(moved, self.device), rng)
        return judged

    def _judge_motion(self, batch: MotionBatch, rng: torch.Generator) -> list[Judged]:
        modes = self.modes(batch.person[:1])
        asked, lacking = batch.source[:, None], batch.residual[:, None]
        if batch.expressions.shape[1]:
            few = torch.randperm(batch.expressions.shape[1], generator=rng)[:2].to(self.device)
            asked, lacking = batch.expressions[:, few], batch.missing[:, few]
        times = asked.shape[1]
        person = batch.person.repeat_interleave(times, 0)
        with torch.autocast(self.device.type, torch.bfloat16):
            found = self.halves.motion(self._fields(asked.flatten(0, 1)), person).exact()
        direct = judge_answers(
            found,
            lacking.flatten(0, 1) / MOTION.unit,
            batch.weight.repeat_interleave(times, 0),
            _if_codes(self.halves.motion.codebook),
            rng,
        )
        return [judge_motion(modes, batch, self.halves.driving), direct]

    def modes(self, person: Tensor) -> Tensor:
        """Corrective modes [1, C, 3, 64, 64] of one person [1, 6, 32, 32]."""
        with torch.autocast(self.device.type, torch.bfloat16):
            return self.halves.motion(self._prototypes, person).exact().total[None]

    def _heard(self, batch: AppearanceBatch) -> dict[int, Tensor]:
        """Tokens of the photo's own expression; silence where the halves learn apart."""
        tokens = self.halves.motion(self._fields(batch.source), batch.person).tokens
        if self.variant == "appearance":
            return {scale: torch.zeros_like(x) for scale, x in tokens.items()}
        return dict(tokens)

    def _fields(self, weights: Tensor) -> Tensor:
        """[B, 3, 32, 32] displacement of the rig at expression weights [B, 52]."""
        return torch.einsum("bk,kchw->bchw", weights, self._expression)

    @torch.no_grad()
    def _average(self) -> None:
        share = min(_AVERAGED, (1 + self.step) / (10 + self.step))
        now = self.halves.state_dict()
        for name, value in self.mean.state_dict().items():
            is_learnt = value.dtype.is_floating_point and not name.endswith(("counts", "known"))
            if is_learnt and not name.endswith("codes"):
                value.lerp_(now[name], 1 - share)
            else:
                value.copy_(now[name])

    def _rate(self) -> float:
        done = self.step / self.schedule.steps
        warm = min(1.0, (self.step + 1) / max(1.0, self.schedule.steps / 20))
        return self.schedule.rate * warm * (0.5 + 0.5 * float(np.cos(np.pi * done))) + 1e-5

    def save(self, file: Path) -> None:
        """Put aside, whole or not at all."""
        state = {
            "step": self.step,
            "steps": self.schedule.steps,
            "variant": self.variant,
            "prefixes": {"motion": MOTION.prefixes, "appearance": APPEARANCE.prefixes},
            "halves": self.halves.state_dict(),
            "mean": self.mean.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        part = file.with_suffix(".part")
        torch.save(state, part)
        part.replace(file)

    def resume(self, file: Path) -> None:
        """Take up what :meth:`save` put aside."""
        state = torch.load(file, weights_only=True, map_location=self.device)
        self.halves.load_state_dict(state["halves"])
        self.mean.load_state_dict(state["mean"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])

    def begin_from(self, file: Path) -> None:
        """Begin anew with the weights of another training, whose books may have been larger."""
        state = torch.load(file, weights_only=True, map_location=self.device)
        learnt = pruned(state["mean"], state.get("prefixes", {}))
        self.halves.load_state_dict(learnt)
        self.mean.load_state_dict(learnt)


def _if_codes(memory: nn.Module) -> Codebook | None:
    return memory if isinstance(memory, Codebook) else None


def _onto(batch: _Batch, device: torch.device) -> _Batch:
    return type(batch)(*(getattr(batch, name).to(device) for name in batch.__slots__))
