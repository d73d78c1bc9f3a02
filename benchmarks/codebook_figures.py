"""How well trained codebooks complete heads that were held out: colours, motion, codes."""

import statistics
from collections.abc import Sequence
from copy import deepcopy
from functools import cached_property

import numpy as np
import torch
from codebook_answers import HIDDEN, Answers, Trained
from codebook_views import psnr, rms, visible_when_turned
from numpy.typing import NDArray
from torch import Tensor

from avatar_engine.codebook.front import shrunk
from avatar_engine.codebook.plan import APPEARANCE, MOTION, SCALES
from avatar_engine.training.codebooks.asking import Codebook, perplexity
from avatar_engine.training.codebooks.batches import Batches
from avatar_engine.training.codebooks.ground import Ground
from avatar_engine.training.codebooks.heads import LearntHead
from avatar_engine.training.codebooks.objective import fit_amounts
from avatar_engine.types import HeadRig

Floats = NDArray[np.float32]

_SHOWN = 0.5
_ASIDE_DEGREES = (-25, 25, 45, -45)


def interval(differences: Sequence[float], rounds: int = 4000) -> tuple[float, float]:
    """What the mean of people's differences lies within, 95 times of 100 (bootstrap by person)."""
    rng, x = np.random.default_rng(0), np.asarray(differences, np.float64)
    means = x[rng.integers(len(x), size=(rounds, len(x)))].mean(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return round(float(low), 4), round(float(high), 4)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean and standard deviation."""
    apart = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"mean": round(statistics.mean(values), 4), "spread": round(apart, 4)}


class Judge:
    """Asks a checkpoint about held-out heads.

    Args:
        heads: Held out; portraits and synthetic ones.
        ground: Of the head model.
        rig: The head model.
        most: Portraits to ask about, about; evenly taken.
    """

    def __init__(
        self, heads: Sequence[LearntHead], ground: Ground, rig: HeadRig, most: int = 12
    ) -> None:
        self.ground, self.rig = ground, rig
        self._batches = Batches(heads, ground, 0)
        self.synthetic = [h for h in heads if h.truth is not None]
        self.portraits = [h for h in heads if h.truth is None and h.color is not None]
        self.portraits = self.portraits[:: max(1, len(self.portraits) // most)]

    @torch.no_grad()
    def figures(self, trained: Trained) -> dict[str, float]:
        """Everything that is measured of one checkpoint; colours in [0, 1], motion in mm."""
        answers = Answers(trained, self._batches)
        synthetic = [self._synthetic(answers, head) for head in self.synthetic]
        masked = [
            self._masked(answers, head, view)
            for k, head in enumerate(self.portraits)
            for view in self.views[k % 2 :: 2]
        ]
        moved = [self._moved(answers, head) for head in self.synthetic]
        left = [self._left_over(answers, head) for head in self.portraits]
        rows: list[list[dict[str, float]]] = [synthetic, masked, moved, left]
        found: dict[str, float] = {}
        for group in rows:
            for name in group[0] if group else ():
                found[name] = round(float(np.mean([row[name] for row in group])), 4)
        return found | self._codes_used(answers)

    @cached_property
    def views(self) -> list[Floats]:
        """[128, 128] shares that stay seen of a head turned aside, of the mean head."""
        small: list[Floats] = []
        for degrees in _ASIDE_DEGREES:
            seen = visible_when_turned(self.rig, np.radians(degrees))
            small.append(shrunk(seen.reshape(1, 256, 256), APPEARANCE.side)[0])
        return small

    def _synthetic(self, answers: Answers, head: LearntHead) -> dict[str, float]:
        assert head.truth is not None
        assert head.seen is not None
        stays = np.ones_like(head.seen)
        before, ours = answers.complete(head, stays)
        hidden = (head.seen < HIDDEN) * self.ground.skin
        front = hidden * (self.ground.place[3] > 0)  # sides, ears, throat: what yaw brings to light
        found = {
            "synthetic_hidden_before": rms(before - head.truth, hidden),
            "synthetic_hidden": rms(ours - head.truth, hidden),
            "synthetic_sides_before": rms(before - head.truth, front),
            "synthetic_sides": rms(ours - head.truth, front),
        }
        if head.base is not None:
            before, ours = answers.complete(head)
            found["built_hidden_before"] = rms(before - head.truth, hidden)
            found["built_hidden"] = rms(ours - head.truth, hidden)
            found["built_sides_before"] = rms(before - head.truth, front)
            found["built_sides"] = rms(ours - head.truth, front)
        if head.lids is not None:
            lids = self.ground.lids
            before, ours = answers.complete(head, stays, extra=lids)
            found["synthetic_lids_before"] = rms(before - head.lids, lids)
            found["synthetic_lids"] = rms(ours - head.lids, lids)
        return found

    def _masked(self, answers: Answers, head: LearntHead, view: Floats) -> dict[str, float]:
        assert head.color is not None
        assert head.seen is not None
        before, ours = answers.complete(head, view)
        new = ((head.seen > _SHOWN) & (view < HIDDEN)) * self.ground.skin
        return {
            "masked_psnr_before": psnr(before - head.color, new),
            "masked_psnr": psnr(ours - head.color, new),
        }

    def _moved(self, answers: Answers, head: LearntHead) -> dict[str, float]:
        """How far exact motion lies from the rig's, and from the rig's with corrective modes."""
        assert head.expressions is not None
        assert head.displacement is not None
        rig = np.tensordot(head.expressions, self.ground.expression_field, 1)
        missing = head.displacement - rig  # [K, 3, 64, 64] cm
        weight = (self.ground.stress * self.ground.skin_field)[None]
        found = {"motion_before_mm": 10 * rms(missing, weight), "motion_mm": 0.0}
        found["motion_mm"] = found["motion_before_mm"]
        if answers.trained.has_motion and answers.trained.halves is not None:
            said = answers.moved(head, head.expressions)
            found["motion_mm"] = 10 * rms(missing - said, weight)
        return found

    def _left_over(self, answers: Answers, head: LearntHead) -> dict[str, float]:
        """What the rig leaves of a portrait's landmarks, and what modes leave of that."""
        weight = head.residual_seen * self.ground.stress * self.ground.skin_field
        before = 10 * rms(head.residual, weight)
        found = {"portrait_left_before_mm": before, "portrait_left_mm": before}
        if answers.trained.has_motion and answers.trained.halves is not None:
            modes = torch.from_numpy(answers.modes(head)).flatten(1)[None]
            left = torch.from_numpy(head.residual / np.float32(MOTION.unit)).flatten()[None]
            share = torch.from_numpy(np.broadcast_to(weight, head.residual.shape).copy())
            share = share.flatten()[None] / share.sum()
            driven = answers.trained.halves.driving(torch.from_numpy(head.source)[None])
            amounts = fit_amounts(modes, left, share, driven)
            miss = (left - amounts @ modes[0]).numpy().reshape(head.residual.shape)
            found["portrait_left_mm"] = 10 * MOTION.unit * rms(miss, weight)
        return found

    def _codes_used(self, answers: Answers) -> dict[str, float]:
        """Perplexity over the number of codes, per half and scale.

        ``needed``: of the codes next to what heads lack. ``asked``: of the mean attention that
        the transformer pays.
        """
        if answers.trained.halves is None or answers.trained.variant == "unet":
            return {}
        lack: dict[str, list[tuple[Tensor, Tensor]]] = {"move": [], "look": []}
        asked: dict[str, list[Tensor]] = {}
        for head in [*self.synthetic, *self.portraits]:
            for name, found, missing, known in answers.questions(head):
                lack[name].append((missing, known))
                for scale, choice in found.choices.items():
                    mean = choice.softmax(-1).mean((0, 1))
                    asked.setdefault(f"{name}{scale}", []).append(mean)
        used = {f"{k}_asked": _evenness(torch.stack(v).mean(0)) for k, v in asked.items()}
        books = {
            "move": answers.trained.halves.motion.codebook,
            "look": answers.trained.halves.appearance.codebook,
        }
        for name, pairs in lack.items():
            book = deepcopy(books[name])  # it would learn from the answer
            if not pairs or not isinstance(book, Codebook):
                continue
            missing, known = (torch.cat(column) for column in zip(*pairs, strict=True))
            nearest = book.learn(missing, known, torch.Generator().manual_seed(0))
            for scale, count in zip(SCALES, book.plan.prefixes, strict=True):
                used[f"{name}{scale}_needed"] = perplexity(nearest[scale], count) / count
        return {name: round(value, 3) for name, value in used.items()}


def _evenness(share: Tensor) -> float:
    """Perplexity of shares [K] over K."""
    return float(torch.exp(-(share * share.clamp(min=1e-12).log()).sum())) / len(share)
