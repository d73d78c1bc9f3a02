"""The contact sheet of an evaluation: original, ours and their difference over time."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.evaluation.measure import ClipResult

_TILE = 192


def draw_sheet(results: Sequence[ClipResult]) -> NDArray[np.uint8]:
    """One row of three strips per clip, [H, W, 3] uint8."""
    rows = []
    columns = max((len(result.sheet) for result in results), default=1)
    for result in results:
        strips: list[list[NDArray[np.uint8]]] = [[], [], []]
        for truth, ours in result.sheet:
            difference = np.abs(truth.astype(np.int16) - ours).clip(0, 255).astype(np.uint8)
            for strip, picture in zip(strips, (truth, ours, difference), strict=True):
                strip.append(_tile(picture))
        blank = np.full((_TILE, _TILE, 3), 255, np.uint8)
        for strip in strips:
            strip += [blank] * (columns - len(strip))
            rows.append(np.hstack(strip))
        caption = np.full((22, columns * _TILE, 3), 255, np.uint8)
        text = f"{result.clip}: original, ours, difference"
        cv2.putText(
            caption, text, (6, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA
        )
        rows.insert(len(rows) - 3, caption)
    return np.vstack(rows) if rows else np.full((_TILE, _TILE, 3), 255, np.uint8)


def _tile(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(picture, (_TILE, _TILE), interpolation=cv2.INTER_AREA), np.uint8)
