"""The networks in torch, for training; ``avatar_engine.codebook`` runs the same sums in numpy."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from avatar_engine.codebook.plan import (
    APPEARANCE,
    APPEARANCE_PLANES,
    APPEARANCE_WIDTHS,
    MOTION,
    PERSON_PLANES,
    PLACE_PLANES,
    SCALES,
)
from avatar_engine.training.codebooks.asking import Codebook, Found, as_picture, as_tokens
from avatar_engine.training.codebooks.plain import PaperCodebook, PlainMemory

Variant = Literal["none", "motion", "appearance", "both", "unet", "paper"]
"""What compensates: nothing, one half, both, a U-Net in their place, or the paper's choices."""

_Memory = Codebook | PlainMemory
_MEMORIES: dict[str, type[Codebook] | type[PlainMemory]] = {
    "unet": PlainMemory,
    "paper": PaperCodebook,
}


def _convolution(given: int, made: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(given, made, 3, stride=stride, padding=1)


def _silent(layer: nn.Conv2d) -> nn.Conv2d:
    """The layer, saying nothing at first."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def _hearing(made: int, *, is_deaf: bool) -> nn.Linear:
    """What the appearance half makes of the motion's tokens; where it learns alone: nothing."""
    layer = nn.Linear(MOTION.width, made)
    if is_deaf:
        nn.init.zeros_(layer.weight).requires_grad_(False)
    return layer


def _gelu(x: Tensor) -> Tensor:
    return functional.gelu(x, approximate="tanh")


class MotionNet(nn.Module):
    """Twin of ``codebook.motion.MotionCodebook``, its codebook included."""

    def __init__(self, variant: Variant = "both") -> None:
        super().__init__()
        width = MOTION.width
        self.field = _convolution(3, width)
        self.person = _convolution(PERSON_PLANES, width)
        self.down16, self.down8 = _convolution(width, width, 2), _convolution(width, width, 2)
        self.codebook: _Memory = _MEMORIES.get(variant, Codebook)(MOTION)
        self.head = _silent(_convolution(width, 12))

    def forward(self, fields: Tensor, person: Tensor) -> Found:
        """Missing displacement [B, 3, 64, 64] (cm / ``FIELD_UNIT``) in each of B expressions.

        Args:
            fields: [B, 3, 32, 32] cm, the linear rig's displacement.
            person: [B, 6, 32, 32] of ``codebook.front.person_planes``.
        """
        x = _gelu(self.field(fields) + self.person(person))
        asking = {32: as_tokens(x)}
        for scale in (16, 8):
            x = _gelu(getattr(self, f"down{scale}")(x))
            asking[scale] = as_tokens(x)
        found = self.codebook(asking)
        fine = functional.pixel_shuffle(self.head(as_picture(found.tokens[32])), 2)
        return found.refined(fine)


class AppearanceNet(nn.Module):
    """Twin of ``codebook.appearance.AppearanceCodebook``, its codebook included."""

    def __init__(self, variant: Variant = "both") -> None:
        super().__init__()
        planes, d = 4 * (APPEARANCE_PLANES + PLACE_PLANES), APPEARANCE.width
        at64, at32, at16, at8 = APPEARANCE_WIDTHS
        self.stem = _convolution(planes, at64)
        given = at64
        for scale, made in ((32, at32), (16, at16), (8, at8)):
            setattr(self, f"down{scale}", _convolution(given, made, 2))
            setattr(self, f"deep{scale}", _convolution(made, made))
            setattr(self, f"in{scale}", nn.Linear(made, d))
            setattr(self, f"heard{scale}", _hearing(d, is_deaf=variant == "appearance"))
            given = made
        self.codebook: _Memory = _MEMORIES.get(variant, Codebook)(APPEARANCE)
        self.up, self.last = _convolution(d + at64 + 12, at64), _convolution(at64, at64)
        self.head = _silent(_convolution(at64, 12))

    def forward(self, planes: Tensor, motion: dict[int, Tensor]) -> Found:
        """Colours [B, 3, 128, 128] that the fused ones lack.

        Args:
            planes: [B, 11, 128, 128] of ``codebook.front.appearance_planes`` and the places.
            motion: Tokens of the photo's own expression at each scale.
        """
        half = _gelu(self.stem(functional.pixel_unshuffle(planes, 2)))
        x, asking = half, dict[int, Tensor]()
        for scale in reversed(SCALES):
            x = _gelu(getattr(self, f"down{scale}")(x))
            x = x + _gelu(getattr(self, f"deep{scale}")(x))
            seen = getattr(self, f"in{scale}")(as_tokens(x))
            asking[scale] = seen + getattr(self, f"heard{scale}")(motion[scale])
        found = self.codebook(asking)
        up = functional.interpolate(
            as_picture(found.tokens[32]), scale_factor=2, mode="bilinear", align_corners=False
        )
        up = _gelu(self.up(torch.cat([up, half, functional.pixel_unshuffle(found.total, 2)], 1)))
        up = up + _gelu(self.last(up))
        return found.refined(functional.pixel_shuffle(self.head(up), 2))
