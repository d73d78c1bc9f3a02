"""Lids: at full blink the upper meets the lower, whatever the eye's shape."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import blur_atlas, smoothstep
from avatar_engine.gaussian.unwrap import texel_area
from avatar_engine.types import ARKIT_INDEX

_LIDS = (
    ([398, 384, 385, 386, 387, 388, 466], [382, 381, 380, 374, 373, 390, 249]),
    ([173, 157, 158, 159, 160, 161, 246], [155, 154, 153, 145, 144, 163, 7]),
)
_UPPER_SHARE = 0.85
_OVERLAP_CM = 0.05


def folded_lids(s: Sculpture) -> NDArray[np.float64]:
    """[N] 1 where a lid lies folded in the photo and unfolds when the eye closes.

    What the photo shows there is lashes, liner and the crease; stretched over the closed lid they
    would make rings. The lash line itself stays.
    """
    weights = s.rest.copy()
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        weights[ARKIT_INDEX[name]] = 1.0
    shown = texel_area(s, s.project(s.source_shape()))
    closed = texel_area(s, s.project(s.shape(weights)))
    unfolds = smoothstep(closed / np.maximum(shown, 0.02), 1.3, 2.0)
    place = smoothstep(s.regions.lid_distance, 2.0, 3.5) * (s.regions.lid_distance < 18)
    R = s.rig.resolution
    lids = np.where(s.regions.skin & s.regions.above_lids, unfolds * place, 0)
    soft = blur_atlas(lids.reshape(R, R), 1.2).ravel()
    return np.where(s.regions.skin, np.minimum(soft, smoothstep(s.regions.lid_distance, 1.5, 3)), 0)


def close_lids(s: Sculpture) -> None:
    """Bake correctives into the blink modes, and compensate them in the source view."""
    for eye, (upper, lower) in enumerate(_LIDS):
        k = ARKIT_INDEX[("eyeBlinkLeft", "eyeBlinkRight")[eye]]
        weights = s.rest.copy()
        weights[k] = 1.0
        for _ in range(2):  # the lids slide on the ball, so the first try falls short
            x = s.shape(weights)
            marks = s.rig.landmarks(x)
            gap = np.maximum(marks[upper, 1] - marks[lower, 1] + _OVERLAP_CM, 0)
            centre = marks[upper].mean(0)
            near = np.nonzero(
                s.regions.skin & (np.abs(x[:, 0] - centre[0]) < 2.6)
                & (np.abs(x[:, 1] - centre[1]) < 2.2) & (x[:, 2] > 7)
            )[0]  # fmt: skip
            above = s.regions.above_lids[near]
            for marks_of, move, on in (
                (marks[upper], -_UPPER_SHARE * gap, above),
                (marks[lower], (1 - _UPPER_SHARE) * gap, ~above),
            ):
                d = (x[near, None, :2] - marks_of[None, :, :2]) / [0.35, 0.55]
                d2 = (d**2).sum(-1)
                kernel = np.exp(-0.5 * d2)
                total = kernel.sum(1)
                shift = (kernel * move).sum(1) / np.maximum(total, 1e-4) * np.minimum(1, 4 * total)
                fade = np.exp(-0.25 * np.maximum(d2.min(1) - 1, 0))
                s.blink[eye][near, 1] += np.where(on, shift * fade, 0) / (1 - s.rest[k])
        s.residual -= (s.source[k] - s.rest[k]) * s.blink[eye]
