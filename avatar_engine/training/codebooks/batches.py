"""From heads in memory to what one step learns from; the same for the same seed and step."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from avatar_engine.codebook.arithmetic import Floats
from avatar_engine.codebook.front import Fused, appearance_planes, person_planes, shrunk
from avatar_engine.codebook.plan import SCALES
from avatar_engine.training.codebooks.fusing import fused
from avatar_engine.training.codebooks.ground import Ground
from avatar_engine.training.codebooks.heads import ASIDE, RETURNED, LearntHead
from avatar_engine.training.codebooks.spoiling import left_visible, shade_of

_REST = 0.1  # of the loss, for what the photo shows anyway
_UNUSED = 0.15  # of the loss, for hair, scalp and back, where a build takes no colours
_SYNTHETIC, _RETURNED, _ASIDE = 1.2, 1.2, 3.0  # drawn so often for each portrait
_BUILT = 0.8  # share of heads with a known truth that are shown as a persona's build sees them
_EXACT_SHARE = 0.5
_SHUT = 0.3  # share of the lids still shown, below which closed ones are learnt


@dataclass(frozen=True, slots=True)
class AppearanceBatch:
    """Heads with something hidden; B of them.

    Attributes:
        planes: [B, 11, 128, 128] for the network.
        fused: [B, 3, 128, 128] what mirror and fill make of it.
        truth: [B, 3, 128, 128].
        weight: [B, 1, 128, 128] what a miss counts.
        hidden: [B, 1, 128, 128] in [0, 1], known but not shown.
        person: [B, 6, 32, 32], with what the rig left over.
        source: [B, 52] the photo's expression.
    """

    planes: Tensor
    fused: Tensor
    truth: Tensor
    weight: Tensor
    hidden: Tensor
    person: Tensor
    source: Tensor


@dataclass(frozen=True, slots=True)
class MotionBatch:
    """What faces do that the rig does not say.

    Attributes:
        person: [B, 6, 32, 32], without what the rig left over.
        source: [B, 52].
        residual: [B, 3, 64, 64] cm left over at ``source``.
        weight: [B, 1, 64, 64] where it is known, and what it counts.
        expressions: [B, K, 52]; K is 0 for portraits.
        missing: [B, K, 3, 64, 64] cm, exact displacement less the rig's.
    """

    person: Tensor
    source: Tensor
    residual: Tensor
    weight: Tensor
    expressions: Tensor
    missing: Tensor


class Batches:
    """Draws batches from heads."""

    def __init__(self, heads: Sequence[LearntHead], ground: Ground, seed: int) -> None:
        self.ground = ground
        self.seed = seed
        colored = [h for h in heads if h.color is not None]
        self.portraits = [h for h in colored if h.truth is None]
        synthetic = [h for h in colored if h.lids is not None]
        aside = [h for h in colored if h.name.startswith(ASIDE)]
        returned = [h for h in colored if h.name.startswith(RETURNED)]
        kinds = (
            (self.portraits, 1.0),
            (synthetic, _SYNTHETIC),
            (aside, _ASIDE),
            (returned, _RETURNED),
        )
        self.kinds = [(kind, share) for kind, share in kinds if kind]
        self.moving = [h for h in heads if h.displacement is not None]
        self.fitted = [h for h in heads if h.truth is None]

    def appearance(self, step: int, size: int) -> AppearanceBatch:
        """One batch of heads with something hidden."""
        rng = np.random.default_rng([self.seed, 1, step])
        odds = np.array([share for _, share in self.kinds])
        rows = []
        for _ in range(size):
            kind, _ = self.kinds[int(rng.choice(len(odds), p=odds / odds.sum()))]
            rows.append(self._hidden(_drawn(kind, rng), rng))
        stacked = [torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)]
        return AppearanceBatch(*stacked)

    def motion(self, step: int, portraits: int) -> MotionBatch:
        """By turns what the rig leaves of portraits, and one head's exact displacements."""
        rng = np.random.default_rng([self.seed, 2, step])
        is_exact = bool(self.moving) and (rng.random() < _EXACT_SHARE or not self.fitted)
        if is_exact:
            return self._moved([_drawn(self.moving, rng)])
        return self._moved([_drawn(self.fitted, rng) for _ in range(portraits)])

    def person(self, head: LearntHead, *, residual: bool) -> Floats:
        """[6, 32, 32] of a head."""
        side, weight = SCALES[-1], self.ground.skin_field
        left = head.residual if residual else np.zeros_like(head.residual)
        return person_planes(
            shrunk(head.positions, side, weight),
            self.ground.mean,
            shrunk(left, side, weight),
            self.ground.skin_tokens,
        )

    def _hidden(self, head: LearntHead, rng: np.random.Generator) -> tuple[Floats, ...]:
        ground = self.ground
        assert head.color is not None
        assert head.seen is not None
        assert head.hairy is not None
        shade = shade_of(ground, rng)
        color = shade.on(head.color)
        if head.truth is not None and head.base is not None and rng.random() < _BUILT:
            seen, hairy, are_lids_hidden = head.seen, head.hairy, False
            before = Fused(shade.on(head.base), seen, seen[:, ::-1])
        else:
            stays = left_visible(ground, rng)
            are_lids_hidden = (stays * ground.lids).sum() < _SHUT * ground.lids.sum()
            seen, hairy = head.seen * stays, head.hairy * stays
            before = fused(color, seen, hairy, ground.skin)
        truth, known = color, head.seen * ground.skin
        if head.truth is not None and head.known is not None:
            # Where the photo shows a texel, that is its truth, light included.
            whole = head.lids if are_lids_hidden and head.lids is not None else head.truth
            truth = seen * color + (1 - seen) * shade.on(whole)
            known = np.maximum(head.known, seen) * ground.skin
        planes: Floats = np.concatenate([appearance_planes(before, hairy), ground.place])
        hidden = np.multiply(known, 1 - seen, dtype=np.float32)[None]
        weight: Floats = hidden + np.float32(_REST) * (known * seen)[None]
        weight = weight * used_share(ground, hairy, least=_UNUSED)
        person = self.person(head, residual=True)
        return planes, before.color, truth, weight, hidden, person, head.source

    def _moved(self, heads: Sequence[LearntHead]) -> MotionBatch:
        ground = self.ground
        known = [h.residual_seen * ground.stress * ground.skin_field for h in heads]
        count = min(0 if h.expressions is None else len(h.expressions) for h in heads)
        expressions = [
            np.zeros((0, 52), np.float32) if h.expressions is None else h.expressions[:count]
            for h in heads
        ]
        missing = [
            np.zeros((0, *h.residual.shape), np.float32)
            if h.displacement is None
            else h.displacement[:count] - np.tensordot(e, ground.expression_field, 1)
            for h, e in zip(heads, expressions, strict=True)
        ]
        return MotionBatch(
            person=_stacked([self.person(h, residual=False) for h in heads]),
            source=_stacked([h.source for h in heads]),
            residual=_stacked([h.residual for h in heads]),
            weight=_stacked([k[None] for k in known]),
            expressions=_stacked(expressions),
            missing=_stacked(missing),
        )


def used_share(ground: Ground, hairy: Floats, least: float = 0.0) -> Floats:
    """[128, 128] how much of completed colours a persona's build takes over, at least ``least``."""
    plain = 1 - np.maximum(hairy, hairy[:, ::-1])
    share: Floats = np.float32(least) + np.float32(1 - least) * ground.completed * plain
    return share


def _drawn(heads: Sequence[LearntHead], rng: np.random.Generator) -> LearntHead:
    head = heads[int(rng.integers(len(heads)))]
    return head.mirrored() if rng.random() < 0.5 else head


def _stacked(arrays: Sequence[Floats]) -> Tensor:
    return torch.from_numpy(np.stack(arrays).astype(np.float32))
