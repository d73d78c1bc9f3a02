"""Where hair, neck and clothes meet: decided by the person's own colours.

The label network has seen few locks on jackets and ends them at the collar. Which way a lock goes
on is told by the person's own colours: hair where it is sure against cloth where that is sure.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from avatar_engine.gaussian.colour_model import Mixture, guided
from avatar_engine.gaussian.colour_rules import CLOTH, HAIR, SKIN
from avatar_engine.gaussian.smooth import smoothstep
from avatar_engine.gaussian.view import View
from avatar_engine.types import LabelKind

_HALF = 2  # colours are compared at half the working size
_HIGHEST, _WIDEST = 0.12, 0.95  # of the zone: above the chin, and to the sides
_LEAST = 150  # pixels for a colour model
_SURE = 0.8
_UNLIKE = 4.0  # logarithm below hair's usual density at which cloth is certainly not hair
_APART = (0.5, 2.5)  # logarithm by which hair must be likelier than cloth
_ROUNDS = 2
_FACE_LOW = 0.08  # face heights above the chin
_COLLAR_RISE = 0.2
_LEAST_EAR, _HIDDEN = 40, 0.6  # pixels; share of them that looks like hair
_EAR_LOW = (0.2, 0.3)  # face heights above the chin


_Floats = NDArray[np.float32]
_Doubles = NDArray[np.float64]


def _halved(view: View, share: NDArray[np.float32]) -> tuple[_Floats, _Floats, _Doubles, _Doubles]:
    """Shares and Lab at half the working size; face widths beside and heights above the chin."""
    size = view.size // _HALF
    yy, xx = np.mgrid[0:size, 0:size]
    frame = view.face_frame((np.stack([xx, yy], -1) + 0.5) * _HALF)
    return _resized(share, size), _resized(view.lab, size), np.abs(frame[..., 0]), frame[..., 1]


def _resized(image: _Floats, size: int) -> _Floats:
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def lower_locks(view: View, share: NDArray[np.float32]) -> None:
    """Give hair its locks on the chest and shoulders back, in place.

    Args:
        view: The portrait.
        share: [S, S, 4] by the network; only cloth becomes hair.
    """
    small, lab, u, v = _halved(view, share)
    matte = _resized(view.matte, len(lab))
    colour = lab * np.array([0.7, 1.0, 1.0])
    hair = (small[..., HAIR] > _SURE) & (matte > 0.9) & (v < 0.9)
    cloth = (small[..., CLOTH] > _SURE) & (matte > 0.9)
    if hair.sum() < _LEAST or cloth.sum() < _LEAST:
        return
    beside = cloth & (u > _WIDEST)  # no lock hangs here: what has its colours is cloth as well
    zone = (v < _HIGHEST) & (u < _WIDEST) & (matte > 0.5) & (small[..., CLOTH] > 0.05)
    guide = lab[..., 0] / np.float32(100)
    lock = np.zeros(lab.shape[:2], np.float32)
    for _ in range(_ROUNDS):
        known = hair | (lock > _SURE)
        of_hair = Mixture.fitted(colour[known], 5).log_density(colour)
        usual = float(np.percentile(of_hair[known], 10))
        # What the network calls cloth holds the very locks looked for.
        plain = (cloth & (of_hair < usual - _UNLIKE) & (lock < 0.2)) | beside
        if plain.sum() < _LEAST:
            return
        of_cloth = Mixture.fitted(colour[plain], 5).log_density(colour)
        like = smoothstep(of_hair - of_cloth, *_APART) * smoothstep(of_hair, usual - 4, usual - 1)
        lock = guided(guide, (like * zone).astype(np.float32), 4)
        parts, _ = label(((lock > 0.4) & zone) | (small[..., HAIR] > 0.3))
        held = np.isin(parts, np.unique(parts[hair])) & (parts > 0)
        lock = smoothstep(lock, 0.25, 0.65) * cv2.dilate(
            held.astype(np.uint8), np.ones((3, 3), np.uint8)
        )
    moved = cv2.resize(lock, (view.size, view.size), interpolation=cv2.INTER_LINEAR)
    moved = moved * share[..., CLOTH]
    share[..., HAIR] += moved
    share[..., CLOTH] -= moved


def clear_collar(view: View, share: NDArray[np.float32]) -> None:
    """Give a collar that the network took for neck back to the clothes, in place.

    Args:
        view: The portrait.
        share: [S, S, 4] by the network; only skin below the chin becomes cloth.
    """
    small, lab, u, v = _halved(view, share)
    # The face alone: further down the very collar looked for may be called skin.
    skin = (small[..., SKIN] > _SURE) & (v < 0.7) & (v > _FACE_LOW) & (u < 0.4)
    cloth = (small[..., CLOTH] > _SURE) & (v > -0.9)
    if skin.sum() < _LEAST or cloth.sum() < _LEAST:
        return
    colour = lab * np.array([0.4, 1.0, 1.0])  # a neck lies in its chin's shade
    of_skin = Mixture.fitted(colour[skin], 4).log_density(colour)
    of_cloth = Mixture.fitted(colour[cloth], 5).log_density(colour)
    usual = float(np.percentile(of_skin[skin], 10))
    like = smoothstep(of_cloth - of_skin, 1.5, 4.0) * smoothstep(of_skin, usual - 1, usual - 4)
    high = _COLLAR_RISE * smoothstep(u, 0.25, 0.45)  # beside the neck collars stand higher
    zone = smoothstep(v - high, 0.02, -0.06)
    near = cv2.dilate((small[..., CLOTH] > 0.5).astype(np.uint8), np.ones((15, 15), np.uint8))
    collar = guided(lab[..., 0] / np.float32(100), (like * zone * near).astype(np.float32), 2)
    moved = cv2.resize(collar, (view.size, view.size), interpolation=cv2.INTER_LINEAR)
    moved = moved * share[..., SKIN]
    share[..., CLOTH] += moved
    share[..., SKIN] -= moved


def bare_ears(view: View, share: NDArray[np.float32]) -> tuple[_Floats, _Floats]:
    """Ears that the network took for short hair given back to the skin.

    Args:
        view: The portrait.
        share: [S, S, 4] by the network; only hair beside the face becomes skin.

    Returns:
        Shares [S, S, 4], and how much of each pixel's hair is ear [S, S].
    """
    small, lab, u, v = _halved(view, share)
    zone = (u > 0.4) & (u < 0.75) & (v > 0.1) & (v < 0.78) & (small[..., HAIR] > 0.05)
    nearer = _nearer_skin(small[..., SKIN], small[..., HAIR], lab, v, zone)
    if nearer is None:
        return share, np.zeros(share.shape[:2], np.float32)
    like = np.zeros(lab.shape[:2], np.float32)
    like[zone] = smoothstep(nearer, 1.5, 4.0)
    ear = guided(lab[..., 0] / np.float32(100), like, 2)
    beside = ear * smoothstep(v, *_EAR_LOW)  # further down it is neck
    wide = lambda a: cv2.resize(  # noqa: E731
        a.astype(np.float32), (view.size, view.size), interpolation=cv2.INTER_LINEAR
    )
    moved = wide(ear) * share[..., HAIR]
    freed = share.copy()
    freed[..., SKIN] += moved
    freed[..., HAIR] -= moved
    return freed, wide(beside) * share[..., HAIR]


def cover_ears(view: View, kinds: NDArray[np.float32]) -> None:
    """Give hair that the network took for an ear back, in place: an ear is hidden as a whole.

    Args:
        view: The portrait.
        kinds: [S, S, 9] shares of each ``LabelKind``.
    """
    small, lab, u, v = _halved(view, kinds)
    ear = small[..., LabelKind.EAR]
    zone = (ear > 0.2) & (u > 0.4)
    nearer = _nearer_skin(small[..., LabelKind.SKIN], small[..., LabelKind.HAIR], lab, v, zone)
    if nearer is None:
        return
    across = view.frame()[..., 0]
    at_zone = _resized(across.astype(np.float32), len(ear))[zone]
    for side in (1, -1):
        here = at_zone * side > 0
        is_hair = nearer[here] < -_APART[0]
        if here.sum() > _LEAST_EAR and is_hair.mean() > _HIDDEN:
            moved = kinds[..., LabelKind.EAR] * (across * side > 0)
            kinds[..., LabelKind.HAIR] += moved
            kinds[..., LabelKind.EAR] -= moved


def _nearer_skin(
    skin: _Floats, hair: _Floats, lab: _Floats, v: _Doubles, zone: NDArray[np.bool_]
) -> _Doubles | None:
    """How much likelier [zone] colours are the face's than the scalp's hair, as logarithms."""
    face = (skin > _SURE) & (v < 0.7) & (v > _FACE_LOW)
    scalp = (hair > _SURE) & (v > 0.8)
    if min(face.sum(), scalp.sum()) < _LEAST or not zone.any():
        return None
    colour = lab * np.array([0.7, 1.0, 1.0])
    of_skin, of_hair = (
        Mixture.fitted(colour[m], 4).log_density(colour[zone]) for m in (face, scalp)
    )
    return of_skin - of_hair
