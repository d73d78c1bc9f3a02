"""Beards go on where the photo does not show them: round the jaw and under it.

Filled like skin, the unseen jaw of a bearded face would be a smear of both. It is decided for one
of them instead, and what is beard bristles as the beard that is seen.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.relax import bearded
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import fill, smoothstep
from avatar_engine.gaussian.strands import contrast_of, strands

_LOW_Y_CM = (-4.0, -5.0)  # moustaches and cheeks do not go on beyond the jaw
_CHIN_X_CM, _CHIN_Z_CM = 2.5, 7.0
_LEAST = 0.5  # of the chin; less is the grain of a photo
_SURE = 0.3  # trust in a texel whose bristles count
_EDGE = (0.35, 0.65)
_SHORT = 0.25  # strands


def beard_share(
    s: Sculpture, color: NDArray[np.floating], trust: NDArray[Any]
) -> NDArray[np.float64]:
    """How surely a seen texel of jaw or throat is beard [N]; 0 all over where no chin is.

    Args:
        s: The head.
        color: [N, 3] sRGB, fused.
        trust: [N] in it.
    """
    R = s.rig.resolution
    x, y, z = s.rig.mean.T
    seen = s.regions.skin & (s.regions.lip_depth > 1.0) & (trust > _SURE)
    low = seen * smoothstep(y, *_LOW_Y_CM)
    chin = (low > 0.5) & (np.abs(x) < _CHIN_X_CM) & (z > _CHIN_Z_CM)
    light = np.where(seen, color.mean(1), 0).reshape(R, R).astype(np.float32)
    share = bearded(light, seen.reshape(R, R))
    if not chin.any() or share[chin].mean() < _LEAST:
        return np.zeros(len(share))
    return share * low


def grown_beard(
    bare: NDArray[np.floating],
    weight: NDArray[np.floating],
    beard: NDArray[np.float64],
    skin: NDArray[np.floating],
) -> NDArray[np.floating]:
    """Colours [R, R, 3] of a face whose unseen jaw is skin or beard, whichever is nearer.

    Args:
        bare: [R, R, 3] logarithms of colour, the light taken out.
        weight: [R, R] how surely each is known.
        beard: [N] of :func:`beard_share`.
        skin: [R, R, 3] the same without the beard, filled.
    """
    R = len(weight)
    share = beard.reshape(R, R)
    hair = fill(bare, weight * share)
    near = fill(share[..., None], weight)[..., 0]
    bristles = strands((R, R), length=_SHORT, contrast=contrast_of(np.exp(bare), share > 0.5))
    edge = smoothstep(near, *_EDGE)[..., None]
    return skin + edge * (hair + np.log(bristles)[..., None] - skin)
