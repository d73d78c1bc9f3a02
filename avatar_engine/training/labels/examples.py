"""What the network learns from: a crop, its marks and the class of each pixel."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.portrait.labels import SIDE
from avatar_engine.training.labels.crops import Crop
from avatar_engine.training.labels.pseudo import Target

UNKNOWN = 128
"""Added to the class of a pixel that nobody vouches for."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled crop at the network's own size S.

    Attributes:
        image: [S, S, 3] uint8.
        matte: [S, S] float32 in [0, 1].
        marks: [478, 2] float32, landmarks in pixels.
        kind: [S, S] uint8 of ``LabelKind``, UNKNOWN added where it is but likely.
    """

    image: NDArray[np.uint8]
    matte: NDArray[np.float32]
    marks: NDArray[np.float32]
    kind: NDArray[np.uint8]


def example_of(crop: Crop, target: Target) -> Example:
    """The likeliest class where it is trusted, at the network's size."""
    factor = SIDE / len(crop.image)
    size = SIDE, SIDE
    shrink = lambda a: cv2.resize(a, size, interpolation=cv2.INTER_AREA)  # noqa: E731
    share = np.stack([shrink(c) for c in np.moveaxis(target.share, -1, 0)], -1)
    kind = share.argmax(-1).astype(np.uint8)
    kind[(shrink(target.trust) < 0.5) | (share.max(-1) < 0.55)] |= UNKNOWN
    return Example(shrink(crop.image), shrink(crop.matte), crop.landmarks * factor, kind)
