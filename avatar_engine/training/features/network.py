"""A network that reads a rendered head; what it has learned to see on the way compares pictures."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (16, 32, 48, 64)
"""Channels at 1/2, 1/4, 1/8 and 1/16 of the picture."""

PLACES = 4
"""Planes of the canonical picture: where on a head a pixel lies (x, y, z), and whether on one."""

_SIDE = 128


class FeatureNet(nn.Module):
    """Tells canonical coordinates, expression, head pose and landmarks of a head's picture.

    Args:
        landmarks: How many landmarks.
        side: Of the pictures, pixels; a multiple of 16.
    """

    def __init__(self, landmarks: int, side: int = _SIDE) -> None:
        super().__init__()
        given = (3, *WIDTHS[:-1])
        self.landmarks = landmarks
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(a, b, 3, stride=2, padding=1),
                nn.BatchNorm2d(b),
                nn.ReLU(),
                nn.Conv2d(b, b, 3, padding=1),
                nn.BatchNorm2d(b),
                nn.ReLU(),
            )
            for a, b in zip(given, WIDTHS, strict=True)
        )
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(WIDTHS[1:]))
        self.places = nn.Conv2d(WIDTHS[1], PLACES, 3, padding=1)
        self.squeeze = nn.Conv2d(WIDTHS[-1], 16, 1)
        self.told = nn.Linear(16 * (side // 16) ** 2, 52 + 3 + 2 * landmarks)

    def features(self, picture: Tensor) -> list[Tensor]:
        """Features of pictures [B, 3, S, S] in [0, 1] at 1/2, 1/4, 1/8 and 1/16."""
        x = 4 * picture - 2
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Canonical picture [B, 4, S/4, S/4], and expression, pose and landmarks [B, 55 + 2 L]."""
        found = self.features(picture)
        x = found[-1]
        for up, skip in zip(reversed(list(self.up)), found[-2:0:-1], strict=True):
            x = functional.relu(skip + functional.interpolate(up(x), scale_factor=2))
        flat = functional.relu(self.squeeze(found[-1])).flatten(1)
        return self.places(x), self.told(flat)


class PerceptualDistance(nn.Module):
    """How differently two pictures look to a trained, frozen ``FeatureNet``."""

    def __init__(self, net: FeatureNet) -> None:
        super().__init__()
        self.net = net.eval().requires_grad_(requires_grad=False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Mean difference of unit features over the scales; ``b`` gets no gradient."""
        with torch.no_grad():
            wanted = self.net.features(b)
        total = a.new_zeros(())
        for x, y in zip(self.net.features(a), wanted, strict=True):
            total = total + (_unit(x) - _unit(y)).square().sum(1).mean()
        return total / len(wanted)


def _unit(x: Tensor) -> Tensor:
    """Features of every place scaled to length one, where there are any."""
    return x / (x.square().sum(1, keepdim=True) + 0.1).sqrt()
