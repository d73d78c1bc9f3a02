"""The 2-D baseline: the first frame, bent piece by piece so that its landmarks fit the frame's.

It is told every landmark of the frame it has to make; what it lacks is depth, an inner mouth that
was never seen, and whatever the bending uncovers.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

FACE_POINTS = 468


class PiecewiseWarp:
    """A piecewise-affine warp of one picture.

    Args:
        picture: [S, S, 3] uint8.
        landmarks: [478, 2+] in it.
    """

    def __init__(self, picture: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> None:
        self._picture = picture
        self._size = picture.shape[0]
        self._source = self._with_frame(landmarks)
        self._triangles = Delaunay(self._source).simplices

    def to(self, landmarks: NDArray[np.floating]) -> NDArray[np.uint8]:
        """The picture with its landmarks moved to ``landmarks`` [478, 2+]."""
        target = self._with_frame(landmarks)
        return warp_triangles(self._picture, self._source, target, self._triangles, self._size)

    def _with_frame(self, landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
        """The face's points, and points on the picture's edge that stay."""
        side = np.linspace(0, self._size, 9)
        edge = np.concatenate(
            [
                np.stack([side, np.zeros(9)], 1),
                np.stack([side, np.full(9, self._size)], 1),
                np.stack([np.zeros(7), side[1:-1]], 1),
                np.stack([np.full(7, self._size), side[1:-1]], 1),
            ]
        )
        return np.concatenate([np.asarray(landmarks[:FACE_POINTS, :2], np.float64), edge])


def warp_triangles(
    picture: NDArray[np.uint8],
    source: NDArray[np.float64],
    target: NDArray[np.float64],
    triangles: NDArray[np.integer],
    size: int,
) -> NDArray[np.uint8]:
    """A picture [H, W, 3] whose triangles are moved, [size, size, 3].

    Args:
        picture: What is sampled.
        source: [P, 2] corner points in it, pixels.
        target: [P, 2] where they go.
        triangles: [T, 3] rows of points.
        size: Side of the result.
    """
    which = np.full((size, size), -1, np.int32)
    for index, corners in enumerate(target[triangles]):
        cv2.fillConvexPoly(which, np.round((corners - 0.5) * 16).astype(np.int32), index, shift=4)
    to_corners = np.concatenate([target[triangles], np.ones((len(triangles), 3, 1))], 2)
    degenerate = np.abs(np.linalg.det(to_corners)) < 1e-6
    to_corners[degenerate] = np.eye(3)
    affine = np.linalg.inv(to_corners) @ source[triangles]  # [T, 3, 2]
    rows, columns = np.mgrid[:size, :size] + 0.5
    here = affine[np.maximum(which, 0)]
    moved = columns[..., None] * here[..., 0, :] + rows[..., None] * here[..., 1, :]
    moved = moved + here[..., 2, :] - 0.5
    outside = which < 0
    moved[outside] = np.stack([columns, rows], -1)[outside] - 0.5
    moved = moved.astype(np.float32)
    return np.asarray(
        cv2.remap(picture, moved, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )
