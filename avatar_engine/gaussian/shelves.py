"""Sheets of texels cut into tiles and laid on shelves of 256 columns, so that few rows suffice."""

import numpy as np
from numpy.typing import NDArray

_COLUMNS = 256
_TILE = 24
_CHANNELS = {
    "positions": 3, "colors": 3, "sigmas": 2, "tangent_caps": 2, "head_weight": 0, "chart": 0,
    "neighbours": 0, "trust": 0, "opacities": 0, "winding": 0, "depth_bias": 0,
}  # fmt: skip
_LEFT, _RIGHT, _UP, _DOWN = 1, 2, 4, 8

Maps = dict[str, NDArray]


def packed(sheets: list[Maps]) -> Maps:
    """Flat maps [K] or [K, C] of whole rows that hold every live texel of the sheets.

    Args:
        sheets: Maps [H, W] or [H, W, C] each; texels whose chart is 0 are left out.
    """
    tiles = [tile for sheet in sheets for tile in _tiles(sheet)]
    tiles.sort(key=lambda t: -len(t["chart"]))
    shelves: list[tuple[int, int, list[tuple[int, Maps]]]] = []
    for tile in tiles:
        height, width = tile["chart"].shape
        for k, (tall, used, held) in enumerate(shelves):
            if height <= tall and used + width <= _COLUMNS:
                held.append((used, tile))
                shelves[k] = (tall, used + width, held)
                break
        else:
            shelves.append((height, width, [(0, tile)]))
    return _laid(shelves)


def _tiles(sheet: Maps) -> list[Maps]:
    """The sheet's tiles, each trimmed to its live texels; neighbours end at a tile's border."""
    live = sheet["chart"] > 0
    height, width = live.shape
    tiles = []
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            window = live[top : top + _TILE, left : left + _TILE]
            if not window.any():
                continue
            rows, cols = np.nonzero(window.any(1))[0], np.nonzero(window.any(0))[0]
            r = slice(top + rows[0], top + rows[-1] + 1)
            c = slice(left + cols[0], left + cols[-1] + 1)
            tile = {name: sheet[name][r, c] for name in _CHANNELS}
            bits = tile["neighbours"].astype(np.uint8).copy()
            bits[:, 0] &= ~np.uint8(_LEFT)
            bits[:, -1] &= ~np.uint8(_RIGHT)
            bits[0] &= ~np.uint8(_UP)
            bits[-1] &= ~np.uint8(_DOWN)
            tile["neighbours"] = bits
            tiles.append(tile)
    return tiles


def _laid(shelves: list[tuple[int, int, list[tuple[int, Maps]]]]) -> Maps:
    rows = sum(tall for tall, _, _ in shelves)
    maps = {}
    for name, channels in _CHANNELS.items():
        whole = np.zeros((rows, _COLUMNS, *([channels] if channels else [])))
        row = 0
        for tall, _, held in shelves:
            for col, tile in held:
                height, width = tile["chart"].shape
                whole[row : row + height, col : col + width] = tile[name]
            row += tall
        maps[name] = whole.reshape(rows * _COLUMNS, *whole.shape[2:])
    maps["tangent_caps"] = np.where(maps["tangent_caps"] > 0, maps["tangent_caps"], np.inf)
    return maps
