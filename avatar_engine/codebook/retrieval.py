"""A codebook, and how tokens ask it: attention whose keys are constants.

The codes are patches of what heads lack, as the recipe saw them. A token's query is compared with
the keys of the first so many codes (coarse scales may use the fewest, all scales share them), and
the shares decide both the patch that is painted and what the token learns from it.
"""

from collections.abc import Mapping

import numpy as np

from avatar_engine.codebook.arithmetic import (
    Floats,
    Layers,
    doubled,
    gelu,
    grown,
    linear,
    normalised,
    picture_of,
    sigmoid,
    softmax,
    tokens_of,
    unfolded,
)
from avatar_engine.codebook.plan import SCALES, CodebookPlan

Tokens = Mapping[int, Floats]
"""[B, T, D] of each scale."""


class Codebook:
    """One codebook's weights, with keys and values multiplied out once."""

    def __init__(self, layers: Layers, name: str, plan: CodebookPlan) -> None:
        self.plan = plan
        self._layers = {
            k[len(name) + 1 :]: v for k, v in layers.items() if k.startswith(f"{name}.")
        }
        codes = self._layers["codes"]  # [K, 3 P P]
        self._keys: dict[int, Floats] = {}
        self._values: dict[int, Floats] = {}
        self._patches: dict[int, Floats] = {}
        for k, (scale, count) in enumerate(zip(SCALES, plan.prefixes, strict=True)):
            at = f"scale{scale}"
            used: Floats = codes[:count] * np.float32(plan.code_size**-0.5)
            keys: Floats = used @ self._layers[f"{at}.key.weight"].T / np.float32(plan.width**0.5)
            self._keys[scale] = np.ascontiguousarray(keys.T)
            self._values[scale] = used @ self._layers[f"{at}.value.weight"].T
            self._patches[scale] = codes[:count] * self._layers["spread"][k]

    def compensate(self, asking: Tokens) -> tuple[Floats, Tokens]:
        """Add up what the codes say at every scale, coarse to fine.

        Args:
            asking: Tokens [B, S S, D] of each scale S.

        Returns:
            [B, 3, side, side] in the units of the compensated map, and the tokens with what they
            learnt.
        """
        x = asking[SCALES[0]]
        learnt: dict[int, Floats] = {}
        total = logits = np.zeros((1, 1, 1, 1), np.float32)
        for scale in SCALES:
            if scale > SCALES[0]:
                handed = picture_of(linear(self._layers, f"pass{scale}", x))
                x = asking[scale] + tokens_of(doubled(handed))
                total, logits = doubled(total), doubled(logits)
            x, patches = self._ask(scale, x)
            learnt[scale] = x
            # Logits, not shares, are added up: what is certain stays certain.
            logits = logits + picture_of(linear(self._layers, f"scale{scale}.gate", x))
            gate = sigmoid(grown(logits, scale * self.plan.patch))
            total = total + gate * unfolded(patches, self.plan.patch)
        return total, learnt

    def _ask(self, scale: int, x: Floats) -> tuple[Floats, Floats]:
        """Tokens look at each other, ask, think it over: tokens and patches [B, T, 3 P P]."""
        at, layers = f"scale{scale}", self._layers
        x = x + layers[f"{at}.place"]
        if scale in self.plan.attends:
            y = normalised(layers, f"{at}.among", x)
            q, k, v = np.split(linear(layers, f"{at}.mixed", y), 3, -1)
            k = k.transpose(0, 2, 1) / np.float32(self.plan.width**0.5)
            x = x + linear(layers, f"{at}.joined", softmax(q @ k) @ v)
        y = normalised(layers, f"{at}.asking", x)
        shares = softmax(linear(layers, f"{at}.query", y) @ self._keys[scale])
        x = x + shares @ self._values[scale]
        y = gelu(linear(layers, f"{at}.inner", normalised(layers, f"{at}.after", x)))
        x = normalised(layers, f"{at}.done", x + linear(layers, f"{at}.outer", y))
        return x, shares @ self._patches[scale]
