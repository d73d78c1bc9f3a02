"""Teaching the feature network; the same batches whenever it is interrupted."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from avatar_engine.training.course import Course, Stateful, at_rate
from avatar_engine.training.features.heads import LANDMARKS, LabelledPictures
from avatar_engine.training.features.network import FeatureNet

_RATE = 2e-3
_WEIGHTS = (1.0, 4.0, 8.0)  # of expression, pose and landmarks


class FeatureLearner(Course[float]):
    """A network and its optimiser.

    Args:
        examples: What to learn from.
        steps: All in all.
        batch: Pictures per step.
        seed: Decides weights, order and augmentation.
    """

    def __init__(
        self, examples: LabelledPictures, *, steps: int, batch: int = 16, seed: int = 0
    ) -> None:
        super().__init__(steps)
        torch.manual_seed(seed)
        self.examples = examples
        self.batch, self.seed = batch, seed
        self.net = FeatureNet(len(LANDMARKS), examples.pictures.shape[1])
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=_RATE, weight_decay=1e-3)

    def parts(self) -> Mapping[str, Stateful]:
        """The network and its optimiser."""
        return {"net": self.net, "optimiser": self.optimiser}

    def one_step(self) -> float:
        """One step of the optimiser; its loss."""
        self.net.train()
        rng = np.random.default_rng([self.seed, self.step])
        picked = rng.integers(len(self.examples.pictures), size=self.batch)
        pictures, places, wanted = _tensors(self.examples, picked, rng)
        at_rate(self.optimiser, self.rate(_RATE, least=0.0, warm_up=0.0))
        loss = reading_loss(self.net, pictures, places, wanted)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.step += 1
        return float(loss.detach())


def reading_loss(net: FeatureNet, pictures: Tensor, places: Tensor, wanted: Tensor) -> Tensor:
    """How wrong the network reads pictures [B, 3, S, S]."""
    seen, told = net(pictures)
    covered = places[:, 3:]
    where = ((seen[:, :3] - places[:, :3]).abs() * covered).mean()
    outline = functional.binary_cross_entropy_with_logits(seen[:, 3:], covered)
    spans = (slice(0, 52), slice(52, 55), slice(55, None))
    parts = [
        w * functional.smooth_l1_loss(told[:, span], wanted[:, span], beta=0.1)
        for w, span in zip(_WEIGHTS, spans, strict=True)
    ]
    return 10 * where + outline + sum(parts, start=where.new_zeros(()))


def load_features(file: Path) -> FeatureNet:
    """The network of a checkpoint, ready to compare pictures."""
    state = torch.load(file, weights_only=True)["net"]
    side = 16 * int((state["told.weight"].shape[1] // 16) ** 0.5)
    net = FeatureNet((len(state["told.bias"]) - 55) // 2, side)
    net.load_state_dict(state)
    return net.eval()


def _tensors(
    examples: LabelledPictures, picked: np.ndarray, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures [B, 3, S, S] in other light and grain, places [B, 4, S/4, S/4], what they say."""
    pictures = examples.pictures[picked].astype(np.float32) / 255
    gain = rng.uniform(0.75, 1.25, (len(picked), 1, 1, 3))
    pictures = pictures * gain + rng.normal(0, 0.02, pictures.shape)
    places = examples.places[picked].astype(np.float32) / 255
    planes = [np.moveaxis(a, -1, 1) for a in (np.clip(pictures, 0, 1), places)]
    seen, where = (torch.from_numpy(np.ascontiguousarray(a, np.float32)) for a in planes)
    return seen, where, torch.from_numpy(examples.told[picked])
