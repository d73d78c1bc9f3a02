"""A quick guess at what a head spoilt for training lacks: the twin's colours, then the nearest.

A persona's build guesses better, with the photo at hand; so the networks do not lean on its ways
alone.
"""

import numpy as np

from avatar_engine.codebook.arithmetic import Floats, doubled, halved, quotient
from avatar_engine.codebook.front import Fused

_TWIN_TRUST = 0.8
_DARKER, _BRIGHTER = -0.45, 0.30  # log light between twins; brightening is the riskier error
_DARKEST = np.float32(0.03)
_HAIR_LIGHT = 0.35  # share of the light's ratio that holds for hair


def fused(color: Floats, seen: Floats, hairy: Floats, skin: Floats) -> Fused:
    """Fuse both sides of a head and fill what neither shows.

    Args:
        color: [3, S, S] sRGB where seen; S a power of two.
        seen: [S, S] in [0, 1].
        hairy: [S, S] in [0, 1].
        skin: [S, S] in [0, 1], the skin chart's share of each texel; the rest is left out.
    """
    own = seen * skin
    other = own[:, ::-1]
    log = np.log(np.maximum(color, _DARKEST))
    both = np.minimum(own, other) * (1 - hairy) * (1 - hairy[:, ::-1])
    light = filled(log - log[:, :, ::-1], both, soft=3)
    light *= 1 - (1 - _HAIR_LIGHT) * np.maximum(hairy, hairy[:, ::-1])
    twin_color = color[:, :, ::-1] * np.exp(np.clip(light, _DARKER, _BRIGHTER))
    twin = np.float32(_TWIN_TRUST) * other * (1 - np.clip(np.float32(1.5) * own, 0, 1))
    total = own + twin
    mixed = quotient(color * own + twin_color * twin, total)
    whole = filled(mixed, np.clip(2 * total, 0, 1))
    return Fused(np.clip(whole, 0, 1), seen, other)


def filled(values: Floats, weight: Floats, *, soft: int = 0) -> Floats:
    """Carry values [C, S, S] outward from where their weight [S, S] is, by pull and push.

    Args:
        values: Looked at where the weight is above zero.
        weight: In [0, 1]; where it is 1 values stay, save when softened.
        soft: Levels (halvings) below which the values' detail is dropped.
    """
    levels: list[tuple[Floats, Floats]] = []
    v, w = values * weight, weight[None]
    while True:
        levels.append((v, w))
        if v.shape[-1] == 1:
            break
        v, w = halved(v), halved(w)
    v, w = levels[-1]
    whole = quotient(v, w)
    for level in range(len(levels) - 2, -1, -1):
        v, w = levels[level]
        whole = doubled(whole)
        if level >= soft:
            share = np.minimum(4 * w, np.float32(1)) if level else w
            whole = whole + share * (quotient(v, w) - whole)
    return whole
