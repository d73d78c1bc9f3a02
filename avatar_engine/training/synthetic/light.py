"""Soft light from anywhere in front: what a room or a studio does to a face."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.smooth import smoothstep

Floats = NDArray[np.float64]

_RANGE = (-0.8, 0.3)  # of log light


@dataclass(frozen=True, slots=True)
class SoftLight:
    """Log light as a quadratic function of the surface's direction in the world.

    Attributes:
        slope: [3, 3] per axis of the normal and channel.
        bend: [3] per axis of the normal, on its square.
        throat: How much darker it is below the jaw.
    """

    slope: Floats
    bend: Floats
    throat: float

    def log(self, normal: Floats, mean: NDArray[np.floating]) -> Floats:
        """Log light [N, 3] on unit normals [N, 3] of a head whose mean shape is ``mean``."""
        light = (normal - [0, 0, 0.8]) @ self.slope + ((normal**2) @ self.bend)[:, None]
        low = smoothstep(mean[:, 1] + 0.35 * mean[:, 2], -4.0, -7.0)
        behind_ear = smoothstep(np.abs(mean[:, 0]), 6.2, 7.0) * smoothstep(mean[:, 2], 0.5, -1.5)
        shade = self.throat * np.maximum(low, 0.6 * behind_ear)
        return np.asarray(np.clip(light - shade[:, None], *_RANGE))


def soft_light(rng: np.random.Generator) -> SoftLight:
    """A light: from a side and above, of some strength and warmth."""
    azimuth, height = rng.normal(0, 0.7), rng.normal(0.35, 0.3)
    towards = np.array([np.sin(azimuth), np.sin(height), np.cos(azimuth) * np.cos(height)])
    towards /= np.linalg.norm(towards)
    strength = rng.gamma(2.5, 0.12)
    warmth = rng.normal(0, 0.08) * np.array([1.0, 0.0, -1.0])
    slope = strength * towards[:, None] * (1 + warmth)
    bend = rng.normal(0, 0.06, 3)
    return SoftLight(slope, bend - bend.mean(), float(rng.uniform(0.05, 0.35)))
