"""Earrings: small things beside the jaw that are neither the person's skin nor their hair.

They hang free. Taken for hair or for the head's rim they would be drawn out into bars as soon as
the head turns, so each one is held at one depth and moves as a whole.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from avatar_engine.gaussian.masks import closed
from avatar_engine.gaussian.segment import Labels
from avatar_engine.gaussian.smooth import fill
from avatar_engine.gaussian.view import View
from avatar_engine.types import LabelKind

_ASIDE, _HIGH = (0.38, 0.8), (-0.12, 0.45)  # face widths beside, face heights above the chin
_AROUND = 0.2  # face widths; what is small against this stands out of it
_BRIGHTER, _COLOURED = 20.0, 22.0  # CIELAB, against what is around
_UNLIKE_SKIN = 13.0  # CIELAB's a and b
_LABELLED = 0.4
_MARGIN = 16  # pixels around an earring from which its place is painted
_SMALL = (0.0006, 0.03)  # of the square over the face


def jewel_pixels(view: View, labels: Labels) -> NDArray[np.int32]:
    """Pixels [S, S] of each earring, numbered from 1; 0 elsewhere."""
    found = np.zeros((view.size, view.size), np.int32)
    frame = view.frame()
    u, v = np.abs(frame[..., 0]), frame[..., 1]
    zone = (u > _ASIDE[0]) & (u < _ASIDE[1]) & (v > _HIGH[0]) & (v < _HIGH[1])
    zone &= view.inside & ~view.face_hull()
    if not zone.any():
        return found
    rows, cols = np.nonzero(zone.any(1))[0], np.nonzero(zone.any(0))[0]
    part = slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1)
    lab = view.lab[part]
    apart = lab - _median(view.image[part], round(_AROUND * view.face_width))
    skin = cv2.cvtColor(labels.skin_tone.astype(np.float32)[None, None], cv2.COLOR_RGB2LAB)
    odd = (apart[..., 0] > _BRIGHTER) | (np.hypot(apart[..., 1], apart[..., 2]) > _COLOURED)
    odd &= np.linalg.norm(lab[..., 1:] - skin[..., 1:], axis=-1) > _UNLIKE_SKIN
    if labels.kinds is not None:
        odd |= labels.kinds[part][..., LabelKind.OTHER] > _LABELLED
    parts, count = label(closed(odd & zone[part]))
    for k in range(1, count + 1):
        here = parts == k
        share = here.sum() / view.face_width**2
        if _SMALL[0] < share < _SMALL[1]:
            found[part][here] = k
    return found


def held_whole(
    depth: NDArray[np.float64], jewels: NDArray[np.int32], shown: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Depths [S, S] at which every earring lies flat; ``shown`` is what has a depth."""
    depth = depth.copy()
    for k in np.unique(jewels[jewels > 0]):
        here = (jewels == k) & shown
        if here.any():
            depth[here] = np.median(depth[here])
    return depth


def painted_over(
    picture: NDArray[np.float32], jewels: NDArray[np.bool_], around: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """The picture [S, S, 3] in which earrings have the colours around them within a mask."""
    picture = picture.copy()
    gone = cv2.dilate(jewels.astype(np.uint8), np.ones((5, 5), np.uint8))
    for x, y, width, height, _ in cv2.connectedComponentsWithStats(gone)[2][1:]:
        part = tuple(
            slice(max(0, at - _MARGIN), at + n + _MARGIN) for at, n in ((y, height), (x, width))
        )
        hidden = gone[part] > 0
        own = fill(picture[part], around[part] & ~hidden, sigmas=(2, 4, 7), on_atlas=False)
        picture[part][hidden] = own[hidden]
    return picture


def _median(image: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """The picture's median around each pixel, as CIELAB."""
    eight = np.round(image * 255).astype(np.uint8)
    blurred = cv2.medianBlur(eight, size | 1).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(blurred, cv2.COLOR_RGB2LAB), np.float32)
