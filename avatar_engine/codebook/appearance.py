"""The appearance half: the colours that neither side of one photo shows."""

import numpy as np

from avatar_engine.codebook.arithmetic import (
    Floats,
    Layers,
    convolved,
    doubled,
    gelu,
    linear,
    picture_of,
    shuffled,
    tokens_of,
    unshuffled,
)
from avatar_engine.codebook.plan import APPEARANCE
from avatar_engine.codebook.retrieval import Codebook, Tokens


class AppearanceCodebook:
    """Asked with what is seen, it adds what mirror and fill get wrong."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._codebook = Codebook(layers, "appearance", APPEARANCE)

    def compensate(self, planes: Floats, motion: Tokens) -> Floats:
        """Complete heads.

        Args:
            planes: [B, 11, 128, 128] of ``front.appearance_planes`` and the constant places.
            motion: Tokens of the photo's own expression, batch B or 1.

        Returns:
            [B, 3, 128, 128] to add to the fused colours.
        """
        layers = self._layers
        half = gelu(convolved(layers, "appearance.stem", unshuffled(planes)))  # 64 a side
        x, asking = half, dict[int, Floats]()
        for scale in (32, 16, 8):
            x = gelu(convolved(layers, f"appearance.down{scale}", x, stride=2))
            x = x + gelu(convolved(layers, f"appearance.deep{scale}", x))
            asking[scale] = linear(layers, f"appearance.in{scale}", tokens_of(x)) + linear(
                layers, f"appearance.heard{scale}", motion[scale]
            )
        found, learnt = self._codebook.compensate(asking)
        up = np.concatenate([doubled(picture_of(learnt[32])), half, unshuffled(found)], 1)
        up = gelu(convolved(layers, "appearance.up", up))
        up = up + gelu(convolved(layers, "appearance.last", up))
        return found + shuffled(convolved(layers, "appearance.head", up))
