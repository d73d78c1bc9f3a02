"""What the codebooks are compared with: the same work by networks without a memory.

``PlainNet`` is a U-Net of the same inputs and about the same number of weights. ``PaperCodebook``
makes the first paper's own choices: everything refined on one coarse grid, occlusion as a sigmoid
of a sigmoid, codes that only the gradient moves and nothing restarts.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from avatar_engine.codebook.plan import SCALES, CodebookPlan
from avatar_engine.training.codebooks.asking import (
    Codebook,
    Found,
    as_picture,
    as_tokens,
    doubled,
    halved,
)

_GRID = 16


class PlainMemory(nn.Module):
    """In a codebook's place: convolutions over the same tokens, coarse to fine."""

    def __init__(self, plan: CodebookPlan) -> None:
        super().__init__()
        self.plan = plan
        d = plan.width
        for scale in SCALES:
            for k in (1, 2):
                setattr(self, f"mix{scale}_{k}", nn.Conv2d(d, d, 3, padding=1))
            setattr(self, f"paint{scale}", nn.Conv2d(d, plan.code_size, 1))
            if scale > SCALES[0]:
                setattr(self, f"pass{scale}", nn.Linear(d, d))

    def forward(self, asking: Mapping[int, Tensor]) -> Found:
        """As :class:`asking.Codebook`, with no codes to choose from."""
        x, total = asking[SCALES[0]], asking[SCALES[0]].new_zeros(1)
        coarse, tokens = {}, {}
        for scale in SCALES:
            if scale > SCALES[0]:
                x = asking[scale] + as_tokens(doubled(as_picture(getattr(self, f"pass{scale}")(x))))
                total = doubled(total)
            picture = as_picture(x)
            for k in (1, 2):
                mixed = getattr(self, f"mix{scale}_{k}")(picture)
                picture = picture + functional.gelu(mixed, approximate="tanh")
            painted = getattr(self, f"paint{scale}")(picture)
            total = total + functional.pixel_shuffle(painted, self.plan.patch)
            x = as_tokens(picture)
            coarse[scale], tokens[scale] = total, x
        return Found(total, coarse, tokens, {})


class PaperCodebook(Codebook):
    """The first paper's choices; see the module."""

    def __init__(self, plan: CodebookPlan) -> None:
        super().__init__(plan)
        start = torch.randn(plan.prefixes[-1], plan.code_size)
        del self.codes
        self.codes = nn.Parameter(start)

    def forward(self, asking: Mapping[int, Tensor]) -> Found:
        """Every scale refines the same grid of 16 x 16, and nothing finer is painted."""
        x = asking[SCALES[0]]
        total: Tensor = x.new_zeros(1)
        occlusion: Tensor = x.new_zeros(1)
        coarse, tokens, choices = {}, {}, {}
        for k, (scale, count) in enumerate(zip(SCALES, self.plan.prefixes, strict=True)):
            if scale > SCALES[0]:
                handed = as_picture(getattr(self, f"pass{scale}")(x))
                x = asking[scale] + as_tokens(doubled(handed))
            codes, spread = self.codes[:count], self.spread[k].clone()
            x, choice, gate = getattr(self, f"scale{scale}")(x, codes)
            painted = as_picture(choice.softmax(-1) @ (codes * spread))
            change = as_picture(gate)
            while painted.shape[-1] > _GRID:
                painted, change = halved(painted), halved(change)
            while painted.shape[-1] < _GRID:
                painted, change = doubled(painted), doubled(change)
            occlusion = torch.sigmoid(occlusion + change)
            patches = functional.pixel_shuffle(painted, self.plan.patch)
            total = (
                total
                + functional.interpolate(occlusion, scale_factor=float(self.plan.patch)) * patches
            )
            at = total
            while at.shape[-1] < scale * self.plan.patch:
                at = doubled(at)
            while at.shape[-1] > scale * self.plan.patch:
                at = halved(at)
            coarse[scale], tokens[scale], choices[scale] = at, x, choice
        while total.shape[-1] < self.plan.side:
            total = doubled(total)
        return Found(total, coarse, tokens, choices)

    @torch.no_grad()
    def _moved(
        self,
        sums: Tensor,
        hits: Tensor,
        pool: list[tuple[int, Tensor]],
        rng: torch.Generator,
    ) -> None:
        """Codes move by the gradient alone."""
