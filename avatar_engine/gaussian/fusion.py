"""Symmetric fusion: what one side does not show is taken from its mirror twin, in its own light."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.light import Light
from avatar_engine.gaussian.regions import Regions
from avatar_engine.gaussian.smooth import fill, smoothstep
from avatar_engine.gaussian.unwrap import Samples

_DARKER, _BRIGHTER = -0.45, 0.30  # log light between twins; brightening is the riskier error
_TWIN_TRUST = 0.8
_TONE_TRUST = 0.45
_OF_ONE_KIND = (0.6, 0.9)  # share of the likelier class


def fuse(
    samples: Samples, regions: Regions, light: Light
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Colours [N, 3] and trust [N] from both sides of the head.

    The twin is given this side's light: the fitted light's ratio, and what that misses as a smooth
    ratio per channel, measured only where both sides are seen and carried outward from there, so
    that the twin joins the seen texels without a step.
    """
    weight = samples.weight * regions.skin
    twin_weight = weight[regions.twin]
    ratio = _light_ratio(samples.color, weight, regions, light)
    twin = np.clip(samples.color[regions.twin] * ratio, 0, 1)
    other = _TWIN_TRUST * twin_weight * (1 - np.clip(1.5 * weight, 0, 1))
    color, trust = _mixed(samples.color, weight, twin, other)
    # A column that holds lock, earring and cheek at once tells the tone of none of them.
    of_one = smoothstep(np.maximum(samples.bare, samples.hairy), *_OF_ONE_KIND)
    grazing = np.where(regions.skin & (trust < 0.3), _TONE_TRUST * samples.tone * of_one, 0)
    return _mixed(color, trust, samples.color, grazing)


def _light_ratio(
    color: NDArray[np.float64], weight: NDArray[np.float64], regions: Regions, light: Light
) -> NDArray[np.float64]:
    """[N, 3] light of a texel over its twin's."""
    R = int(np.sqrt(len(weight)))
    grid = lambda a: a.reshape(R, R, -1)  # noqa: E731
    low = fill(grid(color), grid(weight)[..., 0], sigmas=(5, 10, 20, 40, 64)).reshape(-1, 3)
    log = np.log(np.maximum(low, 0.03))
    both = np.minimum(weight, weight[regions.twin]) * (regions.scalp < 0.3)
    fitted = (light.log - light.log[regions.twin]) * (1 - regions.scalp)[:, None]
    missed = log - log[regions.twin] - fitted
    rest = fill(grid(missed), grid(both)[..., 0], sigmas=(4, 8, 16, 32, 64)).reshape(-1, 3)
    return np.exp(np.clip(fitted + rest, _DARKER, _BRIGHTER))


def _mixed(
    a: NDArray[np.float64], wa: NDArray[np.float64], b: NDArray[np.float64], wb: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    total = wa + wb
    mixed = (a * wa[:, None] + b * wb[:, None]) / np.maximum(total, 1e-6)[:, None]
    return np.where(total[:, None] > 1e-3, mixed, 0), total
