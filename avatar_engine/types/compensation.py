"""What one photo does not say, and who may add it: the codebooks' door to a persona.

A persona's build hands over what it saw of a head and takes back colours and corrective modes,
all over the same atlas of N = 65536 texels; head space, cm, sRGB in [0, 1].
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


def _empty(*shape: int) -> NDArray[np.float32]:
    return np.zeros(shape, np.float32)


@dataclass(frozen=True, slots=True)
class Drivers:
    """How far each corrective mode acts in an expression.

    ``amounts = linear @ w + products @ f`` with ``f_q = max(w_i * w_j - floor_q, 0)`` for the pair
    (i, j) of q: a product of two weights, a square (i = j), or a hinge (floor > 0). Nothing acts
    in the neutral face.

    Attributes:
        linear: [C, 52] float32.
        pairs: [Q, 2] int32 of expression indices.
        floors: [Q] float32, 0 or above.
        products: [C, Q] float32.
    """

    linear: NDArray[np.float32]
    pairs: NDArray[np.int32]
    floors: NDArray[np.float32]
    products: NDArray[np.float32]

    @classmethod
    def none(cls, count: int = 0) -> "Drivers":
        """Of ``count`` modes that no expression moves."""
        return cls(_empty(count, 52), np.zeros((0, 2), np.int32), _empty(0), _empty(count, 0))

    def __len__(self) -> int:
        return len(self.linear)

    def amounts(self, weights: NDArray[np.floating]) -> NDArray[np.float64]:
        """Amounts [C] for expression weights [52] in [0, 1]."""
        w = np.asarray(weights, np.float64)
        paired = np.maximum(w[self.pairs[:, 0]] * w[self.pairs[:, 1]] - self.floors, 0)
        return np.asarray(self.linear @ w + self.products @ paired, np.float64)


@dataclass(frozen=True, slots=True)
class SeenHead:
    """What a persona's build knows of one head.

    Attributes:
        color: [N, 3] float32, the best guess so far everywhere.
        seen: [N] float32 in [0, 1], how well the photo shows the texel itself (not its twin).
        hairy: [N] float32 in [0, 1], hair there.
        positions: [N, 3] float32 at expression zero.
        residual: [N, 3] float32, what the linear rig leaves at the photo's own expression.
        source: [52] float32 expression of the photo.
    """

    color: NDArray[np.float32]
    seen: NDArray[np.float32]
    hairy: NDArray[np.float32]
    positions: NDArray[np.float32]
    residual: NDArray[np.float32]
    source: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Compensation:
    """What is added to a head.

    Attributes:
        color: [N, 3] float32; where the photo showed the texel it is the photo's.
        modes: [C, N, 3] float32 corrective modes at amount 1, C <= 16.
        drivers: Of those C modes.
    """

    color: NDArray[np.float32]
    modes: NDArray[np.float32]
    drivers: Drivers


class Compensator(Protocol):
    """Whoever can complete a head."""

    def compensate(self, head: SeenHead) -> Compensation:
        """What one photo does not say about a head."""
        ...
