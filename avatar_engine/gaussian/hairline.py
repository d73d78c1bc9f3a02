"""Where hair ends on the unseen sides of a head: hair goes on as hair, and skin as skin.

Filled as one picture, hair and skin would run into each other behind every sideburn.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.segment import Labels
from avatar_engine.gaussian.smooth import fill, smoothstep
from avatar_engine.gaussian.strands import contrast_of, strands

_LINE = (0.35, 0.65)  # share of hair among what is seen around
_ALIKE = (0.5, 0.3)  # distance to the hair's tone, as a share of that and the skin's
_CALM = 0.5  # of the seen hair's contrast
_LEAST = 200  # texels of hair to go by
_SHORT = 0.3


@dataclass(frozen=True, slots=True)
class HairBeside:
    """Hair carried over the atlas: its colour [N, 3] sRGB, and where it is hair [N] in [0, 1]."""

    color: NDArray[np.float64]
    share: NDArray[np.float64]


def hair_beside(
    color: NDArray[np.float64],
    weight: NDArray[np.float64],
    hairy: NDArray[np.float64],
    labels: Labels,
) -> HairBeside:
    """Tell hair from skin where colours are unknown.

    Args:
        color: [R, R, 3] sRGB.
        weight: [R, R] in [0, 1], how far it is known.
        hairy: [N] in [0, 1], hair is seen or grows there, also where its colour is not known.
        labels: Of the photo.
    """
    hair = np.clip(hairy, 0, 1).reshape(weight.shape)
    known = weight * smoothstep(hair, 0.5, 0.9) * _alike(color, labels)
    if known.sum() < _LEAST:
        return HairBeside(color.reshape(-1, 3), np.zeros(weight.size))
    contrast = _CALM * contrast_of(color, known > 0.5)
    length = 1.0 if labels.is_long else _SHORT
    texture = strands(weight.shape, length=length, contrast=contrast)
    grown = np.clip(fill(color, known) * texture[..., None], 0, 1).reshape(-1, 3)
    near = fill(hair[..., None], np.maximum(weight, hair)).ravel()
    return HairBeside(grown.astype(np.float64), smoothstep(near, *_LINE))


def _alike(color: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    """[R, R] 1 for the hair's colours, 0 for what is rather the skin's."""
    lab, hair, skin = (
        cv2.cvtColor(np.clip(c, 0, 1).astype(np.float32), cv2.COLOR_RGB2LAB)
        for c in (color, labels.hair_tone[None, None], labels.skin_tone[None, None])
    )
    to_hair, to_skin = (np.linalg.norm(lab - tone, axis=-1) for tone in (hair, skin))
    return smoothstep(to_hair / np.maximum(to_hair + to_skin, 1e-3), *_ALIKE)
