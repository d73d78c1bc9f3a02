"""Does the person wear glasses? A small learned look at the edges about the eyes.

Rims, lenses' glare, bridge and temples have edges where bare faces have none; a weighted sum of
edge strengths by place and direction tells the two apart.
"""

from functools import cache
from math import log
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.portrait.labels import Alignment
from avatar_engine.weights import load_weights

WEIGHTS = Path(__file__).parent / "models" / "glasses_check.safetensors"

SURE = log(0.8 / 0.2)
"""Logarithm of the odds from which on a person counts as wearing glasses."""

_CROP = 256  # pixels of the upright crop: eyes are some 40 of them apart
_EYES = ((33, 133), (362, 263))  # corners of the picture's left and right eye
_WIDTH, _HEIGHT, _APART = 96, 48, 40.0  # pixels of the strip; between the eyes' middles
_EYES_AT = 0.42  # of the strip's height
_CELL, _DIRECTIONS = 6, 6


def wears_glasses(picture: NDArray[np.uint8], points: NDArray[np.floating]) -> bool:
    """Whether the person wears glasses.

    Args:
        picture: [H, W, 3] uint8 sRGB.
        points: [468+, 2+] landmarks in its pixels.
    """
    weights = _weights()
    logit = float(weights["w"] @ glasses_features(picture, points) + weights["b"][0])
    return logit > SURE


def glasses_features(
    picture: NDArray[np.uint8], points: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Edge strengths by direction and cell about the eyes, [768]; a mirrored face has the same."""
    where = Alignment.of(points, _CROP)
    light = cv2.cvtColor(_strip(where.cut(picture), where.points(points)), cv2.COLOR_RGB2LAB)[
        ..., 0
    ]
    both = [_edges(np.ascontiguousarray(seen, np.float32)) for seen in (light, light[:, ::-1])]
    return np.asarray(sum(both) / 2, np.float32)


def _strip(crop: NDArray[np.uint8], points: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The eyes and what is around them, level and of one size."""
    right, left = (points[list(corners), :2].mean(0) for corners in _EYES)
    along = left - right
    c, s = along * (_APART / float(along @ along))
    move = np.array([[c, s, 0], [-s, c, 0]])
    move[:, 2] = [_WIDTH / 2, _HEIGHT * _EYES_AT] - move[:, :2] @ ((right + left) / 2)
    return np.asarray(cv2.warpAffine(crop, move, (_WIDTH, _HEIGHT)), np.uint8)


def _edges(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Edge strength per direction (without sign) and cell, normalised as a whole."""
    dx, dy = (cv2.Sobel(light, cv2.CV_32F, *way, scale=0.25) for way in ((1, 0), (0, 1)))
    strength = np.hypot(dx, dy)
    turn = (np.arctan2(dy, dx) % np.pi) * (_DIRECTIONS / np.pi)
    size = _WIDTH // _CELL, _HEIGHT // _CELL
    cells = []
    for k in range(_DIRECTIONS):
        away = np.abs(turn - k)
        share = np.maximum(0, 1 - np.minimum(away, _DIRECTIONS - away))
        cells.append(cv2.resize(strength * share, size, interpolation=cv2.INTER_AREA))
    found = np.stack(cells)
    whole = np.sqrt((found**2).sum(0).mean() + 1)
    return np.asarray(found.ravel() / whole, np.float32)


@cache
def _weights() -> dict[str, NDArray[np.float32]]:
    tensors = load_weights(WEIGHTS).tensors
    return {name: np.asarray(tensors[name], np.float32) for name in ("w", "b")}
