"""Smaller books from larger ones: codes that hardly any token is next to are left out."""

from collections.abc import Mapping

import torch
from torch import Tensor

from avatar_engine.codebook.plan import APPEARANCE, MOTION

_PLANS = {"motion": MOTION, "appearance": APPEARANCE}
_FIRST = (32, 64, 128)  # prefixes of trainings that did not write theirs down


def pruned(
    state: Mapping[str, Tensor], prefixes: Mapping[str, tuple[int, ...]]
) -> dict[str, Tensor]:
    """Weights of both halves with books of today's sizes.

    Args:
        state: Of ``learning.Halves``.
        prefixes: Codes that each scale of a half could use when these weights were learnt.
    """
    found = dict(state)
    for half, plan in _PLANS.items():
        name = f"{half}.codebook"
        was = prefixes.get(half, _FIRST)
        counts = state[f"{name}.counts"]
        kept: list[Tensor] = []
        for k, (before, now) in enumerate(zip(was, plan.prefixes, strict=True)):
            first, wanted = (was[k - 1], plan.prefixes[k - 1]) if k else (0, 0)
            order = torch.argsort(counts[first:before], descending=True, stable=True)
            kept.append(first + order[: now - wanted].sort().values)
        chosen = torch.cat(kept)
        for part in ("codes", "counts"):
            found[f"{name}.{part}"] = state[f"{name}.{part}"][chosen].clone()
    return found
