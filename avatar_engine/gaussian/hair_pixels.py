"""Which of the photo's pixels are hair, on the head and around it."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from avatar_engine.gaussian.masks import opened
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import CLOTH, HAIR, SKIN, Labels
from avatar_engine.gaussian.smooth import distance
from avatar_engine.gaussian.zbuffer import Nearest

_FULL_PX, _FULL = 5, 0.08  # half width, and share of the square over the face
_RIM_LOW, _LONG_LOW = 0.36, -0.15  # in face heights; below it a sliver is collar
_NECK_LOW = 0.05
_THREAD_PX = 4.0
_SHADE_LOW = 0.05  # above it, what hangs beside long hair and looks like cloth is hair in shade


def coat_pixels(s: Sculpture, labels: Labels) -> NDArray[np.bool_]:
    """Pixels [S, S] of hair that lies on the head, eyebrows and beard not meant."""
    view = s.view
    height = view.frame()[..., 1]
    hair = (labels.share[..., HAIR] > 0.6) & view.inside
    return opened(hair & ~(view.face_hull() & (height < 0.88)) & (height > 0.35))


def hair_pixels(
    s: Sculpture, labels: Labels, head: Nearest, scalp: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Pixels [S, S] the volume shows, and those among them that are but a rim of the head."""
    view = s.view
    height = view.frame()[..., 1]
    share = labels.share[..., HAIR]
    hair = (share > 0.5) & view.inside
    short = ~head.covered & (height > _RIM_LOW)
    # Full hair beside the head hangs over it as long hair does.
    wide = opened(hair & short, _FULL_PX)
    is_full = labels.is_long or wide.sum() > _FULL * view.face_width**2
    free = ~view.face_hull(grow=-3) & ~scalp
    apart = free & ((height > _RIM_LOW) | labels.is_long) if is_full else short
    mask = opened(hair & apart)
    # What the head leaves uncovered above the chin is a rim of it.
    low = _LONG_LOW if labels.is_long else _RIM_LOW
    cloth = cv2.dilate(labels.share[..., CLOTH], np.ones((5, 5), np.uint8)) > 0.2
    cloth &= (height < _SHADE_LOW) | (not labels.is_long)
    above = view.inside & ~head.covered & (height > low) & ~cloth
    bare = labels.share[..., SKIN] > np.maximum(share, 0.3)  # an ear has no volume of hair
    # Below the chin a bare neck goes on under the head: it is the body's, not hair.
    is_head = (labels.share[..., SKIN] > 0.5) & (height > _NECK_LOW)
    unsure = labels.is_long & (height > _RIM_LOW)
    rim = above & ((share > 0.3) | is_head | unsure)
    rim &= ~view.spilled | (share > 0.7)  # between locks the background is seen
    # A thread of skin would stand beside the cheek as soon as the head turns.
    rim &= ~bare | (distance(~head.covered) > _THREAD_PX) | (share > 0.3)
    # Flakes that hang on nothing would float when the head turns.
    parts, _ = label(mask | rim | head.covered)
    held = np.isin(parts, np.unique(parts[head.covered])) & (mask | rim)
    wide = opened(held, 5)
    return held, held & ((~wide & (distance(~head.covered) < 8)) | bare)
