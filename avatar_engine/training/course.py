"""What every training shares: steps that can be interrupted, a rate, a running mean of weights."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from math import cos, pi
from pathlib import Path
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import nn

_AVERAGED = 0.99  # of the running mean of weights, which is what ships
_SAVED_EVERY_S = 60.0
_WARM_UP = 1 / 20  # of all steps

Figures = TypeVar("Figures")


class Stateful(Protocol):
    """A network or an optimiser."""

    def state_dict(self) -> dict[str, Any]:
        """What it is made of."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Become what another one was made of."""
        ...


class Course(ABC, Generic[Figures]):
    """A training, step by step; it can be put aside and taken up again.

    Args:
        steps: All in all.

    Attributes:
        steps: All in all.
        step: Done so far.
    """

    def __init__(self, steps: int) -> None:
        self.steps, self.step = steps, 0

    @abstractmethod
    def one_step(self) -> Figures:
        """Learn from one batch and count it; figures for people to read."""

    @abstractmethod
    def parts(self) -> Mapping[str, Stateful]:
        """Everything that changes, by the name it is put aside under."""

    def facts(self) -> dict[str, Any]:
        """What readers of a checkpoint want to know besides."""
        return {}

    def run(
        self,
        *,
        until: float = float("inf"),
        file: Path | None = None,
        told: Callable[[int, Figures], None] = lambda _step, _figures: None,
    ) -> None:
        """Train to the last step, or to a time of ``monotonic``; saves to ``file``."""
        saved = monotonic()
        while self.step < self.steps and monotonic() < until:
            told(self.step, self.one_step())
            if file is not None and monotonic() - saved > _SAVED_EVERY_S:
                self.save(file)
                saved = monotonic()
        if file is not None:
            self.save(file)

    def rate(self, highest: float, *, least: float = 1e-6, warm_up: float = _WARM_UP) -> float:
        """This step's learning rate: up in a line, down as a cosine.

        Args:
            highest: After the warm-up.
            least: Added throughout.
            warm_up: Share of the steps.
        """
        warm = min(1.0, (self.step + 1) / max(1.0, self.steps * warm_up))
        return highest * warm * (0.5 + 0.5 * cos(pi * self.step / self.steps)) + least

    def save(self, file: Path) -> None:
        """Put aside, whole or not at all."""
        states = {name: part.state_dict() for name, part in self.parts().items()}
        half_written = file.with_suffix(".part")
        torch.save({"step": self.step, **self.facts(), **states}, half_written)
        half_written.replace(file)

    def resume(self, file: Path, *, device: torch.device | str = "cpu") -> None:
        """Take up what :meth:`save` put aside."""
        state = torch.load(file, weights_only=True, map_location=device)
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        self.step = int(state["step"])


def at_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Let an optimiser's next step be of this size."""
    for group in optimiser.param_groups:
        group["lr"] = rate


@torch.no_grad()
def average(
    mean: nn.Module,
    now: nn.Module,
    step: int,
    is_copied: Callable[[str], bool] = lambda _name: False,
) -> None:
    """Move a running mean of weights on, in place.

    Args:
        mean: Of the weights so far.
        now: The weights after this step.
        step: How many there were; the first ones count less.
        is_copied: Names of what is taken over as it is; whole numbers always are.
    """
    share = min(_AVERAGED, (1 + step) / (10 + step))
    states = now.state_dict()
    for name, value in mean.state_dict().items():
        if value.dtype.is_floating_point and not is_copied(name):
            value.lerp_(states[name], 1 - share)
        else:
            value.copy_(states[name])
