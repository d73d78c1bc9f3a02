"""How well labels meet what a person drew: ``held_out.json``.

Per portrait, layers ``[class, [x0, y0, x1, y1, ...]]`` over the aligned crop of 256 pixels, later
ones above earlier ones, background beneath. These people are never trained on.
"""

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.portrait import read_portrait
from avatar_engine.portrait.convolution import Layers
from avatar_engine.portrait.labels import Alignment, label_crop
from avatar_engine.training.labels.crops import SIDE, in_photo
from avatar_engine.types import LabelKind

HELD_OUT = Path(__file__).with_name("held_out.json")
"""Drawn outlines of people kept apart."""

COMPARED = ("background", "skin", "ear", "hair", "cloth")


def read_drawn(path: Path = HELD_OUT) -> dict[str, NDArray[np.uint8]]:
    """[256, 256] of ``LabelKind`` by the portrait's name."""
    drawn = {}
    for name, layers in json.loads(path.read_text()).items():
        kinds = np.zeros((SIDE, SIDE), np.uint8)
        for kind, line in layers:
            points = np.array(line, np.int32).reshape(-1, 2)
            cv2.fillPoly(kinds, [points], (float(LabelKind[kind.upper()]),))
        drawn[name] = kinds
    return drawn


def overlaps(
    found: NDArray[np.integer], drawn: NDArray[np.integer], where: NDArray[np.bool_]
) -> dict[str, float]:
    """Intersection over union of each compared class that was drawn; beard and glasses are skin.

    Args:
        found: [S, S] of ``LabelKind``.
        drawn: The same, by hand.
        where: [S, S] pixels that count.
    """
    merged = np.arange(len(LabelKind))
    merged[[LabelKind.GLASSES, LabelKind.BEARD]] = LabelKind.SKIN
    merged[LabelKind.HEADWEAR] = LabelKind.HAIR
    ours = merged[found]
    scores = {}
    for name in COMPARED:
        kind = LabelKind[name.upper()]
        a, b = (ours == kind) & where, (drawn == kind) & where
        if b.sum() >= 20:
            scores[name] = float((a & b).sum() / max(1, (a | b).sum()))
    return scores


def score_folder(folder: Path, layers: Layers) -> dict[str, tuple[float, int]]:
    """Mean overlap, and of how many people, by class, for the drawn people in a folder."""
    scores: dict[str, list[float]] = {name: [] for name in COMPARED}
    for name, drawn in read_drawn().items():
        portrait = read_portrait(folder / f"{name}.jpg")
        share = label_crop(portrait.image, portrait.matte, portrait.landmarks, layers)
        fine = [
            cv2.resize(np.ascontiguousarray(c), (SIDE, SIDE)) for c in np.moveaxis(share, -1, 0)
        ]
        where = in_photo(portrait, Alignment.of(portrait.landmarks, SIDE))
        for kind, score in overlaps(np.argmax(fine, 0), drawn, where).items():
            scores[kind].append(score)
    return {kind: (float(np.mean(found)), len(found)) for kind, found in scores.items() if found}
