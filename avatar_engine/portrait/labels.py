"""What each pixel of a portrait shows: background, skin, ears, hair, cloth and what is worn.

A small convolutional network of our own looks at an upright, aligned crop, at the matte and at
where the landmarks are. It runs once per persona, so plain matrix products serve: no framework.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.portrait.convolution import Layers, run_network
from avatar_engine.portrait.networks import Floats
from avatar_engine.types import LabelKind
from avatar_engine.weights import load_weights

WEIGHTS = Path(__file__).parent / "models" / "labels.safetensors"
SIDE = 192
"""Pixels of the aligned crop, and of the labels."""
CHANNELS = 9
"""Colours (3), matte, face, eyes, lips, across, up."""

_SPAN = 2.5  # of the crop, in face heights
_LEAST_SKIN, _LEAST_ON_FACE, _LEAST_SURE = 0.45, 0.8, 0.75  # of the face's area
_LEAST_AGREED = 0.6  # of the person, between network and matte
_ON_FACES = (LabelKind.SKIN, LabelKind.BEARD, LabelKind.GLASSES, LabelKind.HAIR)
_TOP, _CHIN, _RIGHT, _LEFT = 10, 152, 234, 454
_RIGHT_EYE = [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7]
_LEFT_EYE = [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249]
_LIPS = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where the upright crop lies in a picture.

    Attributes:
        to_picture: [2, 3] crop pixels to picture pixels, both as indices (centres at integers).
        side: Pixels across the crop.
    """

    to_picture: NDArray[np.float64]
    side: int = SIDE

    @classmethod
    def of(cls, landmarks: NDArray[np.floating], side: int = SIDE) -> "Alignment":
        """Upright about the face of landmarks [478, 2+] (pixel centres at integer + 0.5)."""
        marks = landmarks[:, :2].astype(np.float64)
        up = marks[_TOP] - marks[_CHIN]
        step = up * (_SPAN / side)
        to_picture = np.zeros((2, 3))
        to_picture[:, 0] = -step[1], step[0]
        to_picture[:, 1] = -step
        middle = (marks[_RIGHT] + marks[_LEFT]) / 2 - 0.5
        to_picture[:, 2] = middle - to_picture[:, :2].sum(1) * (side - 1) / 2
        return cls(to_picture, side)

    @property
    def scale(self) -> float:
        """Picture pixels per crop pixel."""
        return float(np.linalg.norm(self.to_picture[:, 0]))

    def cut(self, picture: NDArray) -> NDArray:
        """The crop [side, side, ...]; the picture's edge is repeated outside it."""
        if self.scale > 1.3:  # a warp alone would skip pixels
            picture = cv2.GaussianBlur(picture, (0, 0), 0.4 * self.scale)
        return cv2.warpAffine(
            picture,
            self.to_picture,
            (self.side, self.side),
            flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def points(self, landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
        """Landmarks [P, 2] in crop pixels (centres at integer + 0.5)."""
        back = cv2.invertAffineTransform(self.to_picture)
        return (landmarks[:, :2] - 0.5) @ back[:, :2].T + back[:, 2] + 0.5

    def pasted(self, values: Floats, side: int, size: int) -> Floats:
        """Crop values [SIDE, SIDE, K] over a square picture of ``size``, at ``side`` pixels."""
        shrink = np.diag([side / size, side / size, 1.0])
        shrink[:2, 2] = (side / size - 1) / 2
        to_small = (shrink @ np.vstack([self.to_picture, [0, 0, 1]]))[:2]
        parts = [
            cv2.warpAffine(
                np.ascontiguousarray(values[..., k]),
                to_small,
                (side, side),
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            for k in range(values.shape[-1])
        ]
        return np.stack(parts, -1)


def face_frame(marks: NDArray[np.floating], side: int = SIDE) -> Floats:
    """[side, side, 2] across in face widths (cheeks at +-0.5), up in face heights (chin 0)."""
    up = (marks[_TOP] - marks[_CHIN]).astype(np.float64)
    height = float(np.linalg.norm(up))
    width = float(np.linalg.norm(marks[_RIGHT] - marks[_LEFT]))
    up = up / height
    at = np.arange(side) + 0.5
    middle = (marks[_RIGHT] + marks[_LEFT]) / 2
    dx, dy = at[None] - middle[0], at[:, None] - middle[1]
    ex, ey = at[None] - marks[_CHIN, 0], at[:, None] - marks[_CHIN, 1]
    across = (-up[1] * dx + up[0] * dy) / width
    along = (up[0] * ex + up[1] * ey) / height
    return np.stack([across, along], -1).astype(np.float32)


def network_input(image: NDArray[np.uint8], matte: Floats, marks: NDArray[np.floating]) -> Floats:
    """What the network sees of an aligned crop, [CHANNELS, SIDE, SIDE].

    Args:
        image: [SIDE, SIDE, 3].
        matte: [SIDE, SIDE] in [0, 1].
        marks: [468+, 2] landmarks in the crop's pixels.
    """
    seen = np.empty((CHANNELS, SIDE, SIDE), np.float32)
    seen[:3] = image.transpose(2, 0, 1) * np.float32(1 / 64) - 2
    seen[3] = 2 * matte - 1
    face = cv2.convexHull(np.round(marks[:468]).astype(np.int32))
    for k, polygons in enumerate(((face,), (_RIGHT_EYE, _LEFT_EYE), (_LIPS,))):
        mask = np.zeros((SIDE, SIDE), np.uint8)
        for polygon in polygons:
            points = polygon if isinstance(polygon, np.ndarray) else marks[polygon]
            cv2.fillPoly(mask, [np.round(points).astype(np.int32)], (1.0,))
        seen[4 + k] = 2.0 * mask - 1
    frame = face_frame(marks)
    seen[7], seen[8] = np.abs(frame[..., 0]) * 2 - 1, frame[..., 1] * 2 - 1
    return seen


def find_labels(
    image: NDArray[np.uint8], matte: Floats, landmarks: NDArray[np.floating]
) -> Floats | None:
    """Label a portrait.

    Args:
        image: [S, S, 3] uint8 sRGB.
        matte: [S, S] in [0, 1].
        landmarks: [478, 2+] in pixels of ``image``.

    Returns:
        [SIDE, SIDE, 9] shares over the whole square, or None where they make no sense.

    Raises:
        WeightsError: The shipped network is missing or altered.
    """
    share = label_crop(image, matte, landmarks, _layers())
    where = Alignment.of(landmarks)
    if not _plausible(share, where.points(landmarks), where.cut(matte) > 0.5):
        return None
    return where.pasted(share, SIDE, len(image))


def label_crop(
    image: NDArray[np.uint8], matte: Floats, landmarks: NDArray[np.floating], layers: Layers
) -> Floats:
    """Shares [SIDE, SIDE, 9] over the upright crop, by some weights."""
    where = Alignment.of(landmarks)
    seen = network_input(where.cut(image), where.cut(matte), where.points(landmarks))
    logits = run_network(layers, seen)  # [9, SIDE, SIDE]
    share = np.exp(logits - logits.max(0))
    return (share / share.sum(0)).transpose(1, 2, 0).astype(np.float32)


def _plausible(share: Floats, marks: NDArray[np.floating], inside: NDArray[np.bool_]) -> bool:
    """Whether a face is seen where the mesh was found, surely, and a person where the matte is."""
    person = share[..., LabelKind.BACKGROUND] < 0.5
    if (person & inside).sum() < _LEAST_AGREED * (person | inside).sum():
        return False
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(marks[:468]).astype(np.int32)), (1.0,))
    face = share[mask > 0]
    mean = face.mean(0)
    return bool(
        mean[LabelKind.SKIN] > _LEAST_SKIN
        and mean[list(_ON_FACES)].sum() > _LEAST_ON_FACE
        and face.max(-1).mean() > _LEAST_SURE
    )


@cache
def _layers() -> Layers:
    tensors = load_weights(WEIGHTS).tensors
    return {name: np.asarray(array, np.float32) for name, array in tensors.items()}
