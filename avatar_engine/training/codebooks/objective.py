"""What the networks are to get right, and nothing without a gradient."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from avatar_engine.codebook.plan import APPEARANCE, MOTION, SCALES
from avatar_engine.training.codebooks.asking import Codebook, Found, halved, perplexity
from avatar_engine.training.codebooks.batches import AppearanceBatch, MotionBatch
from avatar_engine.training.codebooks.driving import Driving

_SMOOTH = 0.05  # sRGB below which a miss counts by its square
_EDGES, _COARSE, _CHOICE = 0.5, 0.3, 0.02
_NOISE_CM = 0.02  # landmarks are no better
_AMOUNT_COST = 0.02
_DRIVEN = 0.4
_SMOOTH_CM = 0.01


@dataclass(frozen=True, slots=True)
class Judged:
    """A loss and what it was made of.

    Attributes:
        loss: To be lowered.
        parts: Figures for people to read.
    """

    loss: Tensor
    parts: dict[str, float]


def judge_appearance(
    found: Found, batch: AppearanceBatch, codebook: Codebook | None, rng: torch.Generator
) -> Judged:
    """Colours, their edges, every scale on the way, and the choice of codes."""
    lacking = (batch.truth - batch.fused) / APPEARANCE.unit
    missed = found.total - lacking
    loss = _mean(_charbonnier(missed, _SMOOTH / APPEARANCE.unit), batch.weight)
    for axis in (-1, -2):
        edge = missed.diff(dim=axis).abs()
        pair = torch.minimum(
            batch.weight.narrow(axis, 1, batch.weight.shape[axis] - 1),
            batch.weight.narrow(axis, 0, batch.weight.shape[axis] - 1),
        )
        loss = loss + _EDGES * _mean(edge, pair)
    loss = loss + _COARSE * _on_the_way(found, lacking, batch.weight)
    parts = {
        "hidden": _rms(batch.fused + APPEARANCE.unit * found.total - batch.truth, batch.hidden),
        "before": _rms(batch.fused - batch.truth, batch.hidden),
    }
    if codebook is not None:
        loss = loss + _choices(found, codebook, lacking, batch.hidden, rng, parts, "look")
    return Judged(loss, parts)


def judge_motion(modes: Tensor, batch: MotionBatch, driving: Driving) -> Judged:
    """Corrective modes must span what portraits lack, and be driven to what is exactly known.

    Args:
        modes: [1, C, 3, 64, 64] in ``MOTION.unit`` cm, of the batch's first head. Portraits share
            them: people differ less in how they move than in how far.
        batch: Of portraits, or of one head whose displacements are known.
        driving: Amounts of the modes.
    """
    flat = modes.flatten(2)  # [1, C, 3 * 64 * 64]
    parts: dict[str, float] = {}
    if batch.expressions.shape[1]:
        amounts = driving(batch.expressions)  # [B, K, C]
        said = (amounts @ flat).unflatten(2, (3, MOTION.side, MOTION.side))
        missed = said - batch.missing / MOTION.unit
        weight = batch.weight[:, None].expand(-1, said.shape[1], -1, -1, -1)
        loss = _mean(_charbonnier(missed, _SMOOTH_CM / MOTION.unit), weight)
        parts["exact_mm"] = 10 * MOTION.unit * _rms(missed, weight)
        parts["exact_before_mm"] = 10 * _rms(batch.missing, weight)
        return Judged(loss, parts)
    left = (batch.residual / MOTION.unit).flatten(1)  # [B, 3 * 64 * 64]
    weight = batch.weight.expand_as(batch.residual).flatten(1)
    weight = weight / weight.sum(1, keepdim=True).clamp(min=1e-6)
    driven = driving(batch.source)  # [B, C]
    fitted = fit_amounts(flat, left, weight, driven)
    missed = fitted @ flat[0] - left
    missed_driven = driven @ flat[0] - left
    smooth = _SMOOTH_CM / MOTION.unit
    loss = (weight * _charbonnier(missed, smooth)).sum(1).mean()
    loss = loss + _DRIVEN * (weight * _charbonnier(missed_driven, smooth)).sum(1).mean()
    for name, value in (("span", missed), ("driven", missed_driven), ("rig", -left)):
        mean_square = 3 * (weight * value.square()).sum(1).mean()
        parts[f"{name}_mm"] = 10 * MOTION.unit * float(mean_square.detach().sqrt())
    return Judged(loss, parts)


def fit_amounts(modes: Tensor, left: Tensor, weight: Tensor, driven: Tensor) -> Tensor:
    """Amounts [B, C] that explain what is left over, as a tracker would find them.

    Args:
        modes: [1, C, N], of one person for all of them.
        left: [B, N].
        weight: [B, N], rows sum to one.
        driven: [B, C], where the search begins and what it is drawn to.
    """
    noise = (_NOISE_CM / MOTION.unit) ** 2
    weighted = modes * weight[:, None]
    gram = weighted @ modes.transpose(1, 2) / noise
    gram = gram + _AMOUNT_COST * torch.eye(modes.shape[1], device=modes.device)
    miss = left - driven @ modes[0]
    right = torch.einsum("bcn,bn->bc", weighted, miss) / noise
    return driven + torch.linalg.solve(gram, right)


def judge_answers(
    found: Found,
    lacking: Tensor,
    weight: Tensor,
    codebook: Codebook | None,
    rng: torch.Generator,
) -> Judged:
    """The motion codebook asked for one expression at a time, whose lack is known.

    Args:
        found: For B expressions.
        lacking: [B, 3, 64, 64] in ``MOTION.unit`` cm.
        weight: [B, 1, 64, 64].
        codebook: That was asked; it learns its codes from the answer.
        rng: For its restarts.
    """
    parts: dict[str, float] = {}
    loss = _mean(_charbonnier(found.total - lacking, _SMOOTH_CM / MOTION.unit), weight)
    loss = loss + _COARSE * _on_the_way(found, lacking, weight)
    if codebook is not None:
        known = (weight > 0.05).float()
        loss = loss + _choices(found, codebook, lacking, known, rng, parts, "move")
    return Judged(loss, parts)


def _choices(
    found: Found,
    codebook: Codebook,
    lacking: Tensor,
    known: Tensor,
    rng: torch.Generator,
    parts: dict[str, float],
    name: str,
) -> Tensor:
    nearest = codebook.learn(lacking.detach(), known, rng)
    loss = lacking.new_zeros(())
    for scale, count in zip(SCALES, codebook.plan.prefixes, strict=True):
        codes = nearest[scale]
        parts[f"{name}{scale}_used"] = perplexity(codes, count) / count
        if bool((codes >= 0).any()):
            choice = found.choices[scale].flatten(0, 1)
            loss = loss + _CHOICE * functional.cross_entropy(
                choice, codes.flatten(), ignore_index=-1
            )
    return loss


def _on_the_way(found: Found, lacking: Tensor, weight: Tensor) -> Tensor:
    """The miss of each scale's sum against the truth at its size."""
    loss = lacking.new_zeros(())
    v, w = lacking * weight, weight
    for scale in reversed(SCALES):
        loss = loss + _mean((found.coarse[scale] - v / w.clamp(min=1e-4)).abs(), w)
        v, w = halved(v), halved(w)
    return loss


def _charbonnier(x: Tensor, smooth: float) -> Tensor:
    return (x.square() + smooth * smooth).sqrt() - smooth


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    weight = weight.expand_as(values)
    return (values * weight).sum() / weight.sum().clamp(min=1e-6)


def _rms(values: Tensor, weight: Tensor) -> float:
    return float(_mean(values.detach().square(), weight).sqrt())
