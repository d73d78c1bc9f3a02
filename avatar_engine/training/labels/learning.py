"""Training: the same steps in the same order whenever and however often it is interrupted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from avatar_engine.portrait.labels import network_input
from avatar_engine.training.labels.augment import augmented
from avatar_engine.training.labels.examples import UNKNOWN, Example
from avatar_engine.training.labels.network import LabelNet

_CLASS_WEIGHT = (1.0, 1.0, 1.6, 1.0, 1.0, 2.5, 2.0, 1.2, 3.0)
_AVERAGED = 0.99  # of the running mean of weights, which is what ships
_SAVED_EVERY = 25
_IGNORED = 255


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast.

    Attributes:
        steps: All in all.
        batch: Crops per step.
        rate: Highest learning rate, after a warm-up of a twentieth; it falls as a cosine.
        seed: Decides weights, order and augmentation.
    """

    steps: int = 600
    batch: int = 12
    rate: float = 3e-3
    seed: int = 0


class Learner:
    """A network, its optimiser and its running mean; can be put aside and taken up again."""

    def __init__(self, examples: Sequence[Example], odds: np.ndarray, schedule: Schedule) -> None:
        torch.manual_seed(schedule.seed)
        self.examples = examples
        self.odds = odds / odds.sum()
        self.schedule = schedule
        self.net = LabelNet()
        self.mean = LabelNet()
        self.mean.load_state_dict(self.net.state_dict())
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(), lr=schedule.rate, weight_decay=1e-3
        )
        self.step = 0

    def run(
        self,
        *,
        until: float = float("inf"),
        file: Path | None = None,
        told: Callable[[int, float], None] = lambda _step, _loss: None,
    ) -> None:
        """Train to the schedule's end, or to a time of ``monotonic``; saves to ``file``."""
        while self.step < self.schedule.steps and monotonic() < until:
            told(self.step, self._one_step())
            if file is not None and (
                self.step % _SAVED_EVERY == 0 or self.step == self.schedule.steps
            ):
                self.save(file)
        if file is not None:
            self.save(file)

    def _one_step(self) -> float:
        seen, kinds = self._batch()
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        self.net.train()
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.net(seen)
        loss = functional.cross_entropy(
            logits.float(), kinds, torch.tensor(_CLASS_WEIGHT), ignore_index=_IGNORED
        )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        share = min(_AVERAGED, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            now = self.net.state_dict()
            for name, value in self.mean.state_dict().items():
                if value.dtype.is_floating_point:
                    value.lerp_(now[name], 1 - share)
        return float(loss.detach())

    def _rate(self) -> float:
        done = self.step / self.schedule.steps
        warm = min(1.0, (self.step + 1) / max(1.0, self.schedule.steps / 20))
        return self.schedule.rate * warm * (0.5 + 0.5 * float(np.cos(np.pi * done))) + 1e-6

    def _batch(self) -> tuple[Tensor, Tensor]:
        """Inputs [B, 9, S, S] and classes [B, S, S] of this step."""
        rng = np.random.default_rng([self.schedule.seed, self.step])
        picked = rng.choice(len(self.examples), self.schedule.batch, p=self.odds)
        others = rng.integers(len(self.examples), size=self.schedule.batch)
        views = [
            augmented(self.examples[i], self.examples[j], rng)
            for i, j in zip(picked, others, strict=True)
        ]
        seen = np.stack([network_input(v.image, v.matte, v.marks) for v in views])
        kinds = np.stack([v.kind for v in views]).astype(np.int64)
        kinds[kinds >= UNKNOWN] = _IGNORED
        return torch.from_numpy(seen).to(memory_format=torch.channels_last), torch.from_numpy(kinds)

    def save(self, file: Path) -> None:
        """Put aside, whole or not at all."""
        state = {
            "step": self.step,
            "net": self.net.state_dict(),
            "mean": self.mean.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        part = file.with_suffix(".part")
        torch.save(state, part)
        part.replace(file)

    def resume(self, file: Path) -> None:
        """Take up what :meth:`save` put aside."""
        state = torch.load(file, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.mean.load_state_dict(state["mean"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])
