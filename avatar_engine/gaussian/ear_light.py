"""Each ear in the light that falls on it.

An ear seen edge-on, or taken from its twin, is painted; how light it is the photo still shows. On
its shaded side a head has a dark ear, and before a lamp a glowing one, whatever its cheek does.
"""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.ears import auricle
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import blur_atlas
from avatar_engine.gaussian.unwrap import Samples

_BARE = 0.6  # share of skin in a pixel that shows an ear
_LEAST = 25  # texels that tell an ear's light
_FLOOR = 0.02
_RANGE = (-0.6, 0.5)  # logarithm of light
_HUE = 0.08  # of one colour against another: through a thin rim shines what stands behind
_RIM_TEXELS = 1.5


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
    R = s.rig.resolution
    ear = auricle(s)
    shown = ear & samples.visible & (samples.bare > _BARE)
    apart = np.log(np.maximum(samples.color, _FLOOR)) - np.log(np.maximum(color, _FLOOR))
    soft = blur_atlas(ear.reshape(R, R).astype(np.float32), _RIM_TEXELS).ravel()
    unseen = s.regions.ear_weight * soft * (1 - np.clip(samples.weight, 0, 1))
    lit = color.copy()
    for is_found, side in zip(found, (s.regions.left, ~s.regions.left), strict=True):
        told = shown & side
        if not is_found or told.sum() < _LEAST:
            continue
        gain = np.median(apart[told], 0)
        light = np.clip(gain.mean(), *_RANGE)
        gain = light + np.clip(gain - gain.mean(), -_HUE, _HUE)
        lit *= np.exp((unseen * side)[:, None] * gain)
    return np.clip(lit, 0, 1)
