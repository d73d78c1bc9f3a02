"""What a generator is told: pictures, flow, occlusion, codes and time. Every term has a gradient.

The flow's truth is the mesh that the source was rendered from, so motion needs no picture to be
learned from, and both codebooks have a reconstruction to answer for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from avatar_engine.codebook.screen.config import LEVELS
from avatar_engine.codebook.screen.generator import ScreenGenerator, ScreenOutput
from avatar_engine.codebook.screen.guide import Flow, flow_levels
from avatar_engine.training.screen.batches import Batch

Tokens = list[tuple[Tensor, int]]
"""Tokens [T, D] of each scale, coarse to fine, and how many codes are open to it."""

_COMMITMENT = 0.25
_TOLD = 0.25
"""Tokens of less coverage say nothing of a head: codes do not follow them."""
_FARTHEST_PX = 3.0  # of a scale: a miss beyond this pulls no harder


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each term counts."""

    picture: float = 4.0
    perceptual: float = 0.2
    flow: float = 0.1
    occlusion: float = 0.05
    codes: float = 0.1
    time: float = 1.0


def picture_losses(
    out: ScreenOutput, batch: Batch, distance: Callable[[Tensor, Tensor], Tensor] | None
) -> dict[str, Tensor]:
    """How far the picture is from the target, by pixels and by features."""
    made = batch.picture + out.change
    found = {"picture": (made - batch.target).abs().mean()}
    if distance is not None:
        found["perceptual"] = distance(made, batch.target)
    return found


def flow_losses(flows: list[Flow], truth: list[Flow]) -> dict[str, Tensor]:
    """End-point error where the source showed the place, and occlusion as odds."""
    error = occlusion = flows[0].shift.new_zeros(())
    for made, true in zip(flows, truth, strict=True):
        shown = torch.sigmoid(true.logit)
        miss = (made.shift - true.shift).square().sum(1, keepdim=True).add(1e-4).sqrt()
        weight = true.known * shown
        error = error + (miss.clamp_max(_FARTHEST_PX) * weight).sum() / (weight.sum() + 1)
        odds = functional.binary_cross_entropy_with_logits(made.logit, shown, reduction="none")
        occlusion = occlusion + (odds * true.known).sum() / (true.known.sum() + 1)
    return {"flow": error / LEVELS, "occlusion": occlusion / LEVELS}


def code_losses(
    net: ScreenGenerator, batch: Batch, meshes: list[Flow], truth: list[Flow]
) -> tuple[Tensor, Tokens, Tokens]:
    """What both codebooks cannot say of the right answers; and the right answers as tokens.

    Motion: the true flow minus the mesh's. Appearance: features of the target.
    """
    with torch.no_grad():
        whole = torch.cat([batch.target, torch.ones_like(batch.target[:, :1])], 1)
        features = net.encoder(whole)
    covers = [batch.seen.layer[:, 3:]]
    for _ in range(LEVELS - 1):
        covers.append(functional.avg_pool2d(covers[-1], 2))
    loss = batch.target.new_zeros(())
    motion: Tokens = []
    appearance: Tokens = []
    for level in reversed(range(LEVELS)):
        mesh, true = meshes[level], truth[level]
        patch, count = net.config.patch_of(level), net.config.open_codes(level)
        missing = torch.cat([true.shift - mesh.shift, (true.logit - mesh.logit) / 4], 1)
        missing = missing.clamp(-4, 4) * true.known
        for part, wanted, kept, there in (
            (net.motion, missing, motion, true.known),
            (net.appearance, features[level], appearance, covers[level]),
        ):
            wanted = functional.pixel_unshuffle(wanted, patch)
            token = part.meant[level](wanted).permute(0, 2, 3, 1)  # [B, G, G, D]
            flat = token.flatten(0, 2)
            codes = part.book.codes[part.book.nearest(flat.detach(), count)].view_as(token)
            through = token + (codes - token).detach()
            said = part.said[level](through.permute(0, 3, 1, 2))
            scale = wanted.detach().abs().mean() + 1e-3
            loss = loss + (said - wanted).abs().mean() / scale
            loss = loss + _COMMITMENT * (token - codes).square().mean()
            is_told = functional.avg_pool2d(there, patch).flatten() > _TOLD
            kept.append((flat.detach()[is_told], count))
    return loss / (2 * LEVELS), motion, appearance


def time_loss(now: ScreenOutput, later: ScreenOutput, between: Flow) -> Tensor:
    """What is added to a place should still be added to it a moment later."""
    weight = between.known * torch.sigmoid(between.logit)
    change = (now.change - between.warped(later.change)).abs()
    return (change * weight).sum() / (3 * weight.sum() + 1)


class Critic(nn.Module):
    """Judges patches of a picture as photo or made; for the optional adversarial term."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        widths = (3, width, 2 * width, 4 * width)
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layers += [nn.Conv2d(a, b, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        self.judge = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, picture: Tensor) -> Tensor:
        """Scores [B, 1, S / 8, S / 8]; high is a photo."""
        return self.judge(2 * picture - 1)

    def hinge(self, made: Tensor, real: Tensor) -> Tensor:
        """The critic's own loss."""
        return functional.relu(1 - self(real)).mean() + functional.relu(1 + self(made)).mean()


def truth_of(batch: Batch) -> tuple[list[Flow], list[Flow]]:
    """The mesh's flow and the true flow at each scale, finest first."""
    return flow_levels(batch.seen.flow), flow_levels(batch.true_flow)
