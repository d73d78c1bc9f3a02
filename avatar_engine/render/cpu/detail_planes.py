# mypy: allow-untyped-defs, allow-untyped-calls
"""What a renderer keeps for the detail: the photo minus the Gaussians' own picture of it.

At the output's pixels, with where every texel was in the photo and which cells are worth a look.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.colour import RGB_TO_YUV
from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.cpu.vectors import LANES
from avatar_engine.render.detail_definition import (
    DETAIL_DEPTH_CM,
    DETAIL_WORTH,
    detail_bears,
    detail_cell,
    detail_fading,
)
from avatar_engine.types import HeadMaps

TOP, BOTTOM = 2, 3
"""Rows of zeros above and below a plane: two rows are fetched at once, with the one under them."""


class Detail(NamedTuple):
    """One renderer's detail.

    Attributes:
        cell: [2] int32 side of a grid cell in the picture's pixels, and how many of them, along
            each side, one pixel of the drawn Gaussians covers.
        keys: [1] int32 depth keys within which texels share a surface.
        drivers: [M] uint8, fading: [M] float32 of ``detail_fading``.
        came_from: [M, 5] float32: x, y in drawn pixels in the source view, how far the
            photo shows the texel, in [0, 1], the logarithm of its conic's determinant there, and
            what a change of it counts.
        bears: [rows, columns] float32 of ``detail_bears``.
        planes: [3, H, W] int8 differences, RGB or YUV (chroma in the upper left quarter), with
            zeros around them: TOP rows above, BOTTOM below, ``margin(cell)`` columns on both sides.
        worth: [2, rows, columns] uint8: whether a cell or its neighbours hold a difference worth
            it, in the first plane and in the other two.
        sums: [5, rows + 2, columns + 2] float32: light, seen, flow x, flow y, its square.
        flow: [3, rows, columns] float32: weight, and where to look, times weight.
    """

    cell: NDArray[np.int32]
    keys: NDArray[np.int32]
    drivers: NDArray[np.uint8]
    fading: NDArray[np.float32]
    came_from: NDArray[np.float32]
    bears: NDArray[np.float32]
    planes: NDArray[np.int8]
    worth: NDArray[np.uint8]
    sums: NDArray[np.float32]
    flow: NDArray[np.float32]


@kernel
def margin(cell):
    """Columns of zeros beside a plane: room for a run that begins or ends at the edge."""
    return np.int64(2 * cell + LANES)


def detail_for(
    maps: HeadMaps,
    planes: NDArray[np.floating],
    zoom: int,
    keys_per_cm: float,
    *,
    is_i420: bool,
) -> Detail:
    """Detail of one output; ``note_source`` still has to say where its texels are in the photo.

    Args:
        maps: The persona.
        planes: [3, H, W] photo minus the Gaussians' picture, in bytes: RGB, or YUV with chroma at
            half size in the upper left quarter.
        zoom: Pixels of the picture to one that Gaussians are drawn on.
        keys_per_cm: Of the records' depth keys.
        is_i420: The planes are YUV.
    """
    height, width = planes.shape[1:]
    cell = detail_cell(width, height)
    beside = 2 * cell + LANES
    padded = np.zeros((3, height + TOP + BOTTOM, width + 2 * beside), np.int8)
    padded[:, TOP:-BOTTOM, beside:-beside] = np.clip(np.round(planes), -127, 127)
    rows, columns = -(-height // cell), -(-width // cell)
    texels = len(maps.positions)
    detail = Detail(
        np.array([cell, zoom], np.int32),
        np.array([round(DETAIL_DEPTH_CM * keys_per_cm)], np.int32),
        *detail_fading(maps),
        np.zeros((texels, 5), np.float32),
        detail_bears(planes[0] if is_i420 else np.tensordot(RGB_TO_YUV[0], planes, 1), cell),
        padded,
        np.zeros((2, rows, columns), np.uint8),
        np.zeros((5, rows + 2, columns + 2), np.float32),
        np.zeros((3, rows, columns), np.float32),
    )
    _find_worth(detail, is_i420)
    return detail


@kernel
def _find_worth(detail, halved):
    cell, beside = int(detail.cell[0]), margin(detail.cell[0])
    rows, columns = detail.worth.shape[1:]
    height, width = detail.planes.shape[1] - TOP - BOTTOM, detail.planes.shape[2] - 2 * beside
    for p in range(3):
        # Chroma of I420 lies in a quarter, RGB's planes are whole: what is empty costs nothing.
        side = cell >> 1 if halved and p > 0 else cell
        plane = detail.planes[p, TOP : TOP + height, beside : beside + width]
        worth = detail.worth[min(p, 1)] if halved else detail.worth[0]
        for row in range(rows):
            for column in range(columns):
                top, left = max((row - 1) * side, 0), max((column - 1) * side, 0)
                part = plane[top : (row + 2) * side, left : (column + 2) * side]
                for y in range(part.shape[0]):
                    for x in range(part.shape[1]):
                        if abs(np.int64(part[y, x])) >= DETAIL_WORTH:
                            worth[row, column] = 1
