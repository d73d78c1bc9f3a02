"""From a photo to a portrait: look, judge, crop, look closely, cut out."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.device import with_quiet_blas
from avatar_engine.errors import PhotoError
from avatar_engine.portrait.detection import Detection, detect_faces
from avatar_engine.portrait.glasses import wears_glasses
from avatar_engine.portrait.labels import find_labels
from avatar_engine.portrait.landmarks import (
    LEFT_LIDS,
    RIGHT_LIDS,
    Face,
    eye_openness,
    find_landmarks,
)
from avatar_engine.portrait.matte import person_matte
from avatar_engine.portrait.networks import Floats, Networks, default_networks
from avatar_engine.portrait.photo import read_photo
from avatar_engine.portrait.verdict import choose_face, judge
from avatar_engine.types import Portrait

_WANTED_SIDE = 2.7  # of the crop, in face heights: head, hair and shoulders
_LEAST_SIDE = 1.6  # below this the photo's edge is repeated rather than the head cut
_RAISED = 0.12  # the crop's centre above the face's, in face heights
_SMALLEST, _LARGEST = 512, 1024
_UNLABELLED = (
    "hair, skin and clothes could not be told apart by what they are, so colours decide; "
    "a photo in even light, with the face uncovered, gives cleaner edges"
)


@with_quiet_blas
def read_portrait(
    photo: str | Path | bytes | NDArray[np.uint8],
    *,
    pick_largest: bool = False,
    networks: Networks | None = None,
) -> Portrait:
    """Find the face in a photo and look at it closely.

    Args:
        photo: A file's path or content, or an upright [H, W, 3] uint8 sRGB picture.
        pick_largest: Of several faces take the largest instead of refusing.
        networks: What looks; the shipped networks unless given.

    Returns:
        The crop about the head, its landmarks, matte and labels.

    Raises:
        PhotoError: The photo cannot become a persona; its ``reason`` says why.
        WeightsError: A shipped network is missing or altered.
    """
    networks = networks or default_networks()
    picture = photo if isinstance(photo, np.ndarray) else read_photo(photo)
    photo_size = picture.shape[1], picture.shape[0]
    detections = detect_faces(picture, networks)
    picture, detections, factor = _no_larger_than_needed(picture, detections)
    seen = [find_landmarks(picture, d, networks) for d in detections]
    try:
        face, warnings = choose_face(seen, picture, pick_largest=pick_largest)
        x0, y0, side = _crop(face, picture.shape[1], picture.shape[0])
        size = int(np.clip(np.ceil(side / 8) * 8, _SMALLEST, _LARGEST))
        scale = size / side
        points = face.points * scale
        points[:, :2] -= np.array([x0, y0]) * scale
        openness = eye_openness(points, LEFT_LIDS), eye_openness(points, RIGHT_LIDS)
        warnings += judge(picture, face, openness)
    except PhotoError as refusal:
        if refusal.reason in ("no_face", "mouth_covered"):
            _suggest_turning(picture, seen, networks)
        raise
    image = _cut(picture, x0, y0, scale, size)
    matte = _matte(picture, (x0, y0, side), size, networks)
    labels = find_labels(image, matte, points)
    if labels is None:
        warnings += (_UNLABELLED,)
    return Portrait(
        image=image,
        landmarks=points.astype(np.float32),
        matte=matte,
        crop=(x0 * factor, y0 * factor, side * factor),
        photo_size=photo_size,
        eye_openness=openness,
        warnings=warnings,
        labels=labels,
        wears_glasses=wears_glasses(image, points),
    )


def _no_larger_than_needed(
    picture: NDArray[np.uint8], detections: list[Detection]
) -> tuple[NDArray[np.uint8], list[Detection], int]:
    """The photo shrunk by a whole factor where its largest face has pixels nobody will see."""
    largest = max((d.size for d in detections), default=0.0)
    factor = int(_WANTED_SIDE * largest // _LARGEST)
    if factor < 2:
        return picture, detections, 1
    width, height = picture.shape[1] // factor, picture.shape[0] // factor
    part = picture[: height * factor, : width * factor]
    small = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
    shrunk = [Detection(d.score, d.box / factor, d.points / factor) for d in detections]
    return small, shrunk, factor


def _suggest_turning(picture: NDArray[np.uint8], upright: list[Face], networks: Networks) -> None:
    """Raise a better refusal if the photo shows its face only when turned."""
    scores = [_best_upright(upright)]
    for quarters in (1, 2, 3):
        turned = np.ascontiguousarray(np.rot90(picture, -quarters))
        detections = detect_faces(turned, networks, finest=2)
        scores.append(_best_upright([find_landmarks(turned, d, networks) for d in detections[:2]]))
    best = int(np.argmax(scores))
    if scores[best] > max(0.7, scores[0] + 0.1):
        raise PhotoError(
            "no_face",
            "no upright face in the photo, but one when it is turned; "
            f"turn it {90 * best} degrees clockwise",
        ) from None


def _best_upright(faces: list[Face]) -> float:
    """How sure the detector was of any face whose landmarks stand upright."""
    return max((f.detection.score for f in faces if f.is_upright), default=0.0)


def _crop(face: Face, width: int, height: int) -> tuple[float, float, float]:
    """(x0, y0, side) of the square about the head, inside the photo where it can be."""
    side = max(min(_WANTED_SIDE * face.height, width, height), _LEAST_SIDE * face.height)
    corner = face.centre - np.array([side / 2, side / 2 + _RAISED * face.height])
    for axis, length in ((0, width), (1, height)):
        if side <= length:
            corner[axis] = np.clip(corner[axis], 0, length - side)
    return float(corner[0]), float(corner[1]), float(side)


def _cut(
    picture: NDArray[np.uint8] | Floats, x0: float, y0: float, scale: float, size: int
) -> NDArray[np.uint8]:
    """The square at its new size; the photo's edge is repeated outside it."""
    factor = 1
    while scale * factor < 0.5:  # halve first: a warp alone would skip pixels
        factor *= 2
    if factor > 1:
        height, width = picture.shape[0] // factor, picture.shape[1] // factor
        picture = cv2.resize(
            picture[: height * factor, : width * factor],
            (width, height),
            interpolation=cv2.INTER_AREA,
        )
        x0, y0, scale = x0 / factor, y0 / factor, scale * factor
    move = np.array(
        [[1 / scale, 0, x0 + 0.5 / scale - 0.5], [0, 1 / scale, y0 + 0.5 / scale - 0.5]]
    )
    return cv2.warpAffine(
        picture,
        move,
        (size, size),
        flags=cv2.WARP_INVERSE_MAP | (cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR),
        borderMode=cv2.BORDER_REPLICATE,
    )


def _matte(
    picture: NDArray[np.uint8], crop: tuple[float, float, float], size: int, networks: Networks
) -> Floats:
    """The matte of what the photo shows; outside, its edge is repeated as the photo's is."""
    x0, y0, side = crop
    scale = size / side
    low = np.floor(np.maximum([x0, y0], 0)).astype(int)
    high = np.ceil(np.minimum([x0 + side, y0 + side], picture.shape[1::-1])).astype(int)
    part = picture[low[1] : high[1], low[0] : high[0]]
    if scale < 1:
        shrunk = np.maximum(np.round((high - low) * scale), 8).astype(int)
        part = cv2.resize(part, shrunk.tolist(), interpolation=cv2.INTER_AREA)
    matte = person_matte(part, networks)
    fit = np.array(part.shape[1::-1]) / (high - low)
    to_part = np.array(
        [
            [fit[0] / scale, 0, (x0 - low[0] + 0.5 / scale) * fit[0] - 0.5],
            [0, fit[1] / scale, (y0 - low[1] + 0.5 / scale) * fit[1] - 0.5],
        ]
    )
    return cv2.warpAffine(
        matte,
        to_part,
        (size, size),
        flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
