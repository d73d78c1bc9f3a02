"""How far completed colours may be believed, and where: as far as they would have helped before.

Second heads of people (see ``returned``), which the networks did not learn from, show what adding
the compensation does to colours that the first photo knows. Where it would not have helped it is
not added.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from avatar_engine.codebook.arithmetic import Floats, grown, quotient
from avatar_engine.codebook.front import Fused, appearance_planes, shrunk
from avatar_engine.codebook.plan import APPEARANCE
from avatar_engine.training.codebooks.batches import Batches, used_share
from avatar_engine.training.codebooks.ground import Ground
from avatar_engine.training.codebooks.heads import LearntHead
from avatar_engine.training.codebooks.learning import Halves

_CELLS = 16
_MOST = 1.5  # taught by absolute misses, the networks say too little rather than too much
_CAUTION = 0.5  # cells' worth of evidence that the whole head's share weighs
_UNTRIED = 0.6  # of the whole head's share, where there was nothing to try it on


def trust_of(pairs: Sequence[LearntHead], halves: Halves, batches: Batches) -> Floats:
    """[128, 128] share of the compensation that is best added, left-right symmetric.

    Args:
        pairs: Second heads, each with its base and with what the first photo showed.
        halves: As trained.
        batches: Brings heads into the networks' planes.
    """
    ground = batches.ground
    gained, added = np.zeros((2, 1, _CELLS, _CELLS), np.float32)
    for head in pairs:
        gain, size = _tried(head, halves, batches)
        gained += gain + gain[..., ::-1]
        added += size + size[..., ::-1]
    if not added.any():
        return np.multiply(ground.skin, _UNTRIED, dtype=np.float32)
    whole = np.float32(_UNTRIED) * np.clip(quotient(gained.sum(), added.sum()), 0, _MOST)
    caution = np.float32(_CAUTION) * added[added > 0].mean()
    share = np.clip(quotient(gained + caution * whole, added + caution), 0, _MOST)
    soft = cv2.GaussianBlur(grown(share, APPEARANCE.side)[0], (0, 0), 3.0)
    return np.multiply(soft, ground.skin, dtype=np.float32)


def lacking(head: LearntHead, halves: Halves, batches: Batches) -> Floats:
    """What a persona's build of a head lacks, [3, 128, 128] sRGB.

    The head is asked about twice, the second time in a mirror, as a persona's build does.
    """
    said, turned = (_said(each, halves, batches) for each in (head, head.mirrored()))
    return np.multiply(said + turned[..., ::-1], 0.5, dtype=np.float32)


def _said(head: LearntHead, halves: Halves, batches: Batches) -> Floats:
    """What the networks say that a head lacks, [3, 128, 128] sRGB."""
    assert head.base is not None
    assert head.seen is not None
    assert head.hairy is not None
    ground: Ground = batches.ground
    before = Fused(head.base, head.seen, head.seen[:, ::-1])
    planes = np.concatenate([appearance_planes(before, head.hairy), ground.place])
    field = np.tensordot(head.source, ground.expression, 1).astype(np.float32)
    person = batches.person(head, residual=True)
    with torch.no_grad():
        asked = (torch.from_numpy(x)[None] for x in (field, person))
        heard = halves.motion(*asked).tokens
        found = halves.appearance(torch.from_numpy(planes)[None], dict(heard)).total[0]
    whole: Floats = APPEARANCE.unit * found.numpy()
    return whole


def _tried(head: LearntHead, halves: Halves, batches: Batches) -> tuple[Floats, Floats]:
    """Per cell [1, 16, 16]: how far the change points at the truth, and its size squared."""
    assert head.base is not None
    assert head.truth is not None
    assert head.known is not None
    assert head.seen is not None
    assert head.hairy is not None
    change = lacking(head, halves, batches)
    hidden = (head.known > 0.5) * np.clip(1 - 4 * head.seen, 0, 1)
    new = hidden * used_share(batches.ground, head.hairy)
    missed = head.truth - head.base
    gain = (change * missed).sum(0, keepdims=True) * new
    size = (change * change).sum(0, keepdims=True) * new
    return shrunk(gain.astype(np.float32), _CELLS), shrunk(size.astype(np.float32), _CELLS)
