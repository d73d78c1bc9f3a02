"""Training: the same steps in the same order whenever and however often it is interrupted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from avatar_engine.portrait.labels import network_input
from avatar_engine.training.course import Course, Stateful, at_rate, average
from avatar_engine.training.labels.augment import augmented
from avatar_engine.training.labels.examples import UNKNOWN, Example
from avatar_engine.training.labels.network import LabelNet

_CLASS_WEIGHT = (1.0, 1.0, 1.6, 1.0, 1.0, 2.5, 2.0, 1.2, 3.0)
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


class Learner(Course[float]):
    """A network, its optimiser and its running mean."""

    def __init__(self, examples: Sequence[Example], odds: np.ndarray, schedule: Schedule) -> None:
        super().__init__(schedule.steps)
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

    def parts(self) -> Mapping[str, Stateful]:
        """The network, its running mean, its optimiser."""
        return {"net": self.net, "mean": self.mean, "optimiser": self.optimiser}

    def one_step(self) -> float:
        """One step of the optimiser; its loss."""
        seen, kinds = self._batch()
        at_rate(self.optimiser, self.rate(self.schedule.rate))
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
        average(self.mean, self.net, self.step)
        return float(loss.detach())

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
