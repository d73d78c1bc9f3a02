"""The screen-space generator: multi-scale mesh flow, two codebooks, a decoder.

After "Synergizing Motion and Appearance" (CVPR 2025), with the flow of our own mesh in place of
unsupervised keypoints, flow up to full resolution, and occlusion kept as logits. It works on the
layer of head and body alone; the background never enters it.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from avatar_engine.codebook.screen.compensation import AppearanceCompensation, MotionCompensation
from avatar_engine.codebook.screen.config import LEVELS, ScreenConfig
from avatar_engine.codebook.screen.guide import Flow, ScreenInput, flow_levels


@dataclass(frozen=True, slots=True)
class ScreenOutput:
    """What a generator says.

    Attributes:
        change: [B, 3, R, R] to add to the Gaussians' picture, already limited to head and body.
        flows: The corrected flow at each scale, finest first.
    """

    change: Tensor
    flows: list[Flow]


class ScreenGenerator(nn.Module):
    """Improves the Gaussians' picture by what the source shows and what the codebooks hold."""

    def __init__(self, config: ScreenConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.motion = MotionCompensation(config)
        self.appearance = AppearanceCompensation(config)
        self.decoder = _Decoder(config)
        self._constants: list[tuple[list[Tensor], list[Tensor]]] | None = None

    def train(self, mode: bool = True) -> "ScreenGenerator":
        """As ``nn.Module``; keys and values are computed anew."""
        self._constants = None
        return super().train(mode)

    def source_features(self, source: Tensor) -> list[Tensor]:
        """Features of a photo [B, 3, R, R] at the four scales; one computation per persona."""
        return self.encoder(torch.cat([source, torch.ones_like(source[:, :1])], 1))

    def forward(self, seen: ScreenInput, features: list[Tensor] | None = None) -> ScreenOutput:
        """What to add to the Gaussians' picture.

        Args:
            seen: The batch.
            features: ``source_features`` of its source, where they are at hand.
        """
        of_source = self.source_features(seen.source) if features is None else features
        of_drawn = self.encoder(seen.layer)
        constants = self._all_constants()
        meshes = flow_levels(seen.flow)
        flows: list[Flow] = []
        change: Flow | None = None
        x: Tensor | None = None
        for level in reversed(range(LEVELS)):
            flow = meshes[level] if change is None else _carried(meshes[level], change)
            fetched = flow.warped(of_source[level])
            flow = self.motion(flow, fetched, of_drawn[level], level, constants[level][0])
            change = Flow(
                flow.shift - meshes[level].shift, flow.logit - meshes[level].logit, flow.known
            )
            fetched = flow.warped(of_source[level]) * torch.sigmoid(flow.logit)
            added = self.appearance(fetched, of_drawn[level], level, constants[level][1])
            x = self.decoder(x, [fetched, added, of_drawn[level]], level)
            flows.insert(0, flow)
        assert x is not None
        told = self.decoder.last(x)
        paste = torch.sigmoid(told[:, 3:] - 3) * torch.sigmoid(flows[0].logit)
        fetched = flows[0].warped(seen.source)
        whole = told[:, :3] + paste * (fetched - seen.layer[:, :3])
        return ScreenOutput(whole * seen.layer[:, 3:], flows)

    def _all_constants(self) -> list[tuple[list[Tensor], list[Tensor]]]:
        if self._constants is not None:
            return self._constants
        made = [(self.motion.constants(k), self.appearance.constants(k)) for k in range(LEVELS)]
        if not self.training and not torch.is_grad_enabled():
            self._constants = made
        return made


def _carried(mesh: Flow, change: Flow) -> Flow:
    """A scale's flow with what the next coarser one changed; shifts double with the pixels."""
    shift, logit = (
        functional.interpolate(t, mesh.shift.shape[-2:], mode="bilinear")
        for t in (change.shift, change.logit)
    )
    return Flow(mesh.shift + 2 * shift, mesh.logit + logit, mesh.known)


class Encoder(nn.Module):
    """Features of a picture and its coverage [B, 4, R, R] at the four scales, finest first."""

    def __init__(self, config: ScreenConfig) -> None:
        super().__init__()
        widths = config.widths
        self.first = nn.Conv2d(4, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths)
        )
        self.steps = nn.ModuleList(_Step(c) for c in widths)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Channels as in ``ScreenConfig.widths``."""
        x = self.steps[0](self.first(picture))
        found = [x]
        for down, step in zip(self.down, list(self.steps)[1:], strict=True):
            x = step(down(x))
            found.append(x)
        return found


class _Decoder(nn.Module):
    """Coarse to fine, each scale fused with what was fetched, recalled and drawn there."""

    def __init__(self, config: ScreenConfig) -> None:
        super().__init__()
        widths = config.widths
        given = [2 * c + c // 2 for c in widths]
        coarser = [*widths[1:], 0]
        self.fuse = nn.ModuleList(
            nn.Conv2d(g + d, c, 1) for g, d, c in zip(given, coarser, widths, strict=True)
        )
        self.steps = nn.ModuleList(_Step(c) for c in widths)
        self.last = nn.Conv2d(widths[0], 4, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor | None, parts: list[Tensor], level: int) -> Tensor:
        if x is not None:
            parts = [functional.interpolate(x, scale_factor=2, mode="nearest"), *parts]
        return self.steps[level](self.fuse[level](torch.cat(parts, 1)))


class _Step(nn.Module):
    """Two convolutions beside the way through."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.first(functional.leaky_relu(x, 0.1))
        return x + self.second(functional.leaky_relu(inner, 0.1))
