"""What the codebooks add at one scale: to the flow, and to the features it fetched."""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from avatar_engine.codebook.screen.config import LEVELS, ScreenConfig
from avatar_engine.codebook.screen.guide import Flow
from avatar_engine.codebook.screen.memory import Codebook, Retrieval

_CONTEXT = 12  # channels of a head at full resolution
_READ = 4  # planes of a flow
_MEANT = 3  # planes of what is added to a flow: x, y and the logit of being shown


class MotionCompensation(nn.Module):
    """Corrects the mesh's flow at the resolution of the scale itself, and its occlusion as logits.

    One transformer and one codebook serve all scales; each scale has its own way in and out.
    """

    def __init__(self, config: ScreenConfig) -> None:
        super().__init__()
        width = config.motion_width
        self.config = config
        self.book = Codebook(config.codes, width, LEVELS)
        self.recall = Retrieval(width, config.heads, config.layers, config.grid)
        levels = range(LEVELS)
        self.look = nn.ModuleList(nn.Conv2d(2 * config.widths[k], _CONTEXT, 1) for k in levels)
        patches = [config.patch_of(k) for k in levels]
        self.tokens = nn.ModuleList(nn.Conv2d(_CONTEXT + _READ, width, p, p) for p in patches)
        self.heads = nn.ModuleList(_head(width) for _ in levels)
        # What the right answer would be as a token, and back: only training asks.
        self.meant = nn.ModuleList(nn.Conv2d(_MEANT * p * p, width, 1) for p in patches)
        self.said = nn.ModuleList(nn.Conv2d(width, _MEANT * p * p, 1) for p in patches)

    def constants(self, level: int) -> list[Tensor]:
        """For ``forward``; the same for every picture."""
        return self.recall.constants(self.book.codes[: self.config.open_codes(level)])

    def forward(
        self, flow: Flow, fetched: Tensor, drawn: Tensor, level: int, constants: list[Tensor]
    ) -> Flow:
        """The corrected flow.

        Args:
            flow: At this scale.
            fetched: [B, C, h, w] source features fetched by it.
            drawn: [B, C, h, w] features of the Gaussians' picture.
            level: Of the scale.
            constants: Of this level.
        """
        context = functional.relu(self.look[level](torch.cat([fetched, drawn], 1)))
        planes = torch.cat([context, flow.planes()], 1)
        recalled = self.recall(self.tokens[level](planes), constants)
        recalled = functional.interpolate(recalled, planes.shape[-2:], mode="bilinear")
        change = self.heads[level](torch.cat([recalled, planes], 1))
        return replace(flow, shift=flow.shift + change[:, :2], logit=flow.logit + change[:, 2:])


class AppearanceCompensation(nn.Module):
    """Completes features that the flow could not fetch; one transformer for all scales."""

    def __init__(self, config: ScreenConfig) -> None:
        super().__init__()
        width = config.appearance_width
        self.config = config
        self.book = Codebook(config.codes, width, LEVELS)
        self.recall = Retrieval(width, config.heads, config.layers, config.grid)
        places = [(config.widths[k], config.patch_of(k)) for k in range(LEVELS)]
        self.tokens = nn.ModuleList(nn.Conv2d(2 * c, width, p, p) for c, p in places)
        self.spread = nn.ModuleList(nn.Conv2d(width, c // 2 * p * p, 1) for c, p in places)
        self.meant = nn.ModuleList(nn.Conv2d(c * p * p, width, 1) for c, p in places)
        self.said = nn.ModuleList(nn.Conv2d(width, c * p * p, 1) for c, p in places)

    def constants(self, level: int) -> list[Tensor]:
        """For ``forward``; the same for every picture."""
        return self.recall.constants(self.book.codes[: self.config.open_codes(level)])

    def forward(
        self, fetched: Tensor, drawn: Tensor, level: int, constants: list[Tensor]
    ) -> Tensor:
        """Features [B, C / 2, h, w] to add to what was fetched.

        Args:
            fetched: [B, C, h, w] fetched source features, occlusion multiplied in.
            drawn: [B, C, h, w] features of the Gaussians' picture.
            level: Of the scale.
            constants: Of this level.
        """
        tokens = self.tokens[level](torch.cat([fetched, drawn], 1))
        spread = self.spread[level](self.recall(tokens, constants))
        return functional.pixel_shuffle(spread, self.config.patch_of(level))


def _head(width: int) -> nn.Sequential:
    """From what was recalled and the flow's planes to a change of flow and logit; zero at first."""
    last = nn.Conv2d(_CONTEXT, _MEANT, 3, padding=1)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)  # type: ignore[arg-type]
    return nn.Sequential(
        nn.Conv2d(width + _CONTEXT + _READ, _CONTEXT, 1),
        nn.ReLU(),
        nn.Conv2d(_CONTEXT, _CONTEXT, 3, padding=1),
        nn.ReLU(),
        last,
    )
