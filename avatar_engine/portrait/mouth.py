"""Is the mouth in sight? A small learned look at the lower face.

A mesh is found under a mask or a hand as well: the network fills in what it cannot see. So the
lower face is judged by itself: the directions of its edges (lips, teeth and beards have their own,
cloth and fingers others) and its colours against the skin between the eyes.
"""

from functools import cache
from math import atan2
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.portrait.regions import Region
from avatar_engine.weights import load_weights

WEIGHTS = Path(__file__).parent / "models" / "mouth_check.safetensors"

_SIDE = 48
_CELL = 8
_DIRECTIONS = 8
_SPAN = 1.35  # of the square, in distances between the outer eye corners
_SKIN = (6, 197, 195, 5, 9, 50, 280, 117, 346)  # nose bridge, upper cheeks: above any mask's rim
_LIPS = (61, 291, 13, 14)


def mouth_covered(picture: NDArray[np.uint8], points: NDArray[np.floating]) -> float:
    """Probability that something hides the mouth.

    Args:
        picture: [H, W, 3] uint8 sRGB.
        points: [468+, 3] landmarks in its pixels.
    """
    weights = _weights()
    hidden = np.maximum(weights["w1"] @ mouth_features(picture, points) + weights["b1"], 0)
    logit = float(weights["w2"] @ hidden + weights["b2"][0])
    return float(1 / (1 + np.exp(-np.clip(logit, -60, 60))))


def mouth_features(picture: NDArray[np.uint8], points: NDArray[np.floating]) -> NDArray[np.float32]:
    """What the judgement sees: edge directions per cell, then colours per cell, [484]."""
    eyes = points[263, :2] - points[33, :2]
    centre = points[list(_LIPS), :2].mean(0)
    distance = float(np.linalg.norm(eyes))
    region = Region(
        float(centre[0]), float(centre[1]), _SPAN * distance, atan2(float(eyes[1]), float(eyes[0]))
    )
    lab = cv2.cvtColor(region.cut(picture, _SIDE) / np.float32(255), cv2.COLOR_RGB2LAB)
    skin = np.median(_skin(picture, points, distance), axis=0)
    return np.concatenate([_directions(lab[..., 0]), _colours(lab, skin), skin / 100]).astype(
        np.float32
    )


def _skin(
    picture: NDArray[np.uint8], points: NDArray[np.floating], distance: float
) -> NDArray[np.float32]:
    """Lab colours of small squares on the upper face, [P, 3]."""
    patches = [
        Region(float(points[k, 0]), float(points[k, 1]), 0.12 * distance).cut(picture, 4)
        for k in _SKIN
    ]
    return cv2.cvtColor(np.concatenate(patches) / np.float32(255), cv2.COLOR_RGB2LAB).reshape(-1, 3)


def _directions(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Histograms of edge direction (without sign) per cell, normalised as a whole."""
    dx, dy = cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)
    strength = np.hypot(dx, dy)
    turn = (np.arctan2(dy, dx) % np.pi) * (_DIRECTIONS / np.pi)
    low = np.floor(turn).astype(int) % _DIRECTIONS
    share = turn - np.floor(turn)
    bins = np.zeros((*light.shape, _DIRECTIONS), np.float32)
    np.put_along_axis(bins, low[..., None], (strength * (1 - share))[..., None], -1)
    high = (low + 1) % _DIRECTIONS
    np.put_along_axis(bins, high[..., None], (strength * share)[..., None], -1)
    cells = _pooled(bins, _CELL)
    cells = np.sqrt(cells / (np.linalg.norm(cells) + 1e-6))
    return np.append(cells.ravel(), np.log1p(strength.mean()) / 4).astype(np.float32)


def _colours(lab: NDArray[np.float32], skin: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean colour per 6 x 6 pixels, against the skin's."""
    return ((_pooled(lab, 6) - skin) * np.array([0.02, 0.05, 0.05])).ravel()


def _pooled(values: NDArray[np.float32], cell: int) -> NDArray[np.float32]:
    rows, columns = values.shape[0] // cell, values.shape[1] // cell
    return values.reshape(rows, cell, columns, cell, -1).mean((1, 3))


@cache
def _weights() -> dict[str, NDArray[np.float32]]:
    tensors = load_weights(WEIGHTS).tensors
    return {name: np.asarray(tensors[name], np.float32) for name in ("w1", "b1", "w2", "b2")}
