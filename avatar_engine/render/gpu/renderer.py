"""The tile renderer of one persona."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.gpu.batch import FrameBatch, Shot
from avatar_engine.render.protocol import RenderConfig
from avatar_engine.types import Camera, FaceState, HeadMaps, Plates


class TileRenderer:
    """Implements ``Renderer``: a batch of one.

    Args:
        maps: The persona.
        plates: At the source view's pixels.
        camera: The source view.
        config: What every picture looks like.
        device: ``cpu`` has Triton interpret the kernels, for tests.

    Raises:
        RenderError: torch, Triton or a CUDA device is missing, or the persona is too large.
    """

    def __init__(
        self,
        maps: HeadMaps,
        plates: Plates,
        camera: Camera,
        config: RenderConfig,
        *,
        device: str = "cuda",
    ) -> None:
        self._batch = FrameBatch([(maps, plates, camera)], config, device=device)
        sides = (config.height, config.width)
        shapes = {"rgb": (*sides, 3), "rgba": (*sides, 4), "i420": (-1,)}
        self._shape = shapes[config.pixel_format]

    @property
    def config(self) -> RenderConfig:
        """What it was opened with."""
        return self._batch.config

    def render(self, state: FaceState, *, source_residual: float = 0.0) -> NDArray[np.uint8]:
        """Draw one frame; see ``Renderer.render``."""
        return self._batch.draw([Shot(0, state, source_residual)])[0].reshape(self._shape)

    def coverage(self, state: FaceState, *, source_residual: float = 0.0) -> NDArray[np.float32]:
        """How much of each pixel the head covers; see ``Renderer.coverage``."""
        self._batch.draw([Shot(0, state, source_residual)])
        return 1 - self._batch.light()[0]

    def close(self) -> None:
        """Free the device's memory of this persona."""
        self._batch.close()
