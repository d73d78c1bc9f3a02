"""What the networks are shown: a head's best colours so far, brought small, and what was seen.

The recipe and a persona's making call these same functions, so that both see the same.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.codebook.arithmetic import Floats, halved, quotient


@dataclass(frozen=True, slots=True)
class Fused:
    """A head's colours before compensation, S texels a side.

    Attributes:
        color: [3, S, S] sRGB, of a persona's build, or as a recipe guesses them.
        seen: [S, S] in [0, 1], weight of the texel's own colour.
        twin: [S, S] in [0, 1], weight of its twin's.
    """

    color: Floats
    seen: Floats
    twin: Floats


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


def mirrored(vectors: Floats) -> Floats:
    """Planes [B, 3 K, S, S] of vectors in head space, in a mirror: left is right."""
    across = np.ones((vectors.shape[1], 1, 1), np.float32)
    across[::3] = -1
    return vectors[..., ::-1] * across


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
