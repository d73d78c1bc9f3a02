"""The photo's light on the skin, as a smooth function of the surface's direction.

A portrait is lit from somewhere: one cheek is darker than the other, the throat darker than both.
What the photo does not show must be lit the same way, so colours are compared and filled after
this light is taken out, and given it back afterwards.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import mean_atlas

_FLOOR = 0.03
_LEAST_TEXELS = 300
_ROUNDS = 3
_OUTLIER = 0.35  # log colour; brows, nostrils and stubble are no light
_RIDGE = (0.0, 0.01, 0.01, 0.03, 0.04, 0.04, 0.04)
_BROAD = 5.0  # texels; the folds of an ear are no other side of the head
_RANGE = (-0.55, 0.25)  # of log light against the face's median; beyond that it is a guess


@dataclass(frozen=True, slots=True)
class Light:
    """Log light [N, 3] on each texel, relative to the face's median; zero off the skin."""

    log: NDArray[np.float64]

    def without(self, color: NDArray[np.floating]) -> NDArray[np.float64]:
        """Colours [N, 3] as log values with the light taken out."""
        return np.log(np.maximum(color, _FLOOR)) - self.log

    def onto(self, bare: NDArray[np.floating]) -> NDArray[np.float64]:
        """The reverse of :meth:`without`."""
        return np.exp(bare + self.log)


def light_of(
    s: Sculpture, color: NDArray[np.float64], weight: NDArray[np.float64], skin: NDArray[np.float64]
) -> Light:
    """Fit the light to the skin that the photo shows.

    Args:
        s: The head.
        color: [N, 3] of the photo.
        weight: [N] trust in it.
        skin: [N] in [0, 1], share of skin (not hair, not cloth) under each texel.
    """
    normal = _broad(s, s.normals(s.source_shape())[0])
    normal = normal @ s.fit.placement[:, :3].T  # the light does not turn with the head
    x, y, z = normal.T
    basis = np.stack([np.ones_like(x), x, y, z - 0.8, x * x, x * y, y * y], 1)
    plain = s.regions.skin & (weight > 0.4) & (skin > 0.8) & (s.regions.scalp < 0.1)
    plain &= (s.regions.lip_depth > 1.3) & (s.regions.lid_distance > 9) & ~s.regions.ear
    if plain.sum() < _LEAST_TEXELS:
        return Light(np.zeros_like(color))
    log = np.log(np.maximum(color, _FLOOR))
    middle = np.median(log[plain], 0)
    used = plain
    coefficients = np.zeros((basis.shape[1], 3))
    for _ in range(_ROUNDS):
        a, b = basis[used], log[used] - middle
        ridge = np.diag(np.array(_RIDGE) * len(a))
        coefficients = np.linalg.solve(a.T @ a + ridge, a.T @ b)
        miss = np.abs((log - middle - basis @ coefficients).mean(1))
        used = plain & (miss < _OUTLIER)
        if used.sum() < _LEAST_TEXELS:
            break
    fitted = np.clip(basis @ coefficients, *_RANGE)
    return Light(np.where(s.regions.skin[:, None], fitted, 0.0))


def _broad(s: Sculpture, normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Directions [N, 3] without an ear's relief: folded or pressed flat, it lies on its side."""
    R = s.rig.resolution
    skin = s.regions.skin.reshape(R, R).astype(np.float32)
    mean = mean_atlas(normal.reshape(R, R, 3), skin, _BROAD).reshape(-1, 3).astype(np.float64)
    mean = normal + s.regions.ear_weight[:, None] * (mean - normal)
    return np.asarray(mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-6))
