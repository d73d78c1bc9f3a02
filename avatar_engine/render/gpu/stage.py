"""Several packed personas as tensors on one device, for frames that show any of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avatar_engine.render.gpu.layout import MODE_TEXELS, DetailPlane, Input
from avatar_engine.render.gpu.packed import PackedPersona


@dataclass(frozen=True, slots=True)
class PackedDetail:
    """What one persona's photo shows beyond its Gaussians.

    Attributes:
        carriers: [M] int32: how a texel carries detail, and the TintDriver that takes it away.
        origins: [5, M] float32, see ``DetailPlane``.
        missing: [H, W] int32, three signed bytes each.
    """

    carriers: NDArray[np.int32]
    origins: NDArray[np.float32]
    missing: NDArray[np.int32]


class Stage:
    """Personas side by side, the shorter ones padded with texels of opacity 0.

    Args:
        personas: At one picture size.
        details: One per persona, or none at all.
        block: Texels per program: the padded length is a multiple of it.
        device: Where the tensors live.
    """

    def __init__(
        self,
        personas: Sequence[PackedPersona],
        details: Sequence[PackedDetail],
        block: int,
        device: torch.device,
    ) -> None:
        self.personas = personas
        self.device = device
        longest = max(p.texels.shape[1] for p in personas)
        self.texel_count = -(-longest // block) * block
        self.mode_count = max(len(p.modes) for p in personas)
        self.pair_count = 1 << (max(p.pairs.shape[1] for p in personas) - 1).bit_length()
        self.input_length = Input.WEIGHTS + self.mode_count
        texels, modes = (self.texel_count,), (self.mode_count, 3, MODE_TEXELS)
        self.texels = self._stacked([p.texels for p in personas], texels)
        self.traits = self._stacked([p.traits for p in personas], texels)
        self.modes = self._stacked([p.modes for p in personas], modes)
        self.pairs = self._stacked([p.pairs for p in personas], (self.pair_count,))
        self.fixed = self._stacked([p.fixed for p in personas])
        self.plates = self._stacked([p.plates for p in personas])
        self.follow = self._stacked([p.follow for p in personas])
        self.has_detail = len(details) > 0
        none = PackedDetail(
            np.zeros(0, np.int32),
            np.zeros((DetailPlane.COUNT, 0), np.float32),
            np.zeros((1, 1), np.int32),
        )
        details = details or [none]
        self.carriers = self._stacked([one.carriers for one in details], texels)
        self.origins = self._stacked([one.origins for one in details], texels)
        self.missing = self._stacked([one.missing for one in details])

    def _stacked(self, arrays: Sequence[np.ndarray], ends: tuple[int, ...] = ()) -> Tensor:
        """Arrays one above the other, the last axes padded with zeros to ``ends``."""
        padded = []
        for array in arrays:
            lengths = (*array.shape[: array.ndim - len(ends)], *ends)
            short = [(0, end - have) for end, have in zip(lengths, array.shape, strict=True)]
            padded.append(np.pad(array, short))
        # The kernels count on rows one after the other, which a transposed array has not.
        return torch.as_tensor(np.ascontiguousarray(np.stack(padded)), device=self.device)
