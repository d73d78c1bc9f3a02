"""The colours of hair's back, which no photo shows: the outline's tone goes on around the head.

Both sides of the hair meet at the outline, so what is grown begins there in the tone that the
photo ends with, and turns only slowly into the shaded tone of the whole.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.complete import BEHIND_TONE
from avatar_engine.gaussian.segment import Labels
from avatar_engine.gaussian.smooth import fill, smoothstep
from avatar_engine.gaussian.strands import contrast_of, strands
from avatar_engine.gaussian.view import View

_OUTER_PX = (4.0, 36.0)  # inside the outline; nearer to it a rim light is no tone of the hair
_MET_CM = (0.3, 2.5)  # behind the outline; there the photo's own strands end
_AROUND_CM = (2.0, 9.0)  # and there the outline's tone does
_QUARTER = 4


def back_color(
    view: View,
    labels: Labels,
    hair: NDArray[np.bool_],
    edge: NDArray[np.float32],
    depth: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Colours [S, S, 3] of the sheet behind.

    Args:
        view: The source view.
        labels: Of the photo.
        hair: [S, S] certain hair.
        edge: [S, S] pixels from the outline.
        depth: [S, S] cm behind the outline's plane.
    """
    outer = _outer_tone(view, hair & (edge > _OUTER_PX[0]) & (edge < _OUTER_PX[1]), labels)
    far = smoothstep(depth, *_AROUND_CM)[..., None]
    tone = outer * (1 - far) + BEHIND_TONE * labels.hair_tone * far
    texture = strands(hair.shape, length=1.0, contrast=contrast_of(view.clean, hair))
    grown = np.clip(tone * texture[..., None], 0, 1)
    share = smoothstep(depth, *_MET_CM)[..., None]
    return (view.clean * (1 - share) + grown * share).astype(np.float32)


def _outer_tone(view: View, outer: NDArray[np.bool_], labels: Labels) -> NDArray[np.float32]:
    """The outer hair's tone [S, S, 3] carried over the picture; the whole's where none is seen."""
    if not outer.any():
        return np.broadcast_to(labels.hair_tone, view.clean.shape).astype(np.float32)
    size = view.size // _QUARTER
    small = cv2.resize(view.clean, (size, size), interpolation=cv2.INTER_AREA)
    weight = cv2.resize(outer.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
    tone = fill(small, 0.2 * weight, sigmas=(6, 12, 24, 48), on_atlas=False)
    return cv2.resize(tone, (view.size, view.size), interpolation=cv2.INTER_LINEAR)
