"""Where in a picture the face, the mouth and the eyes are, by the original's landmarks."""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.portrait.landmarks import LEFT_LIDS, RIGHT_LIDS
from avatar_engine.tracking.trust import LIP_OUTLINE, OUTLINE

REGIONS = ("full", "face", "mouth", "eyes")


def regions_of(landmarks: NDArray[np.floating], size: int) -> dict[str, NDArray[np.float64]]:
    """Masks [size, size] in [0, 1]: full picture, face oval, mouth and both eyes with a margin.

    Args:
        landmarks: [478, 2+] pixels of the original.
        size: Side of the square picture.
    """
    points = np.asarray(landmarks[:, :2], np.float64)
    reach = float(np.linalg.norm(points[263] - points[33]))
    eyes = np.maximum(
        _hull(points[list(LEFT_LIDS)], size, 0.13 * reach),
        _hull(points[list(RIGHT_LIDS)], size, 0.13 * reach),
    )
    return {
        "full": np.ones((size, size)),
        "face": _hull(points[list(OUTLINE)], size, 0.0),
        "mouth": _hull(points[list(LIP_OUTLINE)], size, 0.12 * reach),
        "eyes": eyes,
    }


def _hull(points: NDArray[np.float64], size: int, margin: float) -> NDArray[np.float64]:
    mask = np.zeros((size, size), np.uint8)
    hull = cv2.convexHull(np.round(points - 0.5).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1)
    if margin >= 1:
        side = 2 * round(margin) + 1
        mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return mask.astype(np.float64)
