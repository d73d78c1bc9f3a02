"""A sheet of synthetic heads to be looked at: they must read as heads."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avatar_engine.training.synthetic.heads import Stranger, SyntheticHead, turned
from avatar_engine.training.synthetic.motion import expressions
from avatar_engine.training.synthetic.scene import picture, stage
from avatar_engine.types import ARKIT_INDEX, Plates

_TILE = 192
_PEOPLE_PER_ROW = 2
_ASIDE = 0.7  # rad


def sheet_of(stranger: Stranger, *, seed: int, rows: int) -> NDArray[np.uint8]:
    """[H, W, 3] rows of two people: the photo, turned, with closed eyes, with another face."""
    lines = []
    for row in range(rows):
        people = range(_PEOPLE_PER_ROW * row, _PEOPLE_PER_ROW * (row + 1))
        tiles = [_person(stranger, np.random.default_rng([seed, k])) for k in people]
        lines.append(np.concatenate(tiles, 1))
    return np.concatenate(lines)


def _person(stranger: Stranger, rng: np.random.Generator) -> NDArray[np.uint8]:
    head = stranger.sample(rng)
    behind = stage(head.s, rng)
    closed = head.s.source.copy()
    closed[[ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]] = 1
    other = expressions(1, rng)[0]
    side = _ASIDE if rng.random() < 0.5 else -_ASIDE
    aside = replace(head, s=turned(head.s, side))
    tiles = [
        _tile(head, behind),
        _tile(aside, behind),
        _tile(head, behind, weights=closed, color=head.lid_color),
        _tile(head, behind, weights=other),
    ]
    return np.concatenate(tiles, 1)


def _tile(
    head: SyntheticHead,
    behind: Plates,
    *,
    weights: NDArray[np.float64] | None = None,
    color: NDArray[np.float64] | None = None,
) -> NDArray[np.uint8]:
    return picture(head, behind, weights=weights, color=color, size=_TILE)[0]
