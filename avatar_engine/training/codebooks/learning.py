"""Training both halves together: the same steps whenever and however often it is interrupted."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

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
from avatar_engine.training.course import Course, Stateful, at_rate, average

_AS_IT_IS = ("counts", "known", "codes")  # no mean of these is a book
_MOTION_EVERY = 3  # steps; a step without it costs half as much

_Batch = TypeVar("_Batch", AppearanceBatch, MotionBatch)


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


class Learner(Course[dict[str, float]]):
    """Networks, their optimiser and their running mean."""

    def __init__(
        self, batches: Batches, schedule: Schedule, variant: Variant = "both", device: str = "cpu"
    ) -> None:
        super().__init__(schedule.steps)
        torch.manual_seed(schedule.seed)
        self.batches, self.schedule, self.variant = batches, schedule, variant
        self.device = torch.device(device)
        self.halves, self.mean = Halves(variant).to(device), Halves(variant).to(device)
        self.mean.load_state_dict(self.halves.state_dict())
        self.optimiser = torch.optim.AdamW(self.halves.parameters(), schedule.rate)
        self._expression = torch.from_numpy(batches.ground.expression).to(device)
        self._prototypes = self._fields(prototype_weights().to(device))

    def parts(self) -> Mapping[str, Stateful]:
        """The networks, their running mean, their optimiser."""
        return {"halves": self.halves, "mean": self.mean, "optimiser": self.optimiser}

    def facts(self) -> dict[str, Any]:
        """What kind of training it is."""
        return {
            "steps": self.steps,
            "variant": self.variant,
            "prefixes": {"motion": MOTION.prefixes, "appearance": APPEARANCE.prefixes},
        }

    def one_step(self) -> dict[str, float]:
        """One step of the optimiser; figures for people to read."""
        at_rate(self.optimiser, self.rate(self.schedule.rate, least=1e-5))
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
        average(self.mean, self.halves, self.step, lambda name: name.endswith(_AS_IT_IS))
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
        """Tokens of the photo's own expression."""
        return dict(self.halves.motion(self._fields(batch.source), batch.person).tokens)

    def _fields(self, weights: Tensor) -> Tensor:
        """[B, 3, 32, 32] displacement of the rig at expression weights [B, 52]."""
        return torch.einsum("bk,kchw->bchw", weights, self._expression)

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
