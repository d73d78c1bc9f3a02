"""478 landmarks of one face: a mesh of 468, lids drawn closer, five per iris."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.portrait.detection import Detection
from avatar_engine.portrait.networks import Networks
from avatar_engine.portrait.regions import Region, region_of

RIGHT_EYE_CORNERS = (33, 133)  # the subject's right: outer, inner
LEFT_EYE_CORNERS = (263, 362)

# Where the iris network's first 16 points (the lid contour) lie in the mesh.
RIGHT_LIDS = (33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173)
LEFT_LIDS = (263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398)

_FACE_MARGIN = 1.5  # the margins the networks were trained with
_EYE_MARGIN = 2.3


@dataclass(frozen=True, slots=True)
class Face:
    """One face's landmarks.

    Attributes:
        points: [478, 3] pixels of the picture, as in ``Portrait.landmarks``.
        score: Probability that this is a face at all.
        detection: What it was found by.
    """

    points: NDArray[np.float64]
    score: float
    detection: Detection

    @property
    def height(self) -> float:
        """Forehead's hairline to chin, pixels."""
        return float(np.linalg.norm(self.points[152, :2] - self.points[10, :2]))

    @property
    def width(self) -> float:
        """Ear to ear along the picture plane, pixels."""
        return float(np.linalg.norm(self.points[454, :2] - self.points[234, :2]))

    @property
    def roll(self) -> float:
        """Tilt of the line through the outer eye corners, rad; clockwise as seen is positive."""
        run = self.points[263] - self.points[33]
        return float(np.arctan2(run[1], run[0]))

    @property
    def is_upright(self) -> bool:
        """Whether it is tilted by less than 60 degrees."""
        return abs(self.roll) < np.radians(60)

    @property
    def centre(self) -> NDArray[np.float64]:
        """Middle of hairline and chin, pixels."""
        return (self.points[152, :2] + self.points[10, :2]) / 2


def find_landmarks(picture: NDArray[np.uint8], seen: Detection, networks: Networks) -> Face:
    """Landmarks of one detected face.

    The mesh is found twice: the second time in the region that the first one gives, which is
    steadier than the detector's box.

    Args:
        picture: [H, W, 3] uint8.
        seen: The face to look at.
        networks: What looks.
    """
    region = region_of(
        seen.box.reshape(2, 2), (seen.points[0], seen.points[1]), margin=_FACE_MARGIN
    )
    mesh, _ = _mesh(picture, region, networks)
    return _closely(picture, mesh, seen, networks)


def follow_landmarks(picture: NDArray[np.uint8], before: Face, networks: Networks) -> Face:
    """Landmarks of a face that was seen in the picture before; needs no detector.

    The score says whether the face is still there: below about one half, look for it again.

    Args:
        picture: [H, W, 3] uint8, the next of a video.
        before: The face in the picture before.
        networks: What looks.
    """
    return _closely(picture, before.points[:468], before.detection, networks)


def _closely(
    picture: NDArray[np.uint8], mesh: NDArray[np.float64], seen: Detection, networks: Networks
) -> Face:
    """The mesh in the region that a first, rough one gives, and both eyes."""
    region = region_of(mesh, (mesh[33], mesh[263]), margin=_FACE_MARGIN)
    mesh, score = _mesh(picture, region, networks)
    right_lids, right_iris = _eye(picture, mesh[list(RIGHT_EYE_CORNERS)], networks, mirrored=False)
    left_lids, left_iris = _eye(picture, mesh[list(LEFT_EYE_CORNERS)], networks, mirrored=True)
    for lids, iris, rows in (
        (right_lids, right_iris, list(RIGHT_LIDS)),
        (left_lids, left_iris, list(LEFT_LIDS)),
    ):
        mesh[rows, :2] = lids[:, :2]
        iris[:, 2] = mesh[rows, 2].mean()  # the iris network knows no depth
    return Face(np.concatenate([mesh, right_iris, left_iris]), score, seen)


def _mesh(
    picture: NDArray[np.uint8], region: Region, networks: Networks
) -> tuple[NDArray[np.float64], float]:
    points, score = networks.mesh(region.cut(picture, 192) / np.float32(255))
    return region.project(points / 192.0), score


def _eye(
    picture: NDArray[np.uint8],
    corners: NDArray[np.float64],
    networks: Networks,
    *,
    mirrored: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lid contour [16, 3] and iris [5, 3] of the eye between outer and inner corner."""
    along = (corners[1], corners[0]) if mirrored else (corners[0], corners[1])
    region = region_of(corners, along, margin=_EYE_MARGIN)
    pixels = region.cut(picture, 64) / np.float32(255)
    if mirrored:
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    contour, iris = (points / 64.0 for points in networks.iris(pixels))
    if mirrored:
        contour[:, 0], iris[:, 0] = 1 - contour[:, 0], 1 - iris[:, 0]
        iris = iris[[0, 3, 2, 1, 4]]  # centre, picture's right, top, left, bottom for both eyes
    return region.project(contour[:16]), region.project(iris)


def eye_openness(points: NDArray[np.float64], lids: tuple[int, ...]) -> float:
    """Largest gap between the lids over the eye's width."""
    outer, inner = points[lids[0], :2], points[lids[8], :2]
    lower, upper = points[list(lids[1:8]), :2], points[list(lids[9:16]), :2]
    width = float(np.linalg.norm(outer - inner))
    return float(np.linalg.norm(upper - lower, axis=1).max()) / max(width, 1e-6)
