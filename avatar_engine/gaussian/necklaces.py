"""Necklaces and white collars that the labels took for neck.

They lie on the body, which stays when the head turns; read as skin, a pearl is drawn out along the
jaw. Skin near the throat may shine or lie in shade, but it is never both lighter and much greyer
than the throat.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.colour_rules import CLOTH, SKIN
from avatar_engine.gaussian.view import View

_LEAST_PIXELS = 300  # of a throat that says what its skin looks like
_LEAST_CHROMA = 12.0  # CIELAB; of a throat in a grey photo, or a grey beard, nothing can be told
_LIGHTER, _GREYER = 15.0, 0.7  # CIELAB's L; chroma, of the throat's
_HIGH, _LOW = 0.2, -0.02  # face heights above the chin: where they may lie, and where throats begin
_LEAST_SHARE = 0.0008  # of the square over the face
_BESIDE_PX, _EDGE_PX = 7, 5


def necklaces_as_cloth(view: View, share: NDArray[np.float32]) -> None:
    """Give what is worn round the neck to the clothes it lies on, in place.

    Args:
        view: The portrait.
        share: [S, S, 4] of each class; only skin beside clothes becomes cloth.
    """
    up = view.frame()[..., 1]
    low = (up < _HIGH) & view.inside & ~view.face_hull(grow=4)
    skin = share[..., SKIN]
    throat = (skin > 0.8) & low & (up < _LOW)
    if throat.sum() < _LEAST_PIXELS:
        return
    tone = np.median(view.lab[throat], 0)
    usual = np.hypot(*tone[1:])
    if usual < _LEAST_CHROMA:
        return
    pale = low & (skin > 0.5) & (view.lab[..., 0] > tone[0] + _LIGHTER)
    pale &= np.hypot(view.lab[..., 1], view.lab[..., 2]) < _GREYER * usual
    worn = _beside(pale, share[..., CLOTH] > 0.5, _LEAST_SHARE * view.face_width**2)
    moved = cv2.dilate(worn.astype(np.float32), np.ones((_EDGE_PX,) * 2)) * skin
    share[..., CLOTH] += moved
    share[..., SKIN] -= moved


def _beside(pale: NDArray[np.bool_], cloth: NDArray[np.bool_], least: float) -> NDArray[np.bool_]:
    """The parts of a mask of no less than so many pixels that border on cloth."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(pale.astype(np.uint8))
    near = cv2.dilate(cloth.astype(np.uint8), np.ones((_BESIDE_PX,) * 2)) > 0
    kept = np.zeros(len(stats), bool)
    kept[np.unique(parts[near])] = True
    kept &= stats[:, cv2.CC_STAT_AREA] >= least
    kept[0] = False
    return kept[parts]
