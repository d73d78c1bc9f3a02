"""The label network in torch, for training; ``portrait.convolution`` runs its folded weights."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from avatar_engine.portrait.labels import CHANNELS
from avatar_engine.types import LabelKind

WIDTHS = (16, 32, 56, 80)
"""Channels at 1/2, 1/4, 1/8 and 1/16 of the crop."""


class _Block(nn.Module):
    """A convolution and its normalisation; folded into one convolution when exported."""

    def __init__(self, given: int, made: int, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            given, made, 3, stride=stride, padding=dilation, dilation=dilation, bias=False
        )
        self.norm = nn.BatchNorm2d(made)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class _Stage(nn.Module):
    """Halves the picture, then two residual blocks."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.first = _Block(given, made, stride=2)
        self.second, self.third = _Block(made, made), _Block(made, made)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.first(x))
        x = functional.relu(x + self.second(x))
        return functional.relu(x + self.third(x))


class LabelNet(nn.Module):
    """An encoder and decoder with skips; logits at the input's size."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = WIDTHS
        self.stem = nn.Conv2d(4 * CHANNELS, a, 1)
        self.down1, self.down2, self.down3 = _Stage(a, b), _Stage(b, c), _Stage(c, d)
        self.deep1, self.deep2 = _Block(d, d, dilation=2), _Block(d, d, dilation=4)
        self.whole = nn.Conv2d(d, d, 1)
        self.up3, self.up2, self.up1 = _Block(d + c, c), _Block(c + b, b), _Block(b + a, a)
        self.head = nn.Conv2d(a, 4 * len(LabelKind), 1)

    def forward(self, seen: Tensor) -> Tensor:
        """Logits [B, 9, S, S] of [B, 9, S, S]."""
        x = functional.relu(self.stem(functional.pixel_unshuffle(seen, 2)))
        skips = []
        for stage in (self.down1, self.down2, self.down3):
            skips.append(x)
            x = stage(x)
        x = functional.relu(x + self.deep1(x))
        x = functional.relu(x + self.deep2(x))
        x = x + functional.relu(self.whole(x.mean((2, 3), keepdim=True)))
        for block, skip in zip((self.up3, self.up2, self.up1), reversed(skips), strict=True):
            grown = functional.interpolate(x, scale_factor=2, mode="nearest")
            x = functional.relu(block(torch.cat([grown, skip], 1)))
        return functional.pixel_shuffle(self.head(x), 2)

    def folded(self) -> dict[str, NDArray[np.float16]]:
        """Weights for ``portrait.convolution.run_network``, normalisation folded in."""
        found: dict[str, Tensor] = {}
        for name in ("stem", "whole", "head"):
            conv = getattr(self, name)
            found[f"{name}.weight"] = conv.weight[:, :, 0, 0]
            found[f"{name}.bias"] = conv.bias
        blocks = {name: getattr(self, name) for name in ("deep1", "deep2", "up3", "up2", "up1")}
        for name in ("down1", "down2", "down3"):
            stage = getattr(self, name)
            blocks |= {name: stage.first, f"{name}.res1": stage.second, f"{name}.res2": stage.third}
        for name, block in blocks.items():
            norm = block.norm
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            found[f"{name}.weight"] = block.conv.weight * gain[:, None, None, None]
            found[f"{name}.bias"] = norm.bias - norm.running_mean * gain
        return {name: tensor.detach().numpy().astype(np.float16) for name, tensor in found.items()}
