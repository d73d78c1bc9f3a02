"""What a further view would hide of a photo, and what other light would make of it.

The portraits are of few skin tones and lit alike; so tone, light and camera are varied widely.
"""

from dataclasses import dataclass

import numpy as np

from avatar_engine.codebook.arithmetic import Floats, grown
from avatar_engine.training.codebooks.ground import Ground

_TONE = np.array([0.75, 1.0, 1.15], np.float32)  # darker skin loses blue and green first
_TURNED_RAD = (0.2, 1.1)


@dataclass(frozen=True, slots=True)
class Shade:
    """A change of tone, light and camera that applies alike to what is seen and to the truth.

    Attributes:
        log: [3, 128, 128] added to log colours.
        contrast: Exponent.
    """

    log: Floats
    contrast: float

    def on(self, color: Floats) -> Floats:
        """The colours [3, 128, 128] in this light."""
        shaded = np.exp(np.log(np.maximum(color, 0.004)) * self.contrast + self.log)
        return np.minimum(shaded, 1).astype(np.float32)


def shade_of(ground: Ground, rng: np.random.Generator, strength: float = 1.0) -> Shade:
    """A random shade.

    Args:
        ground: Of the head model.
        rng: Decides.
        strength: 0 changes nothing.
    """
    tone = rng.choice([0.0, rng.uniform(-0.15, 0.9)])
    gain = 0.05 * rng.normal(size=3).astype(np.float32) - np.float32(tone) * _TONE
    gain += np.float32(rng.normal(0.1, 0.12))
    slope = rng.normal(0, [0.12, 0.06, 0.06]).astype(np.float32)
    log = gain[:, None, None] + np.tensordot(slope, ground.normals, 1)[None]
    contrast = float(np.exp(strength * rng.normal(0, 0.08)))
    return Shade((strength * log).astype(np.float32), contrast)


def left_visible(ground: Ground, rng: np.random.Generator) -> Floats:
    """[128, 128] in [0, 1], the share of each texel that stays seen.

    A turned head hides one side; lids, neck and spots are hidden besides, now and then.
    """
    stays = np.ones_like(ground.skin)
    if rng.random() < 0.75:
        yaw = rng.uniform(*_TURNED_RAD) * rng.choice([-1, 1])
        pitch = rng.normal(0, 0.15)
        toward = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw)], np.float32)
        facing = np.tensordot(toward, ground.normals, 1)
        stays *= _smooth((facing - 0.1) / 0.4)
    if rng.random() < 0.3:
        stays *= 1 - ground.lids
    if rng.random() < 0.25:
        stays *= 1 - ground.low
    if rng.random() < 0.4:
        noise = grown(rng.normal(size=(1, 8, 8)).astype(np.float32), stays.shape[0])[0]
        stays *= 1 - _smooth((noise - rng.uniform(0.3, 1.0)) / 0.15)
    return stays.astype(np.float32)


def _smooth(x: Floats) -> Floats:
    t = np.clip(x, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)
