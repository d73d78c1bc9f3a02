"""Grey and sepia photos: what is guessed takes the photo's one tone, even a tongue."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.view import View
from avatar_engine.types import HeadMaps

_SPREAD = 2.5 / 255
"""Chroma of a face in colour differs by more than this: lips from cheeks, eyes from both."""
_LUMA = np.array([0.299, 0.587, 0.114])


def in_the_photos_tone(maps: HeadMaps, view: View) -> HeadMaps:
    """Colours and tints of a photo that knows one tone only brought to that tone.

    Args:
        maps: Complete.
        view: The photo.
    """
    face = view.image[view.face_hull()].astype(np.float64)
    if len(face) < 16:
        return maps
    luma = face @ _LUMA
    lines = np.stack([luma, np.ones_like(luma)], 1)
    tone, *_ = np.linalg.lstsq(lines, face - luma[:, None], rcond=None)
    strays = face - luma[:, None] - lines @ tone
    if np.sqrt((strays**2).mean(0)).max() > _SPREAD:
        return maps

    def toned(color: NDArray[np.float32]) -> NDArray[np.float32]:
        own = color.astype(np.float64) @ _LUMA
        line = np.stack([own, np.ones_like(own)], 1)
        return np.clip(own[:, None] + line @ tone, 0, 1).astype(np.float32)

    colors = toned(maps.colors)
    n = len(maps.tints)
    tints = toned(maps.colors[:n] + maps.tints) - colors[:n]
    return replace(maps, colors=colors, tints=tints)
