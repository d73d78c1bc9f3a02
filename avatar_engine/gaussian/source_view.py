"""What making a persona asks of a renderer: how the photo's own view is blended."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from avatar_engine.types import Camera, HeadMaps


class SourceView(Protocol):
    """The source view of maps whose geometry is settled, while their opacities fall."""

    def weights(self, opacities: NDArray[np.float32]) -> tuple[csr_array, NDArray[np.float32]]:
        """Sparse weights [H * W, M] of colours in pixels, and the light left over [H * W]."""
        ...

    def light_on(
        self, opacities: NDArray[np.float32], share: NDArray[np.floating], least: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Light [M] that each Gaussian sends, in pixels, and how much of it falls on a share.

        Args:
            opacities: [M].
            share: [H * W] in [0, 1].
            least: A Gaussian that lies over no pixel of a greater share is left at 0.
        """
        ...


OpenView = Callable[[HeadMaps, Camera], SourceView]
"""Opens the source view: the photo's own expression, at a camera's pixels."""
