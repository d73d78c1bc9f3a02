"""What brings corrective modes on: a line and a few products of expression weights, learnt."""

import numpy as np
import torch
from torch import Tensor, nn

from avatar_engine.codebook.plan import PROTOTYPES
from avatar_engine.types import ARKIT_INDEX, weights_of

_SIDED = ("mouthSmile", "mouthStretch", "mouthUpperUp", "mouthLowerDown", "mouthFrown")
_ALONE = ("jawOpen", "mouthPucker", "mouthFunnel", "eyeBlinkLeft", "eyeBlinkRight")
_WITH_JAW = ("mouthPucker", "mouthFunnel", "mouthClose", "mouthRollLower", "mouthRollUpper")
_BESIDES = (
    ("mouthPucker", "mouthFunnel"),
    ("eyeBlinkLeft", "mouthSmileLeft"),
    ("eyeBlinkRight", "mouthSmileRight"),
    ("eyeBlinkLeft", "eyeSquintLeft"),
    ("eyeBlinkRight", "eyeSquintRight"),
    ("eyeBlinkLeft", "eyeLookDownLeft"),
    ("eyeBlinkRight", "eyeLookDownRight"),
)
_HINGE = 0.25  # floor of a squared weight: a hinge at a half


def feature_pairs() -> tuple[tuple[tuple[str, str], ...], tuple[float, ...]]:
    """The products looked at, and their floors, as ``types.Drivers`` names them."""
    sided = [f"{name}{side}" for name in _SIDED for side in ("Left", "Right")]
    pairs = [(name, name) for name in (*_ALONE, *sided)]
    pairs += [("jawOpen", name) for name in (*_WITH_JAW, *sided)]
    pairs += list(_BESIDES)
    hinges = [(name, name) for name in ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight")]
    floors = [0.0] * len(pairs) + [_HINGE] * len(hinges)
    return tuple(pairs + hinges), tuple(floors)


def prototype_weights() -> Tensor:
    """[C, 52] expression of each corrective mode's prototype."""
    return torch.from_numpy(np.stack([weights_of(**p) for p in PROTOTYPES]))


class Driving(nn.Module):
    """Twin of ``types.Drivers``; at first each prototype brings on its own mode alone."""

    pairs: Tensor
    floors: Tensor

    def __init__(self) -> None:
        super().__init__()
        names, floors = feature_pairs()
        self.register_buffer("pairs", torch.tensor([[ARKIT_INDEX[n] for n in p] for p in names]))
        self.register_buffer("floors", torch.tensor(floors))
        P = prototype_weights()
        gram = P @ P.T + 0.05 * torch.eye(len(P))
        self.linear = nn.Parameter(torch.linalg.solve(gram, P))
        self.products = nn.Parameter(torch.zeros(len(P), len(names)))

    def forward(self, weights: Tensor) -> Tensor:
        """Amounts [..., C] at expression weights [..., 52]."""
        paired = weights[..., self.pairs[:, 0]] * weights[..., self.pairs[:, 1]]
        return weights @ self.linear.T + (paired - self.floors).clamp(min=0) @ self.products.T
