"""Which codes held-out heads need: perplexity over the number of codes, half by half."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avatar_engine.codebook.plan import APPEARANCE, MOTION, SCALES, CodebookPlan
from avatar_engine.training.codebooks.asking import Codebook, perplexity

Floats = NDArray[np.float32]

_AT_ONCE = 8


def codes_needed(
    layers: Mapping[str, Floats], half: str, lacking: Iterable[tuple[Floats, Floats]]
) -> dict[str, float]:
    """Perplexity of the codes next to what heads lack, over the number of codes of each scale.

    Scales at which nothing that is known fills a code's place are left out.

    Args:
        layers: Of a weight file.
        half: ``motion`` or ``appearance``.
        lacking: Of each head [B, 3, side, side] in the map's own unit, and where it is known
            [B, side, side].
    """
    plan = {"motion": MOTION, "appearance": APPEARANCE}[half]
    found: dict[int, list[Tensor]] = {scale: [] for scale in SCALES}
    for missing, known in lacking:
        for start in range(0, len(missing), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            given = torch.from_numpy((missing[part] / plan.unit).astype(np.float32))
            where = torch.from_numpy(known[part, None].astype(np.float32))
            nearest = _book(layers, half, plan).learn(given, where, torch.Generator())
            for scale, codes in nearest.items():
                found[scale].append(codes[codes >= 0])
    return {
        str(scale): round(perplexity(torch.cat(found[scale]), count) / count, 3)
        for scale, count in zip(SCALES, plan.prefixes, strict=True)
        if any(len(codes) for codes in found[scale])
    }


def _book(layers: Mapping[str, Floats], half: str, plan: CodebookPlan) -> Codebook:
    """The shipped book; a new one each time, for it learns from what it is asked."""
    book = Codebook(plan)
    book.codes.copy_(torch.from_numpy(layers[f"{half}.codes"]))
    book.spread.copy_(torch.from_numpy(layers[f"{half}.spread"]))
    book.known.fill_(1)
    return book
