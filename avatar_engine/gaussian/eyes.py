"""Eyeballs: the photo between the lids, completed round the iris."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import blur_image
from avatar_engine.gaussian.unwrap import LEFT_EYE, RIGHT_EYE, Samples
from avatar_engine.types import Chart

_RINGS = 24
_CAP = np.radians(75)
_UNSEEN = (0.75, 0.70, 0.68)


def paint_eyes(s: Sculpture, samples: Samples, color: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colour the eye charts in place [N, 3]; returns how far the photo shows each texel [N]."""
    R = s.rig.resolution
    row, col = samples.pixels
    shown = np.zeros(R * R)
    sides = ((s.regions.left, LEFT_EYE), (~s.regions.left, RIGHT_EYE))
    for eye, (side, lids) in enumerate(sides):
        ball = np.nonzero((s.chart == Chart.EYE) & side)[0]
        d = s.rig.mean[ball] - s.rig.eye_centers[eye]
        angle = np.arccos(np.clip(d[:, 2] / s.rig.eye_radius, -1, 1)) / _CAP * _RINGS
        between = s.view.polygon(lids, grow=-1)
        seen = between[row[ball], col[ball]] & samples.visible[ball]
        rings = np.minimum(angle.astype(int), _RINGS - 1)
        known, tone = [], []
        for ring in range(_RINGS):
            here = seen & (rings == ring)
            if here.sum() >= 2:
                known.append(ring)
                tone.append(np.median(samples.color[ball[here]], 0))
        if len(known) < 2:
            known, tone = [0, _RINGS - 1], [np.array(_UNSEEN), np.array(_UNSEEN)]
        profile = np.array(tone)
        around = np.stack([np.interp(angle - 0.5, known, profile[:, c]) for c in range(3)], 1)
        mask = np.zeros((R, R), np.float32)
        mask.flat[ball] = seen
        share = (blur_image(mask, 0.8).ravel()[ball] * seen)[:, None]
        color[ball] = samples.color[ball] * share + around * (1 - share)
        shown[ball] = share[:, 0]
    return shown
