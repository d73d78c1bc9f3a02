"""One checkpoint of the codebooks, asked about heads."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avatar_engine.codebook.front import Fused, appearance_planes
from avatar_engine.codebook.plan import APPEARANCE, MOTION, PROTOTYPES
from avatar_engine.training.codebooks.asking import Found
from avatar_engine.training.codebooks.batches import Batches
from avatar_engine.training.codebooks.fusing import fused
from avatar_engine.training.codebooks.heads import LearntHead
from avatar_engine.training.codebooks.learning import Halves
from avatar_engine.training.codebooks.network import Variant
from avatar_engine.types import weights_of

Floats = NDArray[np.float32]

HIDDEN = 0.1
"""What a photo shows less than this of is hidden."""

_STRESSED = 0.05


@dataclass(frozen=True)
class Trained:
    """One checkpoint.

    Attributes:
        variant: What compensates in it.
        seed: Of its training.
        steps: Trained.
        halves: The running mean of its weights; None compensates nothing.
    """

    variant: Variant
    seed: int
    steps: int
    halves: Halves | None

    @property
    def has_appearance(self) -> bool:
        """Colours were learnt."""
        return self.halves is not None and self.variant not in ("none", "motion")

    @property
    def has_motion(self) -> bool:
        """Displacements were learnt."""
        return self.halves is not None and self.variant not in ("none", "appearance")


def read_trained(file: Path, seed: int) -> Trained:
    """A checkpoint of ``training.codebooks``."""
    state = torch.load(file, weights_only=True, map_location="cpu")
    variant = cast(Variant, state["variant"])
    halves = Halves(variant)
    halves.load_state_dict(state["mean"])
    return Trained(variant, seed, int(state["step"]), halves.eval())


class Answers:
    """What one checkpoint says.

    Args:
        trained: The checkpoint.
        batches: Of the heads asked about; brings them into the networks' planes.
    """

    def __init__(self, trained: Trained, batches: Batches) -> None:
        self.trained, self._batches, self._ground = trained, batches, batches.ground

    def complete(
        self, head: LearntHead, stays: Floats | None = None, *, extra: Floats | None = None
    ) -> tuple[Floats, Floats]:
        """Colours [3, 128, 128] of a head of which a share is hidden: before, and with ours added.

        Args:
            head: With colours.
            stays: [128, 128] share of what the photo shows that remains shown; before is then
                mirror and harmonic fill. None: what a persona's build makes of the photo.
            extra: [128, 128] share hidden besides, such as the lids.
        """
        before = self._before(head, stays, extra)
        if not self.trained.has_appearance:
            return before.color, before.color
        hairy = head.hairy if stays is None or head.hairy is None else head.hairy * stays
        found = self._answer(head, before, hairy)
        share = 1 - before.seen * self._ground.skin
        added = share * np.float32(APPEARANCE.unit) * found.total[0].numpy()
        return before.color, np.clip(before.color + added, 0, 1)

    @torch.no_grad()
    def moved(self, head: LearntHead, expressions: Floats) -> Floats:
        """Displacement [K, 3, 64, 64] cm that corrective modes add in expressions [K, 52]."""
        assert self.trained.halves is not None
        amounts = self.trained.halves.driving(torch.from_numpy(expressions)).numpy()
        return np.tensordot(amounts, MOTION.unit * self.modes(head), 1).astype(np.float32)

    def _before(self, head: LearntHead, stays: Floats | None, extra: Floats | None) -> Fused:
        assert head.color is not None
        assert head.seen is not None
        assert head.hairy is not None
        if stays is None:
            assert head.base is not None
            return Fused(head.base, head.seen, head.seen[:, ::-1])
        seen = head.seen * stays * (1 if extra is None else 1 - extra)
        return fused(head.color, seen, head.hairy * stays, self._ground.skin)

    def _answer(self, head: LearntHead, before: Fused, hairy: Floats | None) -> Found:
        assert self.trained.halves is not None
        assert hairy is not None
        planes = np.concatenate([appearance_planes(before, hairy), self._ground.place])
        person = _batch(self._batches.person(head, residual=True))
        heard = dict(self.trained.halves.motion(self._fields(head.source[None]), person).tokens)
        return self.trained.halves.appearance(_batch(planes), heard)

    def questions(self, head: LearntHead) -> Iterator[tuple[str, Found, Tensor, Tensor]]:
        """What is asked about a head: which half, its answer, what is lacking, where it is known.

        Of synthetic heads every expression and every hidden colour is known, of portraits what
        the rig leaves of their landmarks.
        """
        halves, ground = self.trained.halves, self._ground
        if halves is None:
            return
        if self.trained.has_motion:
            expressions, missing = head.source[None], head.residual[None]
            known = head.residual_seen * ground.stress * ground.skin_field
            if head.expressions is not None and head.displacement is not None:
                expressions = head.expressions
                missing = head.displacement - np.tensordot(expressions, ground.expression_field, 1)
                known = ground.stress * ground.skin_field
            person = _batch(self._batches.person(head, residual=False))
            is_known = torch.from_numpy((known > _STRESSED).astype(np.float32))
            yield (
                "move",
                halves.motion(self._fields(expressions), person),
                torch.from_numpy((missing / MOTION.unit).astype(np.float32)),
                is_known.expand(len(expressions), 1, -1, -1),
            )
        if self.trained.has_appearance and head.truth is not None:
            assert head.seen is not None
            before = self._before(head, np.ones_like(head.seen), None)
            found = self._answer(head, before, head.hairy)
            hidden = (head.seen < HIDDEN) * ground.skin
            lacking = (head.truth - before.color) / np.float32(APPEARANCE.unit)
            yield "look", found, _batch(lacking), _batch(hidden[None])

    @torch.no_grad()
    def modes(self, head: LearntHead) -> Floats:
        """[C, 3, 64, 64] of a person, in ``MOTION.unit`` cm."""
        assert self.trained.halves is not None
        prototypes = np.stack([weights_of(**named) for named in PROTOTYPES])
        person = _batch(self._batches.person(head, residual=False))
        return cast(
            Floats, self.trained.halves.motion(self._fields(prototypes), person).total.numpy()
        )

    def _fields(self, expressions: NDArray[np.floating]) -> Tensor:
        field = np.tensordot(expressions, self._ground.expression, 1)
        return torch.from_numpy(field.astype(np.float32))


def _batch(planes: Floats) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(planes, np.float32))[None]
