"""The head grown to the photo's outline where the photo shows more of it: a wider cheek, a larger
ear, a fuller temple.

What the surface leaves uncovered would have to hang beside it as a flat sliver, and a sliver of
ear floats beside the ear as soon as the head turns.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from avatar_engine.gaussian.masks import dilated, opened
from avatar_engine.gaussian.sampling import sample
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import HAIR, SKIN, Labels
from avatar_engine.gaussian.smooth import blur_image, distance, smoothstep
from avatar_engine.gaussian.zbuffer import nearest
from avatar_engine.types import LabelKind

_ROUNDS = 3
_LOWEST = (0.28, 0.42)  # face heights above the chin; beside the jaw it is the neck that shows
_WIDEST = 0.06  # face widths; what is wider is a volume of hair, not a rim
_REACH = 2.6  # times the widest: how far into the face the surface stretches
_SPLAT_PX = 1.5  # a texel's own width reaches the outline from here
_SOFT = 0.04  # face widths
_AROUND_PX = 32


def grow_to_outline(s: Sculpture, labels: Labels) -> None:
    """Move the head's rim outward to the photo's, smoothly over the picture.

    Args:
        s: The carved head.
        labels: Of the photo; long hair beside the head is no rim of it.
    """
    view = s.view
    widest = _WIDEST * view.face_width
    height = view.frame()[..., 1]
    own = labels.share[..., SKIN] + (0 if labels.is_long else labels.share[..., HAIR])
    ear = labels.kinds[..., LabelKind.EAR] if labels.kinds is not None else 0 * own
    person = view.inside & ~view.spilled & (own > 0.5) & (height > _LOWEST[0])
    apart = blur_image(ear, 2.0) < 0.2
    high = smoothstep(height, *_LOWEST)
    for k in range(_ROUNDS):
        is_first = k == 0  # ears have their own place already; the head comes to meet them
        p = s.project(s.source_shape())
        covered = nearest(p, s.regions.triangles, width=view.size, height=view.size).covered
        missing = person & ~covered & (apart | (not is_first))
        wide = opened(missing, max(1, round(widest / 2)))
        missing &= ~dilated(wide, 3)
        box = _box(covered | missing)  # elsewhere nothing moves
        field = _field(covered[box], missing[box], widest) * high[box][..., None]
        move = blur_image(field, _SOFT * view.face_width)
        follows = s.regions.skin * smoothstep(s.rig.neck, 0.3, 0.6)
        follows *= 1 - is_first * s.regions.ear_weight
        at = p[:, :2] - [box[1].start, box[0].start]
        s.offset += s.lift(sample(move, at) * follows[:, None], p[:, 2])


def _box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Rows and columns of what is true, and some around it."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    if not len(rows):
        return slice(0, 1), slice(0, 1)
    return (
        slice(max(rows[0] - _AROUND_PX, 0), rows[-1] + 1 + _AROUND_PX),
        slice(max(columns[0] - _AROUND_PX, 0), columns[-1] + 1 + _AROUND_PX),
    )


def _field(
    covered: NDArray[np.bool_], missing: NDArray[np.bool_], widest: float
) -> NDArray[np.float64]:
    """Pixels [S, S, 2] by which the picture of the head is to move."""
    whole = covered | missing
    far, (iy, ix) = distance_transform_edt(whole, return_indices=True)
    inner = distance(covered)
    gap = np.clip(far - inner - _SPLAT_PX, 0, widest) * covered
    gap *= smoothstep(inner, _REACH * widest, 0.0)
    yy, xx = np.indices(whole.shape)
    outward = np.stack([ix - xx, iy - yy], -1) / np.maximum(far, 1.0)[..., None]
    # Beyond the rim the field goes on, so that blurring does not weaken it there.
    _, (jy, jx) = distance_transform_edt(~covered, return_indices=True)
    return (gap[..., None] * outward)[jy, jx]
