"""Records as batches of tensors, mirrored and in other colours."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avatar_engine.codebook.screen.guide import ScreenInput, over_grey
from avatar_engine.training.screen.returning import Record

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step learns from. R is the generator's side.

    Attributes:
        seen: What the generator is given.
        later: The same a moment later.
        picture: [B, 3, R, R] the Gaussians' picture with its background.
        target: [B, 3, R, R] the right answer.
        true_flow: [B, 5, R, R] sums of the true flow.
        between: [B, 5, R, R] sums of the flow from ``seen`` to ``later``.
    """

    seen: ScreenInput
    later: ScreenInput
    picture: Tensor
    target: Tensor
    true_flow: Tensor
    between: Tensor

    def to(self, device: torch.device | str) -> "Batch":
        """The same on another device."""
        return Batch(
            self.seen.to(device),
            self.later.to(device),
            *(t.to(device) for t in (self.picture, self.target, self.true_flow, self.between)),
        )


def batch_of(records: Sequence[Record], rng: Rng | None = None) -> Batch:
    """Stack records.

    Args:
        records: B of them.
        rng: Mirrors and recolours each; None leaves them as they are.
    """
    views = [_Look.sampled(rng) for _ in records]

    def colours(name: str) -> Tensor:
        return _stacked([v.coloured(getattr(r, name)) for v, r in zip(views, records, strict=True)])

    def sums(name: str) -> Tensor:
        return _stacked([v.flowing(getattr(r, name)) for v, r in zip(views, records, strict=True)])

    def layer(name: str) -> Tensor:
        planes = colours(name)
        return over_grey(planes[:, :3], planes[:, 3:])

    source = colours("source")
    return Batch(
        ScreenInput(source, layer("layer"), sums("flow")),
        ScreenInput(source, layer("next_layer"), sums("next_flow")),
        colours("picture"),
        colours("target"),
        sums("true_flow"),
        sums("between"),
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """How one record is shown: mirrored or not, and its colours as ``gain * c ** gamma``."""

    is_mirrored: bool = False
    gain: NDArray[np.float64] | None = None
    gamma: float = 1.0

    @classmethod
    def sampled(cls, rng: Rng | None) -> "_Look":
        if rng is None:
            return cls()
        # Skin and light vary more than these portraits do, mostly toward the dark.
        gain = rng.uniform(0.7, 1.1) * (1 + 0.06 * rng.normal(size=3))
        return cls(bool(rng.random() < 0.5), gain, float(rng.uniform(0.85, 1.5)))

    def coloured(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """[3, R, R] of a picture, or [4, R, R] of a layer."""
        values = picture.astype(np.float32) / 255
        color, cover = values[..., :3], values[..., 3:]
        if self.gain is not None:
            color = np.clip(color**self.gamma * self.gain, 0, 1)
        planes = np.moveaxis(np.concatenate([color, cover], -1), -1, 0)
        return np.ascontiguousarray(planes[..., ::-1] if self.is_mirrored else planes, np.float32)

    def flowing(self, sums: NDArray[np.float16]) -> NDArray[np.float32]:
        """[5, R, R]; in a mirror, x runs the other way."""
        values = sums.astype(np.float32)
        if self.is_mirrored:
            values = values[..., ::-1].copy()
            values[3] *= -1
        return values


def _stacked(arrays: list[NDArray[np.float32]]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))
