"""Where completed colours may be believed: where enough real photos ever showed the truth."""

from collections.abc import Sequence

import cv2
import numpy as np

from avatar_engine.codebook.arithmetic import Floats
from avatar_engine.training.codebooks.ground import Ground
from avatar_engine.training.codebooks.heads import LearntHead

_FEW, _MANY = 0.03, 0.15  # share of photos that show a texel


def trust_of(heads: Sequence[LearntHead], ground: Ground) -> Floats:
    """[128, 128] in [0, 1], left-right symmetric.

    Args:
        heads: Portraits among others; without any, everything is believed.
        ground: Of the head model.
    """
    seen = [h.seen for h in heads if h.seen is not None and h.truth is None]
    if not seen:
        return ground.skin.copy()
    share = np.mean(seen, 0)
    share = np.maximum(share, share[:, ::-1]) * ground.skin
    t = np.clip((share - _FEW) / (_MANY - _FEW), 0, 1)
    soft = cv2.GaussianBlur((t * t * (3 - 2 * t)).astype(np.float32), (0, 0), 2.0)
    return soft * ground.skin
