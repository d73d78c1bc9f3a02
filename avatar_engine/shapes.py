"""The UV grid: which texels are neighbours, and tangents of maps over it."""

import numpy as np
from numpy.typing import NDArray

LEFT, RIGHT, UP, DOWN = 1, 2, 4, 8
"""Bits of a texel's neighbours: the texel beside it lies on the same surface."""

_SKIN, _TEETH, _GUM, _CAVITY = 1, 3, 4, 6  # of types.Chart, which stands above this file


def grid_neighbours(group: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Neighbour bits [H, W]: cells share a surface where ``group`` is equal and not zero."""
    inside = group > 0
    bits = np.zeros(group.shape, np.uint8)
    same_row = inside[:, 1:] & (group[:, 1:] == group[:, :-1])
    same_col = inside[1:] & (group[1:] == group[:-1])
    bits[:, 1:] |= np.where(same_row, LEFT, 0).astype(np.uint8)
    bits[:, :-1] |= np.where(same_row, RIGHT, 0).astype(np.uint8)
    bits[1:] |= np.where(same_col, UP, 0).astype(np.uint8)
    bits[:-1] |= np.where(same_col, DOWN, 0).astype(np.uint8)
    return bits


def tangents(
    positions: NDArray[np.floating], neighbours: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tangents of a map along u and v per texel step.

    Central differences where both neighbours lie on the surface, one-sided at its borders, zero
    where there is none. The grid does not wrap: the back seam's texels are one-sided.

    Args:
        positions: [H, W, D].
        neighbours: [H, W] bits.

    Returns:
        t_u, t_v: [H, W, D].
    """
    p = np.asarray(positions, np.float64)

    def along(axis: int, back: int, ahead: int) -> NDArray[np.float64]:
        has_ahead, has_back = (neighbours & ahead) > 0, (neighbours & back) > 0
        share = 1 / np.maximum(has_ahead.astype(np.float64) + has_back, 1)
        step = np.diff(p, axis=axis)
        first, last = [slice(None)] * 2, [slice(None)] * 2
        first[axis], last[axis] = slice(None, -1), slice(1, None)
        total = np.zeros_like(p)
        total[tuple(first)] = step * (has_ahead * share)[tuple(first)][..., None]
        total[tuple(last)] += step * (has_back * share)[tuple(last)][..., None]
        return total

    return along(1, LEFT, RIGHT), along(0, UP, DOWN)


def surface_groups(chart: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Which surface each texel of a chart map [H, W] lies on; teeth and gums are one."""
    group = np.asarray(chart, np.uint8).copy()
    group[group == _GUM] = _TEETH
    return group


def texel_triangles(chart: NDArray[np.integer]) -> NDArray[np.int32]:
    """The atlas as a triangle mesh over its texels: two triangles per quad of one surface.

    The back of the head is stitched: left of column 0 lies column W - 1, and above row 0 lies the
    row's own twin (both only where the texels are skin). So are the two halves of the mouth cavity,
    along their mid-line.

    Args:
        chart: [H, W] of ``types.Chart``; W even.

    Returns:
        [T, 3] texel numbers (row * W + column). All wind the same way over the grid: right, then
        down.
    """
    group = surface_groups(chart)
    height, width = group.shape
    index = np.arange(height * width, dtype=np.int32).reshape(height, width)
    whole = (group[:-1, :-1] > 0) & (group[:-1, :-1] == group[1:, :-1])
    whole &= (group[:-1, :-1] == group[:-1, 1:]) & (group[:-1, :-1] == group[1:, 1:])
    quads = [
        np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1)[whole],
        _seam_quads(group[:, [-1, 0]], index[:, [-1, 0]]),
    ]
    half = width // 2
    crown = slice(0, half)  # row 0, and its twin mirrored above it
    quads.append(
        _seam_quads(
            np.stack([group[0, ::-1][crown], group[0, crown]], 1)[::-1],
            np.stack([index[0, ::-1][crown], index[0, crown]], 1)[::-1],
        )
    )
    quads.append(_cavity_quads(group, index))
    q = np.concatenate(quads)
    return np.ascontiguousarray(np.concatenate([q[:, [0, 1, 2]], q[:, [0, 2, 3]]]))


def _seam_quads(group: NDArray[np.uint8], index: NDArray[np.int32]) -> NDArray[np.int32]:
    """Quads [Q, 4] between two facing lines of texels [L, 2] (left, right), where all are skin."""
    whole = (group[:-1] == _SKIN).all(1) & (group[1:] == _SKIN).all(1)
    left, right = index[:, 0], index[:, 1]
    return np.stack([left[:-1], right[:-1], right[1:], left[1:]], -1)[whole]


def _cavity_quads(group: NDArray[np.uint8], index: NDArray[np.int32]) -> NDArray[np.int32]:
    """Quads [Q, 4] between the cavity's halves, each row's inmost texel with its twin."""
    middle = group.shape[1] // 2
    left_half = group[:, middle:] == _CAVITY
    rows = np.flatnonzero(left_half.any(1) & ~left_half[:, 0])  # where the halves lie apart
    if not len(rows):
        return np.empty((0, 4), np.int32)
    inmost = middle + left_half[rows].argmax(1)
    right, left = index[rows, inmost], index[rows, group.shape[1] - 1 - inmost]
    quads = np.stack([left[:-1], right[:-1], right[1:], left[1:]], -1)
    return quads[np.diff(rows) == 1]
