"""Finding faces: anchors, overlapping tiles, weighted non-maximum suppression."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.portrait.networks import Networks
from avatar_engine.portrait.regions import Region

_INPUT = 128
_LOOKED_AT = 1024  # tiles of a quarter still have twice the pixels that the network sees
_LEAST_SCORE, _SURE = 0.5, 0.75
_SAME_FACE_OVERLAP = 0.3  # intersection over union, as the network was evaluated


@dataclass(frozen=True, slots=True)
class Detection:
    """A face as the detector sees it, in pixels of the picture.

    Attributes:
        score: Probability.
        box: (x0, y0, x1, y1), brows to chin.
        points: [6, 2] the subject's right eye, left eye, nose tip, mouth, right ear, left ear.
    """

    score: float
    box: NDArray[np.float64]
    points: NDArray[np.float64]

    @property
    def size(self) -> float:
        """The longer side of the box."""
        return float((self.box[2:] - self.box[:2]).max())


def detect_faces(
    picture: NDArray[np.uint8], networks: Networks, *, finest: int = 4
) -> list[Detection]:
    """All faces that a look at the whole, its halves and if need be its quarters shows.

    The network sees 128 pixels, in which a face must take about a tenth. Overlapping tiles find
    the smaller ones: half the picture each always, a quarter each while nothing is sure. What is
    found small is looked at again from near, where its box is exact.

    Args:
        picture: [H, W, 3] uint8.
        networks: What detects.
        finest: Parts per side of the smallest tiles: 1, 2 or 4.

    Returns:
        The strongest first, in pixels of ``picture``.
    """
    height, width = picture.shape[:2]
    factor = max(1, max(height, width) // _LOOKED_AT)
    small = picture
    if factor > 1:  # shrunk once, for all tiles
        size = max(1, width // factor), max(1, height // factor)
        part = picture[: size[1] * factor, : size[0] * factor]
        small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    found: list[Detection] = []
    for parts in (1, 2, 4):
        if parts > finest or (parts == 4 and any(d.score >= _SURE for d in found)):
            break
        for tile in _tiles(small.shape[1], small.shape[0], parts):
            found += _detect(small, tile, networks, _LEAST_SCORE)
    merged = _merged(found)
    if factor > 1:
        merged = [Detection(d.score, d.box * factor, d.points * factor) for d in merged]
    return _merged([_from_near(picture, d, networks) for d in merged])


def _from_near(picture: NDArray[np.uint8], far: Detection, networks: Networks) -> Detection:
    """The same face where it fills a third of what the network sees."""
    x, y = (far.box[:2] + far.box[2:]) / 2
    near = _detect(picture, Region(float(x), float(y), 3 * far.size), networks, 0.3)
    same = [d for d in _merged(near) if _overlap(d.box, far.box) > 0.1]
    best = max(same, key=lambda d: d.score, default=far)
    return best if best.score > far.score else far


def _tiles(width: int, height: int, parts: int) -> list[Region]:
    """Squares of the longer side's 1/parts, half overlapping, that cover the picture."""
    longest = max(width, height)
    side = longest / parts
    if parts == 1:
        return [Region(width / 2, height / 2, longest)]
    if side < _INPUT:
        return []

    def centres(length: int) -> NDArray[np.float64]:
        if length <= side:
            return np.array([length / 2])
        return np.linspace(
            side / 2, length - side / 2, int(np.ceil(2 * (length - side) / side)) + 1
        )

    return [Region(x, y, side) for y in centres(height) for x in centres(width)]


def _detect(
    picture: NDArray[np.uint8], tile: Region, networks: Networks, least_score: float
) -> list[Detection]:
    pixels = tile.cut(picture, _INPUT, repeat_edge=False)
    raw, logits = networks.detect(pixels / np.float32(127.5) - 1)
    scores = 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
    kept = scores >= least_score
    shifted = raw[kept] / _INPUT
    anchors = _anchors()[kept]
    centre, extent = shifted[:, :2] + anchors, shifted[:, 2:4]
    points = shifted[:, 4:].reshape(-1, 6, 2) + anchors[:, None]
    corner = np.array([tile.x, tile.y]) - tile.size / 2
    boxes = np.c_[centre - extent / 2, centre + extent / 2] * tile.size + np.tile(corner, 2)
    return [
        Detection(float(score), box, p * tile.size + corner)
        for score, box, p in zip(scores[kept], boxes, points, strict=True)
    ]


@cache
def _anchors() -> NDArray[np.float64]:
    """[896, 2] anchor centres in [0, 1]: two per cell of 16 x 16, six per cell of 8 x 8."""
    layers = []
    for cells, each in ((16, 2), (8, 6)):
        rows, columns = np.mgrid[:cells, :cells]
        centres = (np.stack([columns, rows], -1).reshape(-1, 2) + 0.5) / cells
        layers.append(np.repeat(centres, each, axis=0))
    return np.concatenate(layers)


def _merged(found: list[Detection]) -> list[Detection]:
    """Overlapping detections become their mean, weighted by score."""
    waiting = sorted(found, key=lambda d: -d.score)
    merged = []
    while waiting:
        best = waiting[0]
        same = [d for d in waiting if d is best or _overlap(d.box, best.box) > _SAME_FACE_OVERLAP]
        weights = np.array([d.score for d in same])
        merged.append(
            Detection(
                best.score,
                np.average([d.box for d in same], axis=0, weights=weights),
                np.average([d.points for d in same], axis=0, weights=weights),
            )
        )
        waiting = [d for d in waiting if not any(d is s for s in same)]
    return merged


def _overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    if (sides <= 0).any():
        return 0.0
    shared = float(sides.prod())
    return shared / float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - shared)
