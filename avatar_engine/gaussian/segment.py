"""Which pixels are background, skin, hair and clothing, as sharp as the picture.

The portrait brings what the label network saw, coarse and without a person's own colours; here it
is drawn along the picture's edges. A portrait without labels falls back on colour rules.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.colour_model import guided
from avatar_engine.gaussian.colour_rules import (
    BACKGROUND,
    CLOTH,
    HAIR,
    SKIN,
    shares_by_colour,
)
from avatar_engine.gaussian.locks import bare_ears, clear_collar, cover_ears, lower_locks
from avatar_engine.gaussian.necklaces import necklaces_as_cloth
from avatar_engine.gaussian.view import View
from avatar_engine.types import LabelKind

__all__ = ["BACKGROUND", "CLOTH", "HAIR", "SKIN", "Labels", "segment"]

_HALF = 2  # edges are found at half the working size
_RADIUS = 3  # of the guided filter, in those pixels
_ON_FACE = (LabelKind.SKIN, LabelKind.EAR, LabelKind.GLASSES, LabelKind.BEARD)
_LEAST_EAR = 0.006  # of the square over the face
_BALD, _LONG = 0.035, 0.055  # hair above the brows, and below the ears, over the face's area


@dataclass(frozen=True, slots=True)
class Labels:
    """Shares of each class.

    Attributes:
        share: [S, S, 4] float32, sums to one; order BACKGROUND, SKIN, HAIR, CLOTH. Glasses and
            beard count as skin, headwear as hair: they move with them.
        is_bald: No hair worth a colour model was found on the scalp.
        is_long: Hair hangs down beside the face below the ears.
        skin_tone: [3] sRGB, the face's median.
        hair_tone: [3] sRGB, the hair's median; the skin's for a bald head.
        kinds: [S, S, 9] float32 shares of each ``LabelKind``; None where only colours were asked.
    """

    share: NDArray[np.float32]
    is_bald: bool
    is_long: bool
    skin_tone: NDArray[np.float64]
    hair_tone: NDArray[np.float64]
    kinds: NDArray[np.float32] | None = None

    def mask(self, which: int) -> NDArray[np.bool_]:
        """[S, S] where a class is the likeliest."""
        return self.share.argmax(-1) == which


def segment(view: View, scalp_pixels: NDArray[np.bool_], ear_pixels: NDArray[np.bool_]) -> Labels:
    """Label the portrait.

    Args:
        view: The portrait.
        scalp_pixels: [S, S] where the fitted head's scalp projects; colour rules ask for it.
        ear_pixels: [S, S] where its ears do.
    """
    kinds = None
    if view.seen is None:
        full, bald, long = shares_by_colour(view, scalp_pixels, ear_pixels)
    else:
        kinds = _along_edges(view, view.seen)
        cover_ears(view, kinds)
        full = _four(view, kinds)
        freed, ears = bare_ears(view, full)
        bald, long = _hair_style(view, freed)  # an ear taken for hair is no long hair
        if not (bald or long):
            full = freed
            _add_missed_ears(view, kinds, ears)
        clear_collar(view, full)
        necklaces_as_cloth(view, full)
        if long:
            lower_locks(view, full)
    full[..., BACKGROUND] = np.maximum(full[..., BACKGROUND], 1 - np.clip(view.matte * 1.6, 0, 1))
    person = full[..., 1:].sum(-1)
    full[..., 1:] *= ((1 - full[..., BACKGROUND]) / np.maximum(person, 1e-6))[..., None]
    full[..., BACKGROUND] = 1 - full[..., 1:].sum(-1)
    tone = np.median(view.image[_bare_face(view, full)], 0)
    certain = (full[..., HAIR] > 0.8) & (view.matte > 0.95)
    hair = tone if bald or certain.sum() < 160 else np.median(view.image[certain], 0)
    return Labels(full, bald, long, tone.astype(np.float64), hair.astype(np.float64), kinds)


def _along_edges(view: View, seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """The network's shares at the working size, their borders moved to the picture's edges."""
    size = view.size // _HALF
    lab = cv2.resize(view.lab, (size, size), interpolation=cv2.INTER_AREA)
    guide = lab[..., 0] / 100
    parts = []
    for kind in range(seen.shape[-1]):
        part = cv2.resize(
            np.ascontiguousarray(seen[..., kind]), (size, size), interpolation=cv2.INTER_LINEAR
        )
        if part.max() > 0.05:
            part = guided(guide, part, _RADIUS)
        part = cv2.resize(part, (view.size, view.size), interpolation=cv2.INTER_LINEAR)
        parts.append(part * np.sqrt(part))
    total = np.maximum(np.sum(parts, 0), 1e-6)
    return cv2.merge([part / total for part in parts])


def _add_missed_ears(view: View, kinds: NDArray[np.float32], ears: NDArray[np.float32]) -> None:
    """Turn hair into ear, in place, on the sides where the network saw no ear at all."""
    across = view.frame()[..., 0]
    for side in (across > 0, across < 0):
        seen = ((kinds[..., LabelKind.EAR] > 0.5) & side).sum()
        if seen < _LEAST_EAR * view.face_width**2:
            kinds[..., LabelKind.EAR] += ears * side
            kinds[..., LabelKind.HAIR] -= ears * side


def _four(view: View, kinds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shares [S, S, 4] of what moves together."""
    share = np.empty((*kinds.shape[:2], 4), np.float32)
    share[..., BACKGROUND] = kinds[..., LabelKind.BACKGROUND]
    share[..., SKIN] = kinds[..., list(_ON_FACE)].sum(-1)
    share[..., HAIR] = kinds[..., LabelKind.HAIR] + kinds[..., LabelKind.HEADWEAR]
    share[..., CLOTH] = kinds[..., LabelKind.CLOTH]
    # Earrings hang on the head, necklaces lie on the body.
    other = kinds[..., LabelKind.OTHER]
    above = view.frame()[..., 1] > 0.05
    share[..., SKIN] += other * above
    share[..., CLOTH] += other * ~above
    return share


def _hair_style(view: View, share: NDArray[np.float32]) -> tuple[bool, bool]:
    """Is the head bald, is its hair long."""
    frame = view.frame()
    u, v = np.abs(frame[..., 0]), frame[..., 1]
    face = max(1, int(view.face_hull().sum()))
    hair = (share[..., HAIR] > 0.5) & view.inside
    on_top = float((hair & (v > 0.7)).sum()) / face
    below = float((hair & (v < 0.3) & (u > 0.36)).sum()) / face
    return on_top + below < _BALD, below > _LONG


def _bare_face(view: View, share: NDArray[np.float32]) -> NDArray[np.bool_]:
    """[S, S] the face's own skin, features left out."""
    frame = view.frame()
    u, v = np.abs(frame[..., 0]), frame[..., 1]
    hull = view.face_hull(grow=-6)
    bare = hull & (v > 0.2) & (v < 0.8) & (u < 0.4) & (share[..., SKIN] > 0.8)
    return bare if bare.sum() > 200 else hull
