"""Hair proxies: where it grows, how thick it lies, what it looks like."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.regions import Regions
from avatar_engine.gaussian.smooth import blur_atlas, smoothstep
from avatar_engine.gaussian.strands import strands
from avatar_engine.training.synthetic.features import HAIR_COLOURS
from avatar_engine.types import HeadRig

Floats = NDArray[np.float64]

_BALD = 0.12


@dataclass(frozen=True, slots=True)
class HairProxy:
    """One person's hair; N texels.

    Attributes:
        share: [N] in [0, 1] hair over skin.
        thickness: [N] cm it stands out from the scalp.
        color: [N, 3] sRGB.
        tone: [3] sRGB its mean.
        is_long: It covers the ears and hangs behind the neck.
    """

    share: Floats
    thickness: Floats
    color: Floats
    tone: Floats
    is_long: bool


def hair_tone(rng: np.random.Generator) -> Floats:
    """A hair colour [3] sRGB."""
    colour = HAIR_COLOURS[rng.integers(len(HAIR_COLOURS))]
    return np.asarray(colour * np.exp(rng.normal(0, 0.15)), np.float64)


def hair_proxy(
    rig: HeadRig, regions: Regions, tone: Floats, *, is_long: bool, rng: np.random.Generator
) -> HairProxy:
    """Grow hair on the model's head.

    Args:
        rig: The head model.
        regions: Of it.
        tone: [3] sRGB.
        is_long: Over the ears and down the neck.
        rng: Whose hair.
    """
    R = rig.resolution
    x, y, z = rig.mean.T.astype(np.float64)
    ragged = blur_atlas(rng.normal(size=(R, R)), 2.5).ravel() * 6
    line = rng.normal(9.0, 0.7) + rng.gamma(1.2, 0.35) * np.exp(-((np.abs(x) - 4.5) ** 2) / 3)
    crown = smoothstep(y - 0.02 * z + 0.35 * ragged, line, line + 0.8)
    back = smoothstep(0.35 * y - z + 0.35 * ragged, 0.2, 1.6) * smoothstep(y, -5.5, -3.5)
    temple = smoothstep(y + 0.3 * ragged, 3.4, 4.6) * smoothstep(np.abs(x) - 0.25 * z, 4.2, 5.2)
    burns = smoothstep(np.abs(x), 6.0, 6.6) * smoothstep(z, 1.2, 2.4) * smoothstep(z, 5.0, 3.8)
    burns *= smoothstep(y, rng.uniform(-1.5, 2.0), 3.0)
    share = np.maximum.reduce([crown, back, temple, burns])
    ears = regions.ear_weight
    share = np.maximum(share, ears) if is_long else share * (1 - ears)
    if is_long:
        behind = smoothstep(z, 3.5, 1.5) * smoothstep(y, -12.0, -9.0)
        share = np.maximum(share, behind)
    share = np.where(regions.skin, share, 0) * (0.0 if rng.random() < _BALD and not is_long else 1)
    thick = rng.uniform(0.8, 2.2) if is_long else rng.gamma(2.0, 0.35)
    lumps = 1 + 0.25 * blur_atlas(rng.normal(size=(R, R)), 9.0).ravel() * 20
    thickness = thick * np.clip(lumps, 0.5, 1.5) * blur_atlas(share.reshape(R, R), 3.0).ravel()
    length = 1.0 if is_long else float(rng.uniform(0.15, 0.6))
    texture = strands((R, R), length=length, contrast=float(rng.uniform(0.08, 0.28)))
    texture = np.roll(texture, rng.integers(R), 1)[:, :: rng.choice([-1, 1])]
    shine = 1 + 0.25 * np.exp(-(((y - 10.5) / 1.2) ** 2)) * smoothstep(z, -4, 4)
    color = tone * (texture.ravel() * shine)[:, None]
    return HairProxy(share, thickness * share, np.clip(color, 0, 1), tone, is_long)
