"""The portrait: a photo after the eye has looked at it."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class LabelKind(IntEnum):
    """What a pixel of a portrait shows. SKIN is face and neck, OTHER jewellery."""

    BACKGROUND = 0
    SKIN = 1
    EAR = 2
    HAIR = 3
    CLOTH = 4
    GLASSES = 5
    BEARD = 6
    HEADWEAR = 7
    OTHER = 8


@dataclass(frozen=True, slots=True)
class Portrait:
    """A square crop around one head, with what was seen in it.

    Attributes:
        image: [S, S, 3] uint8 sRGB; S is a multiple of 8. Where the crop leaves the photo, its
            edge is repeated.
        landmarks: [478, 3] float32 in pixels of ``image`` (x right, y down, z smaller is nearer,
            same scale as x); 468 face mesh points in MediaPipe's order, then 5 per iris:
            468-472 the subject's right eye, 473-477 the left.
        matte: [S, S] float32 in [0, 1]; 1 is the person. Refined to the picture's edges.
        crop: (x0, y0, side) of ``image`` in the upright photo's pixels; may start below zero.
        photo_size: (width, height) of the upright photo.
        eye_openness: [2] subject's left and right: lid gap over eye width.
        warnings: What is not ideal but no reason to refuse, one sentence each.
        labels: [L, L, 9] float32 shares of each ``LabelKind`` over the square of ``image``, summing
            to one; None where the label network was not asked or makes no sense of the photo.
        wears_glasses: Whether there are glasses before the eyes.
    """

    image: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    matte: NDArray[np.float32]
    crop: tuple[float, float, float]
    photo_size: tuple[int, int]
    eye_openness: tuple[float, float]
    warnings: tuple[str, ...] = ()
    labels: NDArray[np.float32] | None = None
    wears_glasses: bool = False
