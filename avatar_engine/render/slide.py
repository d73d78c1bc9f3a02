"""Plates behind the head as tensors, whose body follows the torso."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from avatar_engine.render.plates import Backdrop
from avatar_engine.render.torso import TorsoRule
from avatar_engine.types import FaceState


class SlidingPlates:
    """What stands behind the head in each frame.

    Args:
        backdrop: The plates at rest.
        rule: How they follow.
        dtype, device: Of the tensors.
    """

    def __init__(
        self,
        backdrop: Backdrop,
        rule: TorsoRule,
        *,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
    ) -> None:
        self._rule = rule
        self._is_open = backdrop.is_open
        body = np.concatenate([backdrop.body, backdrop.share[..., None]], -1)
        tensor = lambda array: torch.as_tensor(array, dtype=dtype, device=device)  # noqa: E731
        self._body, self._far = tensor(body), tensor(np.ascontiguousarray(backdrop.far))

    def at(self, state: FaceState) -> tuple[Tensor, Tensor]:
        """``behind`` [H, W, 3] and ``cover`` [H, W] of :class:`Backdrop` in one frame."""
        pixels = self._rule.pixels(state)
        body = self._body
        if any(pixels):
            offsets = torch.as_tensor(self._rule.offsets(pixels)).to(body)
            body = _slid(body.permute(2, 0, 1), offsets).permute(1, 2, 0)
        share = body[..., 3]
        behind = body[..., :3] + (1 - share[..., None]) * self._far
        return behind, share if self._is_open else torch.ones_like(share)


def _slid(planes: Tensor, offsets: Tensor) -> Tensor:
    """Rows of planes [C, H, W] moved by pixels [H, 2], read bilinearly; edges go on for ever."""
    height, width = planes.shape[-2:]
    rows = torch.arange(height).to(planes) + 0.5
    columns = torch.arange(width).to(planes) + 0.5
    x = (columns - offsets[:, :1]) * (2 / width) - 1
    y = ((rows - offsets[:, 1]) * (2 / height) - 1)[:, None].expand_as(x)
    grid = torch.stack([x, y], -1)[None]
    return grid_sample(planes[None], grid, padding_mode="border", align_corners=False)[0]
