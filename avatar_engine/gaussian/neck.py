"""Where the moving head ends and the still body begins."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import blur_atlas, smoothstep
from avatar_engine.gaussian.unwrap import Samples

_NO_COLLAR_CM = -12.0


def neck_opacity(s: Sculpture, samples: Samples) -> NDArray[np.float64]:
    """[N] opacity of the skin chart towards the collar.

    The body plate shows clothing and the lowest neck; the head must not carry them along. Neck
    skin that is seen in the photo never fades above them.
    """
    R = s.rig.resolution
    zone, mean = s.regions.neck_zone, s.rig.mean
    soft = lambda a, sigma: blur_atlas(a.reshape(R, R), sigma).ravel()  # noqa: E731
    clothed = soft(np.where(zone, samples.clothed, 0), 2.2)
    under = zone & (samples.clothed > 0.6)
    collar = np.percentile(mean[under, 1], 85) if under.sum() > 60 else _NO_COLLAR_CM
    height = mean[:, 1] + 0.4 * np.minimum(mean[:, 2] - 2, 0)
    seen = smoothstep(soft(samples.weight * s.regions.skin, 1.0), 0.15, 0.4)
    above = np.maximum(smoothstep(height, collar - 2.5, collar + 1.0), seen)
    fade = np.where(zone, (1 - smoothstep(clothed, 0.2, 0.55)) * above, 1)
    fade = fade * smoothstep(s.rig.neck, 0.02, 0.22)
    around = soft(fade * s.regions.skin, 2.0)
    islands = s.regions.skin & (mean[:, 1] < -4)
    return np.where(islands, fade * smoothstep(around, 0.45, 0.8), fade)
