"""One head completed: both codebooks asked once, and what they say baked into maps."""

from typing import Protocol

import numpy as np

from avatar_engine.codebook.arithmetic import Floats, Layers
from avatar_engine.codebook.baking import baked_modes, blended
from avatar_engine.codebook.front import (
    Fused,
    appearance_planes,
    as_planes,
    as_texels,
    mirrored,
    person_planes,
    shrunk,
)
from avatar_engine.codebook.plan import APPEARANCE, PROTOTYPES, SCALES
from avatar_engine.codebook.retrieval import Tokens
from avatar_engine.types import Compensation, Drivers, SeenHead, weights_of

_COARSE = SCALES[-1]


class MotionHalf(Protocol):
    """``MotionCodebook``, or its twin in training."""

    def compensate(self, fields: Floats, person: Floats) -> tuple[Floats, Tokens]:
        """Displacement that the rig lacks, and tokens."""
        ...


class AppearanceHalf(Protocol):
    """``AppearanceCodebook``, or its twin in training."""

    def compensate(self, planes: Floats, motion: Tokens) -> Floats:
        """Colours that mirror and fill lack."""
        ...


class CodebookCompensator:
    """Completes heads by two codebooks; a ``types.Compensator``."""

    def __init__(
        self, layers: Layers, motion: MotionHalf, appearance: AppearanceHalf, drivers: Drivers
    ) -> None:
        """Put it together.

        Args:
            layers: Constant maps under ``ground.``, and under ``halves`` which half is on.
            motion: Asked for corrective modes.
            appearance: Asked for colours.
            drivers: Of the corrective modes.
        """
        self._motion, self._appearance, self._drivers = motion, appearance, drivers
        self._ground = {k[7:]: v for k, v in layers.items() if k.startswith("ground.")}
        self._has_motion, self._has_appearance = layers["halves"] > 0
        self._skin = (self._ground["skin"] > 0).astype(np.float32)  # [256, 256]
        self._skin_small = shrunk(self._skin[None], APPEARANCE.side)[0]
        prototypes = np.stack([weights_of(**named) for named in PROTOTYPES])
        self._prototypes = self._fields(prototypes)

    def compensate(self, head: SeenHead) -> Compensation:
        """What one photo does not say about a head."""
        color = self._color(head) if self._has_appearance else head.color
        modes, drivers = np.zeros((0, *head.positions.shape), np.float32), Drivers.none()
        if self._has_motion:
            # What the rig left in the photo is of the person too; modes do not see it.
            person = self._person(head, residual=False)
            found, _ = self._motion.compensate(self._prototypes, person)
            modes = baked_modes(found, self._ground["skin_field"], self._skin)
            drivers = self._drivers
        return Compensation(color, modes, drivers)

    def lacking(self, before: Fused, hairy: Floats, fields: Floats, person: Floats) -> Floats:
        """What colours lack, [3, 128, 128] sRGB.

        The head is asked about twice, the second time in a mirror: what is said both times is
        more often right than what is said once.

        Args:
            before: The head as its build guesses it.
            hairy: [128, 128] in [0, 1].
            fields: [1, 3, 32, 32] cm, the linear rig's displacement in the photo's expression.
            person: [1, 6, 32, 32] of ``front.person_planes``.
        """
        asked = (np.concatenate([x, mirrored(x)]) for x in (fields, person))
        _, heard = self._motion.compensate(*asked)
        shown, place = appearance_planes(before, hairy), self._ground["place"]
        planes = np.stack([np.concatenate([x, place]) for x in (shown, shown[..., ::-1])])
        said, turned = np.float32(APPEARANCE.unit) * self._appearance.compensate(planes, heard)
        mean: Floats = (said + turned[..., ::-1]) / 2
        return mean

    def _color(self, head: SeenHead) -> Floats:
        """Colours [N, 3], changed where the photo is silent."""
        side = APPEARANCE.side
        seen = head.seen.reshape(self._skin.shape) * self._skin
        best = as_planes(head.color)
        small = shrunk(seen[None], side)[0]
        hairy = shrunk(as_planes(head.hairy[:, None]), side)[0]
        guessed = Fused(shrunk(best, side), small, small[:, ::-1])
        person = self._person(head, residual=True)
        lacks = self.lacking(guessed, hairy, self._fields(head.source[None]), person)
        trust = self._ground["trust"] * self._skin_small
        return as_texels(blended(best, lacks, trust, (1 - seen) * self._skin))

    def _person(self, head: SeenHead, *, residual: bool) -> Floats:
        """[1, 6, 32, 32] of ``front.person_planes``."""
        left = head.residual if residual else np.zeros_like(head.residual)
        planes = person_planes(
            shrunk(as_planes(head.positions), _COARSE, self._skin),
            self._ground["mean"],
            shrunk(as_planes(left), _COARSE, self._skin),
            self._ground["skin_tokens"],
        )
        return planes[None]

    def _fields(self, expressions: Floats) -> Floats:
        """[B, 3, 32, 32] cm, the linear rig's displacement at expressions [B, 52]."""
        return np.tensordot(expressions, self._ground["expression"], 1).astype(np.float32)
