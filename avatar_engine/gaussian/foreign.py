"""What the photo shows on the sides and the neck that is not this person's skin.

Labels are coarse where jaw, ear, collar and background meet, and a turning head drags along what
they let through: a blue spot on the neck, a scrap of flag behind the ear. The face says what its
skin looks like; with its light taken out, skin varies little in colour, and less in hue.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.ears import auricle
from avatar_engine.gaussian.light import Light
from avatar_engine.gaussian.sampling import sample
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import Labels
from avatar_engine.gaussian.smooth import smoothstep
from avatar_engine.gaussian.unwrap import Samples
from avatar_engine.types import LabelKind

_LEAST_TEXELS = 300
_FLOOR = 0.015  # red cloth in the dark is red still
_MIXED = 5  # texels; beside what is foreign the photo's pixels are half of it
_HUE_FLOOR = 0.045  # logarithms of colour; a face as even as paint still has pores
_LIGHT_FLOOR = 0.10
_HUE_APART = (2.6, 4.6)  # spreads
_EAR_SLACK = 1.6  # ears are redder
_DARKER, _BRIGHTER = (5.0, 8.0), (4.0, 6.0)  # spreads; shade is likelier than gloss
_HAIR_APART = (2.2, 3.6)  # spreads
_HAIR_FLOOR = 0.04  # black hair has no hue
_RIM_FACING = (0.25, 0.5)
_EAR_SHOWN = (0.2, 0.6)
_SIDE_Z, _LOW_Y = 7.0, -4.4


def without_foreign(s: Sculpture, labels: Labels, samples: Samples, light: Light) -> Samples:
    """The same samples with no trust in what cannot be this person's skin.

    Args:
        s: The head.
        labels: Of the photo.
        samples: Of the photo.
        light: On the skin, fitted to these samples.
    """
    foreign = np.maximum.reduce(
        [
            _foreign(s, labels, samples, light),
            _on_scalp(s, labels, samples),
            _ear_beside(s, labels),
        ]
    )
    kept = 1 - foreign
    return replace(
        samples,
        weight=samples.weight * kept,
        tone=samples.tone * kept,
        allowed=samples.allowed * kept,
        apart=samples.apart * kept,
    )


def _foreign(s: Sculpture, labels: Labels, samples: Samples, light: Light) -> NDArray[np.float64]:
    """[N] in [0, 1], how surely a texel of the sides or the neck shows something else."""
    regions = s.regions
    y, z = s.rig.mean[:, 1], s.rig.mean[:, 2]
    face = regions.skin & (samples.weight > 0.6) & (samples.bare > 0.9) & (z > _SIDE_Z)
    face &= (regions.lip_depth > 1.3) & (regions.lid_distance > 9) & (y > _LOW_Y)
    if face.sum() < _LEAST_TEXELS:
        return np.zeros(len(y))
    tone = np.log(np.maximum(samples.color, _FLOOR)) - light.log
    tone = tone - np.median(tone[face], 0)
    bright = tone.mean(1)
    hue = tone - bright[:, None]
    spread = np.maximum(1.48 * np.median(np.abs(hue[face]), 0), _HUE_FLOOR)
    vary = max(1.48 * float(np.median(np.abs(bright[face]))), _LIGHT_FLOOR)
    off = np.sqrt(((hue / spread) ** 2).mean(1)) / np.where(regions.ear, _EAR_SLACK, 1.0)
    odd = np.maximum.reduce(
        [
            smoothstep(off, *_HUE_APART),
            smoothstep(-bright / vary, *_DARKER) * ~regions.ear,
            smoothstep(bright / vary, *_BRIGHTER) * ~regions.ear,
        ]
    )
    where = smoothstep(z, _SIDE_Z, _SIDE_Z - 2) + smoothstep(y, _LOW_Y + 0.6, _LOW_Y - 0.6)
    where = np.clip(where, 0, 1) * regions.skin * (1 - smoothstep(regions.scalp, 0.1, 0.4))
    odd *= where * (1 - _own_hair(s, labels, samples))
    R = s.rig.resolution
    around = cv2.dilate((odd * samples.visible).reshape(R, R), np.ones((_MIXED, _MIXED), np.uint8))
    return np.maximum(odd, around.ravel() * where)


def _on_scalp(s: Sculpture, labels: Labels, samples: Samples) -> NDArray[np.float64]:
    """[N] in [0, 1], how surely a texel of the scalp's rim shows what is behind the head."""
    scalp = s.regions.skin & (s.regions.scalp > 0.3)
    sure = scalp & (samples.hairy > 0.9) & (samples.facing > _RIM_FACING[1])
    if labels.is_bald or sure.sum() < _LEAST_TEXELS:
        return np.zeros(len(scalp))
    tone = np.log(np.maximum(samples.color, _HAIR_FLOOR))
    tone = tone - np.median(tone[sure], 0)
    bright = tone.mean(1)
    hue = tone - bright[:, None]
    spread = np.maximum(1.48 * np.median(np.abs(hue[sure]), 0), _HUE_FLOOR)
    vary = max(1.48 * float(np.median(np.abs(bright[sure]))), _LIGHT_FLOOR)
    off = np.sqrt(((hue / spread) ** 2).mean(1) + (bright / vary) ** 2 / 2)
    rim = smoothstep(samples.facing, _RIM_FACING[1], _RIM_FACING[0])
    return smoothstep(off, *_HAIR_APART) * rim * scalp


def _ear_beside(s: Sculpture, labels: Labels) -> NDArray[np.float64]:
    """[N] in [0, 1], how surely a texel beside the ear shows the ear, which stands off it."""
    if labels.kinds is None:
        return np.zeros(len(s.chart))
    ear = labels.kinds[..., LabelKind.EAR]
    shown = sample(ear, s.project(s.source_shape()))
    return smoothstep(shown, *_EAR_SHOWN) * s.regions.skin * ~auricle(s)


def _own_hair(s: Sculpture, labels: Labels, samples: Samples) -> NDArray[np.float64]:
    """[N] hair and beard, which belong there though they are no skin."""
    own = samples.hairy * (1.0 if labels.is_long else smoothstep(s.rig.mean[:, 1], -3.0, -1.0))
    if labels.kinds is not None:
        p = s.project(s.source_shape())
        keep = labels.kinds[..., LabelKind.BEARD] + labels.kinds[..., LabelKind.GLASSES]
        own = own + sample(keep, p)
    return np.clip(own, 0, 1)
