"""Where in another picture of the same head each pixel was: flow carried by the texels.

The head's mesh tells the flow exactly, so nothing has to be guessed from keypoints. Plain torch;
``detail`` collects a coarser flow of the same kind for every frame of the live picture.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avatar_engine.render.detail_definition import (
    DETAIL_DEPTH_CM,
    DETAIL_OPAQUE,
    MOUTH,
    OUTSIDE,
    detail_cell,
    detail_kinds,
)
from avatar_engine.render.gaussians import TorchMaps
from avatar_engine.types import Camera, FaceState, HeadMaps

FLOW_PLANES = 5
"""Sums per pixel: texels; of them shown there; weight of the flow; flow x and y times weight."""

HIDDEN_WEIGHT = 0.02
"""Of a texel that the other picture hides: its flow counts only where nothing else is."""


@dataclass(frozen=True, slots=True)
class PlacedTexels:
    """The texels of one head in one picture.

    Attributes:
        means: [M, 2] pixels, centres at integer + 0.5.
        is_front: [M] on the surface that the picture shows.
        width, height: Of the picture.
    """

    means: Tensor
    is_front: Tensor
    width: int
    height: int


class MeshFlow:
    """One persona's texels, placed in pictures and compared between them.

    Args:
        maps: The persona.
    """

    def __init__(self, maps: HeadMaps) -> None:
        self._maps = TorchMaps(maps, dtype=torch.float32)
        self._kinds = torch.as_tensor(detail_kinds(maps))
        self._photo = FaceState(blendshapes=maps.source - maps.rest)

    def photo(self, camera: Camera) -> PlacedTexels:
        """The texels as the photo shows them, in the picture of a framed camera."""
        return self.place(self._photo, camera, source_residual=1.0)

    @torch.no_grad()
    def place(
        self, state: FaceState, camera: Camera, *, source_residual: float = 0.0
    ) -> PlacedTexels:
        """The texels in one state.

        Args:
            state: Of the face.
            camera: Framed to the picture.
            source_residual: Weight of the source residual mode.
        """
        found = self._maps.project([state], camera, source_residual=source_residual)
        means, depths = found.means[0], found.depths[0]
        is_solid = found.opacities[0] >= DETAIL_OPAQUE
        is_front = self._front(means, depths, is_solid, camera.width, camera.height)
        return PlacedTexels(means, is_front, camera.width, camera.height)

    def _front(
        self, means: Tensor, depths: Tensor, is_solid: Tensor, width: int, height: int
    ) -> Tensor:
        """Solid texels within reach of the nearest outer one of their cell [M]."""
        cell = detail_cell(width, height)
        columns, rows = -(-width // cell), -(-height // cell)
        column, row = torch.floor(means / cell).long().unbind(-1)
        is_inside = is_solid & (column >= 0) & (row >= 0) & (column < columns) & (row < rows)
        cells = torch.where(is_inside, row * columns + column, 0)
        hides = is_inside & (self._kinds == OUTSIDE)
        nearest = depths.new_full((rows * columns,), float("inf"))
        nearest = nearest.scatter_reduce(0, cells[hides], depths[hides], "amin")
        reach = torch.where(self._kinds == OUTSIDE, DETAIL_DEPTH_CM, 0.0)
        return is_inside & (self._kinds != MOUTH) & (depths <= nearest[cells] + reach)


@torch.no_grad()
def collect_flow(here: PlacedTexels, there: PlacedTexels) -> NDArray[np.float32]:
    """Flow from the pixels of one picture to another's, as sums that can be pooled.

    Args:
        here: The picture whose pixels ask.
        there: The picture they point into; same persona, same size.

    Returns:
        [5, H, W] planes of ``FLOW_PLANES``; flow in pixels. Empty pixels are zero.
    """
    means = here.means[here.is_front]
    came = there.means[here.is_front] - means
    shown = there.is_front[here.is_front].to(means.dtype)
    weight = HIDDEN_WEIGHT + (1 - HIDDEN_WEIGHT) * shown
    values = torch.stack([torch.ones_like(shown), shown, weight, *(weight[:, None] * came).T])
    sums = values.new_zeros(FLOW_PLANES, here.height * here.width)
    corner = torch.floor(means - 0.5)
    share = means - 0.5 - corner
    for j in (0, 1):
        for i in (0, 1):
            x, y = (corner + torch.tensor([i, j])).long().unbind(-1)
            part = (share[:, 0] if i else 1 - share[:, 0]) * (share[:, 1] if j else 1 - share[:, 1])
            inside = (x >= 0) & (y >= 0) & (x < here.width) & (y < here.height)
            sums.index_add_(1, (y * here.width + x)[inside], (values * part)[:, inside])
    return sums.view(FLOW_PLANES, here.height, here.width).numpy()
