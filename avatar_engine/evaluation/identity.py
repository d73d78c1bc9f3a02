"""Whether it is still the same person, by a measure that needs no face-recognition network.

The face is unwarped to the mean shape by its landmarks, so that pose and expression are gone, and
freed of its coarse light; what is left (brows, eyes, nose, lips, marks) is correlated with the
first frame's. 1 is the same picture; two frames of one person give 0.6 to 0.9, two people of a
clip set 0.1 to 0.4.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from avatar_engine.evaluation.image_metrics import Floats
from avatar_engine.evaluation.warp import FACE_POINTS, warp_triangles
from avatar_engine.head import load_head_rig
from avatar_engine.tracking.trust import OUTLINE

_SIDE = 128
_MARGIN = 0.06
_COARSE = 6.0  # pixels: what is smoother is light


def face_texture(picture: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> Floats:
    """The face in the mean shape, coarse light removed, [128, 128].

    Args:
        picture: [S, S, 3].
        landmarks: [478, 2+] in it.
    """
    target, triangles, inside = _canonical()
    points = np.asarray(landmarks[:FACE_POINTS, :2], np.float64)
    flat = warp_triangles(picture, points, target, triangles, _SIDE)
    luma = flat.astype(np.float64) @ [0.299, 0.587, 0.114]
    share = np.maximum(cv2.GaussianBlur(inside, (0, 0), _COARSE), 1e-3)
    coarse = cv2.GaussianBlur(luma * inside, (0, 0), _COARSE) / share
    return np.asarray((luma - coarse) * inside, np.float64)


def same_face(a: Floats, b: Floats) -> float:
    """Correlation of two textures of :func:`face_texture`, -1 to 1."""
    return float((a * b).sum() / max(np.sqrt((a**2).sum() * (b**2).sum()), 1e-9))


@lru_cache(maxsize=1)
def _canonical() -> tuple[Floats, NDArray[np.int32], Floats]:
    """Mean landmarks in the square [468, 2], their triangles, and the face's mask."""
    rig = load_head_rig()
    points = rig.landmarks(rig.mean)[:FACE_POINTS, :2] * [1, -1]
    low, high = points.min(0), points.max(0)
    scale = _SIDE * (1 - 2 * _MARGIN) / float((high - low).max())
    points = (points - (low + high) / 2) * scale + _SIDE / 2
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(points[list(OUTLINE)].astype(np.int32)), 1)
    mask = cv2.erode(mask, np.ones((5, 5), np.uint8))
    return points, Delaunay(points).simplices.astype(np.int32), mask.astype(np.float64)
