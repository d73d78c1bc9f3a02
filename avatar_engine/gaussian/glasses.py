"""Glasses are no skin: what shows them follows the head, and no expression moves it.

Lids behind a lens still close; the skin between them and the frame gives way.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sampling import sample
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import blur_atlas, smoothstep
from avatar_engine.types.portrait import LabelKind

_FRONT_Z = 5.0  # cm; the temples are left to the hair and the ears
_SURE, _FAINT = 0.45, 0.15
_CERTAIN, _LEAST_SHARE = 0.5, 0.02  # of the square over the face that is certainly glasses
_LIDS_FREE, _HELD_FROM = 6.0, 10.0  # texels from the gap between the lids
_ABOVE_CM, _BELOW_CM, _ASIDE_CM = 1.9, 2.7, 6.4  # of the eyes' centres: what glasses may cover


def glasses_share(s: Sculpture) -> NDArray[np.float64]:
    """[N] how far each texel shows glasses in the photo, lids left out.

    Where the portrait's labels are certain of glasses, they say where; else the place of the eyes
    does, where the portrait shows that there are some.
    """
    here = s.regions.skin & (s.rig.mean[:, 2] > _FRONT_Z)
    labelled = _labelled(s)
    if labelled is not None:
        place = labelled
    elif s.view.wears_glasses:
        place = _around_eyes(s)
    else:
        return np.zeros(len(s.chart))
    R = s.rig.resolution
    soft = blur_atlas(np.where(here, place, 0).reshape(R, R), 1.5).ravel()
    free = smoothstep(s.regions.lid_distance, _LIDS_FREE, _HELD_FROM)
    return np.where(here, np.minimum(soft, 1) * free, 0)


def _labelled(s: Sculpture) -> NDArray[np.float64] | None:
    """[N] by the portrait's labels; None when they know of no glasses."""
    if s.view.seen is None:
        return None
    label = np.ascontiguousarray(s.view.seen[..., LabelKind.GLASSES], dtype=np.float32)
    size = s.view.size
    across = s.view.face_width * label.shape[0] / size
    if (label > _CERTAIN).sum() < _LEAST_SHARE * across**2:
        return None
    shown = cv2.resize(label, (size, size), interpolation=cv2.INTER_LINEAR)[..., None]
    p = s.project(s.source_shape())
    return smoothstep(sample(shown, p)[:, 0], _FAINT, _SURE)


def _around_eyes(s: Sculpture) -> NDArray[np.float64]:
    """[N] where glasses sit on the head model's mean face."""
    x, y, _ = (s.rig.mean - s.rig.eye_centers.mean(0) * [0, 1, 1]).T.astype(np.float64)
    rows = smoothstep(y, _ABOVE_CM + 0.5, _ABOVE_CM) * smoothstep(y, -_BELOW_CM - 0.6, -_BELOW_CM)
    return np.asarray(rows * smoothstep(np.abs(x), _ASIDE_CM + 0.8, _ASIDE_CM))


def hold_still(
    modes: NDArray[np.floating],
    held: NDArray[np.float64],
    rest: NDArray[np.float64],
    source: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Take expressions away from some texels, in place; they keep their place at rest.

    Args:
        modes: [53, N, 3] cm, the last one the source residual, which makes good what the photo's
            own expression loses.
        held: [N] in [0, 1].
        rest: [52].
        source: [52].

    Returns:
        [N, 3] what must be added to the positions at expression zero.
    """
    share = held[:, None]
    at = np.nonzero(held > 0)[0]
    added = np.zeros(modes.shape[1:])
    added[at] = np.tensordot(rest, modes[:52, at], 1) * share[at]
    modes[52, at] += np.tensordot(source - rest, modes[:52, at], 1) * share[at]
    modes[:52, at] *= 1 - share[at]
    return added
