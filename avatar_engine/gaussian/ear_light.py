"""Each ear in the light that falls on it.

An ear seen edge-on, or taken from its twin, is painted; how light it is the photo still shows. On
its shaded side a head has a dark ear, and before a lamp a glowing one, whatever its cheek does.
"""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.ears import auricle
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.unwrap import Samples

_BARE = 0.6  # share of skin in a pixel that shows an ear
_LEAST = 25  # texels that tell an ear's light
_FLOOR = 0.02
_RANGE = (-0.6, 0.5)  # logarithm of colour


def ears_in_their_light(
    s: Sculpture, samples: Samples, found: tuple[bool, bool], color: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Colours [N, 3] in which what is painted of an ear has the tone of the photo's.

    Args:
        s: The head.
        samples: Of the photo.
        found: Of ``ears.fit_ears``: (left, right).
        color: [N, 3] sRGB of every texel.
    """
    shown = auricle(s) & samples.visible & (samples.bare > _BARE)
    apart = np.log(np.maximum(samples.color, _FLOOR)) - np.log(np.maximum(color, _FLOOR))
    lit = color.copy()
    for is_found, side in zip(found, (s.regions.left, ~s.regions.left), strict=True):
        told = shown & side
        if not is_found or told.sum() < _LEAST:
            continue
        gain = np.clip(np.median(apart[told], 0), *_RANGE)
        share = s.regions.ear_weight * side * (1 - np.clip(samples.weight, 0, 1))
        lit *= np.exp(share[:, None] * gain)
    return np.clip(lit, 0, 1)
