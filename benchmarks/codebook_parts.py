"""The shipped codebooks asked about cached heads, whole or with a part that says nothing."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.codebook import CodebookCompensator
from avatar_engine.codebook.appearance import AppearanceCodebook
from avatar_engine.codebook.arithmetic import Layers
from avatar_engine.codebook.file import drivers_of
from avatar_engine.codebook.front import Fused
from avatar_engine.codebook.motion import MotionCodebook
from avatar_engine.codebook.plan import MOTION, PROTOTYPES, SCALES
from avatar_engine.training.codebooks.batches import Batches, used_share
from avatar_engine.training.codebooks.ground import Ground
from avatar_engine.training.codebooks.heads import LearntHead
from avatar_engine.types import weights_of

Floats = NDArray[np.float32]

_SHOWN = 0.5


class Parts:
    """The shipped codebooks, some of whose parts say nothing.

    Args:
        layers: Of a weight file.
        ground: Of the head model.
    """

    def __init__(self, layers: Layers, ground: Ground) -> None:
        self.ground, self._layers = ground, layers
        self._motion, self._drivers = MotionCodebook(layers), drivers_of(layers)
        halves = self._motion, AppearanceCodebook(layers)
        self._whole = CodebookCompensator(layers, *halves, self._drivers)
        self._batches = Batches([], ground, 0)
        self._prototypes = self._fields(np.stack([weights_of(**p) for p in PROTOTYPES]))

    def colors(self, head: LearntHead) -> Floats:
        """Completed colours [3, 128, 128] of a head whose build guessed what it does not see."""
        assert head.base is not None
        assert head.seen is not None
        assert head.hairy is not None
        person = self._batches.person(head, residual=True)[None]
        before = Fused(head.base, head.seen, head.seen[:, ::-1])
        fields = self._fields(head.source[None])
        lacks = self._whole.lacking(before, head.hairy, fields, person)
        trust: Floats = self._layers["ground.trust"] * used_share(self.ground, head.hairy)
        whole: Floats = np.clip(head.base + trust * lacks, 0, 1)
        return whole.astype(np.float32)

    def moved(self, head: LearntHead, expressions: Floats) -> Floats:
        """Displacement [K, 3, 64, 64] cm that corrective modes add in expressions [K, 52]."""
        person = self._batches.person(head, residual=False)[None]
        modes, _ = self._motion.compensate(self._prototypes, person)
        amounts = np.stack([self._drivers.amounts(w) for w in expressions])
        return np.tensordot(amounts, MOTION.unit * modes, 1).astype(np.float32)

    def _fields(self, weights: NDArray[np.floating]) -> Floats:
        return np.tensordot(weights, self.ground.expression, 1).astype(np.float32)


def without_choice(layers: Layers, half: str) -> dict[str, Floats]:
    """The same layers, whose tokens of one half all get the mean of their scale's codes."""
    found = dict(layers)
    for scale in SCALES:
        for part in ("weight", "bias"):
            name = f"{half}.scale{scale}.query.{part}"
            found[name] = np.zeros_like(layers[name])
    return found


def without_hearing(layers: Layers) -> dict[str, Floats]:
    """The same layers, whose appearance half hears nothing of the motion."""
    found = dict(layers)
    for scale in SCALES:
        name = f"appearance.heard{scale}.weight"
        found[name] = np.zeros_like(layers[name])
    return found


def new_skin(ground: Ground, head: LearntHead) -> Floats:
    """[128, 128] skin that only the truth shows, where completed colours are taken over."""
    assert head.known is not None
    assert head.seen is not None
    assert head.hairy is not None
    hidden = (head.known > _SHOWN) * np.clip(1 - 4 * head.seen, 0, 1)
    return np.asarray(hidden * used_share(ground, head.hairy), np.float32)


def missing_motion(ground: Ground, head: LearntHead) -> tuple[Floats, Floats, Floats]:
    """[K, 3, 64, 64] cm that the rig lacks in expressions [K, 52], and what each texel counts."""
    weight: Floats = ground.stress * ground.skin_field
    if head.displacement is None or head.expressions is None:
        return head.residual[None], head.source[None], weight * head.residual_seen
    rig = np.tensordot(head.expressions, ground.expression_field, 1)
    return (head.displacement - rig).astype(np.float32), head.expressions, weight
