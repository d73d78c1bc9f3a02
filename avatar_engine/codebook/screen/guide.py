"""What a generator is given: the source, the Gaussians' layer, and flow at every scale."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from avatar_engine.codebook.screen.config import LEVELS

_COARSER = 2  # levels below the coarsest, which only fill holes
_FAINT = 0.01  # weight of what a coarser level says where a finer one has texels


@dataclass(frozen=True, slots=True)
class ScreenInput:
    """A batch to be improved.

    Attributes:
        source: [B, 3, R, R] the photo, in [0, 1].
        layer: [B, 4, R, R] the Gaussians' head and body over mid-grey, and their coverage.
        flow: [B, 5, R, R] sums: texels; of them shown in the source; weight of the flow; flow x
            and y in pixels times weight.
    """

    source: Tensor
    layer: Tensor
    flow: Tensor

    def to(self, device: torch.device | str) -> "ScreenInput":
        """The same on another device."""
        return ScreenInput(*(t.to(device) for t in (self.source, self.layer, self.flow)))


@dataclass(frozen=True, slots=True)
class Flow:
    """Flow and occlusion at one scale of h x w pixels.

    Attributes:
        shift: [B, 2, h, w] from a pixel to its source, x and y, in this scale's pixels.
        logit: [B, 1, h, w] of being shown in the source; 0 is even odds, and where nothing is.
        known: [B, 1, h, w] in [0, 1): how much the mesh has to say here.
    """

    shift: Tensor
    logit: Tensor
    known: Tensor

    def planes(self) -> Tensor:
        """[B, 4, h, w] as a network reads it: shift in eighths of the picture."""
        eighth = self.shift.shape[-1] / 8
        return torch.cat([self.shift / eighth, self.logit / 4, self.known], 1)

    def warped(self, feature: Tensor) -> Tensor:
        """A feature map [B, C, h, w] of the source fetched to here; its edge is repeated."""
        height, width = feature.shape[-2:]
        y = torch.arange(height, device=feature.device) + 0.5
        x = torch.arange(width, device=feature.device) + 0.5
        shift = self.shift.to(torch.float32)
        across = (x + shift[:, 0]) * (2 / width) - 1
        down = (y[:, None] + shift[:, 1]) * (2 / height) - 1
        grid = torch.stack([across, down], -1).to(feature.dtype)
        return functional.grid_sample(
            feature, grid, mode="bilinear", padding_mode="border", align_corners=False
        )


def over_grey(color: Tensor, cover: Tensor) -> Tensor:
    """A layer [B, 4, R, R] as a generator reads it.

    Args:
        color: [B, 3, R, R] straight, in [0, 1].
        cover: [B, 1, R, R] coverage.
    """
    return torch.cat([torch.lerp(torch.full_like(color, 0.5), color, cover), cover], 1)


def flow_levels(sums: Tensor) -> list[Flow]:
    """Flow at the four scales, finest first, from sums [B, 5, R, R].

    Sums are pooled, so a coarse pixel's flow is the mean of its texels; holes take what the next
    coarser scale says.
    """
    pools = [sums]
    for _ in range(LEVELS + _COARSER - 1):
        pools.append(4 * functional.avg_pool2d(pools[-1], 2))
    shift = torch.zeros_like(pools[-1][:, 3:])
    found = []
    for level, pooled in reversed(list(enumerate(pools))):
        if shift.shape[-1] != pooled.shape[-1]:
            shift = functional.interpolate(shift, scale_factor=2, mode="bilinear")
        count, shown, weight = pooled[:, 0:1], pooled[:, 1:2], pooled[:, 2:3]
        shift = (pooled[:, 3:] + _FAINT * shift) / (weight + _FAINT)
        if level < LEVELS:
            share = (shown.minimum(count) + 0.02) / (count + 0.04)
            found.append(Flow(shift / 2**level, torch.logit(share), count / (count + 0.5)))
    return found[::-1]
