"""The network in torch, for training only; ``speech/ear.py`` runs the same sums in numpy."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from avatar_engine.speech.ear import BLOCKS
from avatar_engine.speech.spectrum import BANDS
from avatar_engine.types import HEARD_SOUNDS

WIDTH, EXIT = 80, 64


class EarNetwork(nn.Module):
    """Residual convolutions over time; input [B, 41, T], logits [B, 23, T]."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.entry = nn.Conv1d(BANDS + 1, width, 1)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, 3, dilation=distance, bias=False) for distance, _ in BLOCKS
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in BLOCKS)
        self.first = nn.Conv1d(width, EXIT, 1)
        self.second = nn.Conv1d(EXIT, len(HEARD_SOUNDS), 1)

    def forward(self, features: Tensor) -> Tensor:
        """Logits of each sound in each frame."""
        x = functional.relu(self.entry(features))
        for (distance, ahead), layer, norm in zip(BLOCKS, self.layers, self.norms, strict=True):
            padded = functional.pad(x, ((2 - ahead) * distance, ahead * distance))
            x = x + functional.relu(norm(layer(padded)))
        return self.second(functional.relu(self.first(x)))


def exported(network: EarNetwork) -> Mapping[str, NDArray[Any]]:
    """Arrays as ``speech/ear.py`` reads them: norms folded in, half precision."""
    with torch.no_grad():
        tensors = {
            "entry": network.entry.weight[:, :, 0].T,
            "entry_bias": network.entry.bias,
            "exit.first": network.first.weight[:, :, 0].T,
            "exit.first_bias": network.first.bias,
            "exit.second": network.second.weight[:, :, 0].T,
            "exit.second_bias": network.second.bias,
        }
        for i, (layer, norm) in enumerate(zip(network.layers, network.norms, strict=True)):
            assert isinstance(norm, nn.BatchNorm1d)
            assert isinstance(layer, nn.Conv1d)
            assert norm.running_mean is not None
            assert norm.running_var is not None
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            tensors[f"layer{i}.taps"] = (layer.weight * scale[:, None, None]).permute(2, 1, 0)
            tensors[f"layer{i}.bias"] = norm.bias - norm.running_mean * scale
        return {
            name: np.ascontiguousarray(tensor.detach().numpy().astype(np.float16))
            for name, tensor in tensors.items()
            if tensor is not None
        }


def loss_of(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy that forgives 10 ms at a boundary: a frame may be what its neighbours are.

    Args:
        logits: [B, 23, T].
        labels: [B, T]; 255 where nobody knows.
        weights: [23] of each sound.
    """
    known = labels != 255
    target = functional.one_hot(labels.clamp(max=logits.shape[1] - 1), logits.shape[1]).float()
    before = torch.cat([target[:, :1], target[:, :-1]], dim=1)
    after = torch.cat([target[:, 1:], target[:, -1:]], dim=1)
    soft = 0.7 * target + 0.15 * before + 0.15 * after  # [B, T, 23]
    share = (soft * weights).sum(dim=2) * known
    losses = -(soft * functional.log_softmax(logits, dim=1).transpose(1, 2)).sum(dim=2)
    return (losses * share).sum() / share.sum().clamp(min=1.0)
