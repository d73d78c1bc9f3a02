"""What skin looks like over the atlas: statistics of unwrapped portraits, tones of all people."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import ShapeError
from avatar_engine.gaussian.regions import Regions
from avatar_engine.gaussian.smooth import fill, smoothstep
from avatar_engine.training.portraits.cached import CachedHead

_SIDE = 128  # modes are smooth; pores are drawn
_FLOOR = 0.03
_LEAST_SEEN = 4000  # texels
_FEWEST = 4
_RIM = 9  # texels
_SCALP = 0.02
_SUPPORTED = (0.12, 0.4)  # share of people who show a texel's skin
_MODES = 20
_LONGEST = 2.0  # standard deviations
_HUE = 0.6  # of the modes' hue: cameras' white balance is most of it
_WIDTHS = (1.0, 2, 4, 8, 16, 32)

TONES = np.array(
    [
        [0.92, 0.79, 0.72],
        [0.87, 0.70, 0.59],
        [0.78, 0.58, 0.45],
        [0.64, 0.45, 0.33],
        [0.47, 0.31, 0.23],
        [0.32, 0.21, 0.16],
    ]
)
"""[6, 3] sRGB from the lightest to the darkest skin in even light."""


@dataclass(frozen=True, slots=True)
class SkinModel:
    """Log colour of bare skin against a face's own median.

    Attributes:
        mean: [128, 128, 3].
        modes: [M, 128, 128, 3] at one standard deviation.
        strips: [P, 256, 256, 3] uint8 of people whose eyes, teeth and gums may be lent.
    """

    mean: NDArray[np.float32]
    modes: NDArray[np.float32]
    strips: NDArray[np.uint8]

    def sample(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """The log colour [256, 256, 3] of one stranger's skin, against its median."""
        amounts = np.clip(rng.normal(size=len(self.modes)), -_LONGEST, _LONGEST)
        own = np.tensordot(amounts, self.modes, 1)
        grey = own.mean(-1, keepdims=True)
        small = self.mean + grey + _HUE * (own - grey)
        return _resized(small.astype(np.float32), 256).astype(np.float64)


def tone(rng: np.random.Generator) -> NDArray[np.float64]:
    """A skin tone [3] sRGB, as likely dark as light: the portraits are not."""
    where = rng.uniform(0, len(TONES) - 1)
    low = min(int(where), len(TONES) - 2)
    colour = TONES[low] + (where - low) * (TONES[low + 1] - TONES[low])
    return np.asarray(colour * np.exp(rng.normal(0, [0.04, 0.03, 0.05])), np.float64)


def learn_skin(heads: Sequence[CachedHead], regions: Regions) -> SkinModel:
    """Statistics of the skin that portraits show.

    Both sides of a face are laid on each other, so that the light's slant goes out; what remains
    of light (a bright forehead, a dark throat) is what all portraits share.

    Args:
        heads: Of portraits, with colours.
        regions: Of the head model.

    Raises:
        ShapeError: Fewer than four of them show enough skin.
    """
    found, strips = [], []
    for head in heads:
        if head.color is None or head.seen is None or head.hairy is None or head.base is None:
            continue
        weight = head.seen * _bare(head.hairy) / 255
        weight *= (regions.skin * (regions.scalp < _SCALP)).reshape(weight.shape)
        if (weight > 0.5).sum() < _LEAST_SEEN:
            continue
        found.append(_relative(head.color, weight))
        strips.append(head.base)
    if len(found) < _FEWEST:
        raise ShapeError(f"{len(found)} portraits show enough skin, needed are {_FEWEST}")
    tones = np.stack([tone for tone, _ in found])
    weights = np.stack([weight for _, weight in found])[..., None]
    total = weights.sum(0)
    known = smoothstep(total[..., 0] / len(found), *_SUPPORTED)
    mean = (tones * weights).sum(0) / np.maximum(total, 1e-3)
    mean = fill(mean, known, sigmas=_WIDTHS)
    apart = np.stack(
        [
            fill((t - mean) * (w > 0.05), w[..., 0], sigmas=_WIDTHS)
            for t, w in zip(tones, weights, strict=True)
        ]
    )
    flat = apart.reshape(len(apart), -1)
    flat = flat - flat.mean(0)
    variance, vectors = np.linalg.eigh(flat @ flat.T)
    order = np.argsort(variance)[::-1][: min(_MODES, len(found) - 1)]
    # One standard deviation of a mode is its part of the people divided by the root of their count.
    modes = (vectors[:, order].T @ flat) / np.sqrt(len(found))
    modes = modes.reshape(-1, _SIDE, _SIDE, 3) * known[..., None]
    return SkinModel(mean, modes.astype(np.float32), np.stack(strips))


def _bare(hairy: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[R, R] in [0, 1], falling to 0 well before hair begins: its rim is a mixture."""
    near = cv2.dilate(hairy, np.ones((_RIM, _RIM), np.uint8))
    return 1 - smoothstep(near / 255, 0.05, 0.3)


def _relative(
    color: NDArray[np.uint8], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Symmetric log colour [128, 128, 3] against the median, and its weight."""
    log = np.log(np.maximum(color / 255, _FLOOR))
    middle = np.median(log[weight > 0.7], 0) if (weight > 0.7).any() else np.zeros(3)
    both = weight + weight[:, ::-1]
    log = (log - middle) * weight[..., None]
    log = (log + log[:, ::-1]) / np.maximum(both, 1e-3)[..., None]
    small_weight = _resized(np.clip(both, 0, 1).astype(np.float32), _SIDE)
    small = _resized((log * np.clip(both, 0, 1)[..., None]).astype(np.float32), _SIDE)
    relative = small / np.maximum(small_weight, 1e-3)[..., None]
    return relative.astype(np.float32), small_weight


def _resized(values: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    how = cv2.INTER_AREA if side < len(values) else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(values, (side, side), interpolation=how), np.float32)
