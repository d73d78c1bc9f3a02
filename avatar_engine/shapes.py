"""The UV grid: which texels are neighbours, and tangents of maps over it."""

import numpy as np
from numpy.typing import NDArray

LEFT, RIGHT, UP, DOWN = 1, 2, 4, 8
"""Bits of a texel's neighbours: the texel beside it lies on the same surface."""


def grid_neighbours(group: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Neighbour bits [H, W] of a grid whose cells share a surface where ``group`` is equal, non-zero."""
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
        step = np.diff(p, axis=axis)
        pad_last = [(0, 0)] * p.ndim
        pad_last[axis] = (0, 1)
        pad_first = [(0, 0)] * p.ndim
        pad_first[axis] = (1, 0)
        has_ahead = ((neighbours & ahead) > 0)[..., None]
        has_back = ((neighbours & back) > 0)[..., None]
        total = np.pad(step, pad_last) * has_ahead + np.pad(step, pad_first) * has_back
        return total / np.maximum(has_ahead.astype(np.float64) + has_back, 1)

    return along(1, LEFT, RIGHT), along(0, UP, DOWN)
