"""What the networks are shown: a head's best colours so far, brought small, and what was seen.

Where no persona's build has guessed (heads spoilt in training, lids that close), photo and twin
are fused here. The recipe and a persona's making call these same functions, so that both see the
same.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.codebook.arithmetic import Floats, doubled, halved, quotient
from avatar_engine.codebook.plan import APPEARANCE

_TWIN_TRUST = 0.8
_DARKER, _BRIGHTER = -0.45, 0.30  # log light between twins; brightening is the riskier error
_DARKEST = np.float32(0.03)
_HAIR_LIGHT = 0.35  # share of the light's ratio that holds for hair


@dataclass(frozen=True, slots=True)
class Fused:
    """A head's colours before compensation, S texels a side.

    Attributes:
        color: [3, S, S] sRGB, of a persona's build, or as :func:`fused` guesses them.
        seen: [S, S] in [0, 1], weight of the texel's own colour.
        twin: [S, S] in [0, 1], weight of its twin's.
    """

    color: Floats
    seen: Floats
    twin: Floats


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


def appearance_planes(head: Fused, hairy: Floats) -> Floats:
    """[6, S, S] that the appearance half looks at; colours about zero."""
    planes = [2 * head.color - 1, head.seen[None], head.twin[None], hairy[None]]
    return np.concatenate(planes).astype(np.float32)


def person_planes(positions: Floats, mean: Floats, residual: Floats, skin: Floats) -> Floats:
    """[6, S, S] of a person's shape and of what the linear rig left over, about 1 in size.

    Args:
        positions: [3, S, S] cm at expression zero.
        mean: [3, S, S] of the mean head.
        residual: [3, S, S] cm at the photo's expression.
        skin: [S, S] in [0, 1].
    """
    shape = np.clip((positions - mean) / 2, -2, 2)
    left = np.clip(residual / np.float32(0.3), -2, 2)
    return (np.concatenate([shape, left]) * skin).astype(np.float32)


def shrunk(values: Floats, side: int, weight: Floats | None = None) -> Floats:
    """Maps [C, S, S] at ``side`` texels: means, by weight [S, S] where one is given."""
    w = np.ones(values.shape[1:], np.float32) if weight is None else weight
    v, w = values * w, w[None]
    while v.shape[-1] > side:
        v, w = halved(v), halved(w)
    return quotient(v, w)


def as_planes(texels: NDArray[np.floating]) -> Floats:
    """Texels [N, C] as planes [C, R, R]."""
    side = round(len(texels) ** 0.5)
    return np.ascontiguousarray(texels.reshape(side, side, -1).transpose(2, 0, 1), np.float32)


def as_texels(planes: Floats) -> Floats:
    """Planes [C, R, R] as texels [N, C]."""
    return np.ascontiguousarray(planes.transpose(1, 2, 0)).reshape(-1, len(planes))


SIDE = APPEARANCE.side
