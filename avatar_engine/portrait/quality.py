"""Figures about a face: how far it is turned, how sharp it is."""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.portrait.regions import region_of

# Points that no expression moves, on MediaPipe's canonical face: x to the picture's right, y down,
# z away from the camera, cm.
_RIGID = {
    33: (-4.45, -2.66, -3.17),
    133: (-1.86, -2.59, -3.76),
    362: (1.86, -2.59, -3.76),
    263: (4.45, -2.66, -3.17),
    1: (0.00, 1.13, -7.48),
    4: (0.00, 0.46, -7.59),
    6: (0.00, -2.47, -5.79),
    168: (0.00, -3.27, -5.24),
    197: (0.00, -1.73, -6.32),
    195: (0.00, -1.06, -6.77),
    5: (0.00, -0.37, -7.24),
    2: (0.00, 2.09, -6.06),
    98: (-1.41, 1.71, -5.24),
    327: (1.41, 1.71, -5.24),
}
_FAR_TURNS = 1.125  # landmarks of the far side lag behind: 45 degrees are seen as 40
_CROP = 192


def head_yaw(points: NDArray[np.floating]) -> float:
    """How far the head is turned, rad; positive toward the subject's left.

    The affine camera that best takes the canonical face to the picture is split into a rotation
    and what is left; the landmarks' own z is not used.

    Args:
        points: [468+, 2+] landmarks, pixels.
    """
    model = np.array(list(_RIGID.values()))
    model = model - model.mean(0)
    seen = points[list(_RIGID), :2]
    affine = np.linalg.lstsq(model, seen - seen.mean(0), rcond=None)[0].T  # [2, 3]
    u, _, vt = np.linalg.svd(affine, full_matrices=False)
    rows = u @ vt
    forward = np.cross(rows[0], rows[1])
    return float(np.arctan2(forward[0], forward[2]) * _FAR_TURNS)


def sharpness(picture: NDArray[np.uint8], points: NDArray[np.floating]) -> float:
    """Curvature over slope of the face's strongest edges, at 192 pixels or the photo's own.

    A sharp face of any size has 0.67-0.99; blur lowers it, mere darkness does not.

    Args:
        picture: [H, W, 3] uint8.
        points: [468+, 2+] landmarks, pixels.
    """
    region = region_of(points[:468], (points[33], points[263]), margin=1.0)
    pixels = region.cut(picture, max(32, min(_CROP, int(region.size))))
    light = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    slope = np.hypot(cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)) / 8
    curvature = np.abs(cv2.Laplacian(cv2.GaussianBlur(light, (0, 0), 0.7), cv2.CV_32F))
    strongest = float(np.percentile(slope, 98))
    return float(np.percentile(curvature, 98)) / max(strongest, 1e-6)
