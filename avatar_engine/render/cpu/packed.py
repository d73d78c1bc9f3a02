"""A persona's maps laid out for the kernels: rows of 256 texels, constants precomputed."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import RenderError
from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.definition import (
    ATLAS_ROWS,
    COLUMNS,
    INNER_MOUTH,
    LID_CLEARANCE,
    OPACITY_LIMIT,
    inner_neighbours,
)
from avatar_engine.render.joints import expression_weights
from avatar_engine.types import Chart, FaceState, HeadMaps
from avatar_engine.types.maps import PLAIN_MODES

FOOTPRINT_CUT = 0.02
"""Footprints are the boxes where alpha reaches this: windows of 8 x 4 pixels draw most of what lies
below, evenly on all sides, and more would cost time without being seen."""
HAS_EYE, HAS_LID, HAS_MOUTH, HAS_TINT = 1, 2, 4, 8
"""Bits of a row: it holds texels that need more than modes and joints."""

_SPAN_STEP = 16


class PackedMaps(NamedTuple):
    """Read-only inputs of the pose kernel; renderers on several threads may share one.

    R rows of C = 256 texels. Names follow HeadMaps; ``rest`` is already in ``surface``.

    Attributes:
        surface: [R, C * 3] float32 at the rest expression, cm.
        modes: [K, 256, C * 3] int16, the persona's own array.
        spans: [K, 256, 2] int16 first and last + 1 column where a mode moves anything.
        mode_scales: As in HeadMaps.
        rest: [K] weights of the modes at rest.
        head_weight, winding, depth_bias, opacity: [R, C] float32.
        log_opacity, reach: [R, C] float32: ln(opacity), 2 ln(opacity / cut) (<= 0: never drawn).
        sigmas, tangent_caps: [R, 2, C] float32.
        neighbours, chart: [R, C] uint8.
        row_kind: [R] uint8 of HAS_ bits.
        colors: [R, C, 3] float32 in [0, 1].
        tints: [256, C, 3] float32 in [-1, 1].
        tint_drivers: [256, C] uint8 of TintDriver.
        lid_starts: [257] int32 into lid_columns, by row.
        lid_columns: [L] int32.
        eye_centers: [2, 3] float32; lid_radius: cm.
        lips: [2, P] int32 texels, upper then lower.
        cut: Alpha at the edge of a footprint.
        radius: cm, no texel is farther from the pivot in any expression.
    """

    surface: NDArray[np.float32]
    modes: NDArray[np.int16]
    spans: NDArray[np.int16]
    mode_scales: NDArray[np.float32]
    rest: NDArray[np.float64]
    head_weight: NDArray[np.float32]
    winding: NDArray[np.float32]
    depth_bias: NDArray[np.float32]
    opacity: NDArray[np.float32]
    log_opacity: NDArray[np.float32]
    reach: NDArray[np.float32]
    sigmas: NDArray[np.float32]
    tangent_caps: NDArray[np.float32]
    neighbours: NDArray[np.uint8]
    chart: NDArray[np.uint8]
    row_kind: NDArray[np.uint8]
    colors: NDArray[np.float32]
    tints: NDArray[np.float32]
    tint_drivers: NDArray[np.uint8]
    lid_starts: NDArray[np.int32]
    lid_columns: NDArray[np.int32]
    eye_centers: NDArray[np.float32]
    lid_radius: np.float32
    lips: NDArray[np.int32]
    radius: np.float32
    cut: np.float32


def pack(maps: HeadMaps, *, cut: float = FOOTPRINT_CUT) -> PackedMaps:
    """Lay a persona out for the kernels.

    Args:
        maps: The persona.
        cut: Alpha at the edge of a footprint.

    Raises:
        RenderError: The maps do not have whole rows of 256 texels, or modes of the atlas's size.
    """
    texels = len(maps.positions)
    if texels % COLUMNS or texels < ATLAS_ROWS * COLUMNS:
        raise RenderError(
            f"maps of {texels} texels: need whole rows of {COLUMNS}, {ATLAS_ROWS} rows or more"
        )
    count = PLAIN_MODES + len(maps.drivers)
    if maps.modes.shape != (count, ATLAS_ROWS * COLUMNS, 3) or maps.modes.dtype != np.int16:
        raise RenderError(
            f"modes are {maps.modes.dtype} {maps.modes.shape}, not int16 [{count}, N, 3]"
        )
    rows = texels // COLUMNS
    grid = (rows, COLUMNS)
    modes = _writable(np.ascontiguousarray(maps.modes)).reshape(count, ATLAS_ROWS, COLUMNS * 3)
    rest = expression_weights(maps, FaceState(), 0.0)
    surface = np.array(maps.positions, np.float32).reshape(rows, COLUMNS * 3)
    for k in np.flatnonzero(rest):
        surface[:ATLAS_ROWS] += np.float32(rest[k]) * maps.mode_scales[k] * modes[k]
    opacity = np.clip(np.nan_to_num(maps.opacities), 0, OPACITY_LIMIT).astype(np.float32)
    chart = maps.chart.reshape(grid)
    row_kind = np.zeros(rows, np.uint8)
    row_kind[(chart == Chart.EYE).any(1)] |= HAS_EYE
    row_kind[np.isin(chart, INNER_MOUTH).any(1)] |= HAS_MOUTH
    atlas = (ATLAS_ROWS, COLUMNS)
    drivers, tints = np.zeros(atlas, np.uint8), np.zeros((*atlas, 3), np.float32)
    if len(maps.tints):
        drivers, tints = maps.tint_drivers.reshape(atlas), maps.tints.reshape(*atlas, 3)
    row_kind[:ATLAS_ROWS][drivers.any(1)] |= HAS_TINT
    lids = np.sort(maps.lid_texels)
    row_kind[np.unique(lids // COLUMNS)] |= HAS_LID
    packed = PackedMaps(
        surface=surface,
        modes=modes,
        spans=_spans(modes),
        mode_scales=np.asarray(maps.mode_scales, np.float32),
        rest=rest,
        head_weight=_float_grid(maps.head_weight, grid),
        winding=_float_grid(maps.winding, grid),
        depth_bias=_float_grid(maps.depth_bias, grid),
        opacity=opacity.reshape(grid),
        log_opacity=np.log(np.maximum(opacity, 1e-9)).reshape(grid),
        reach=(2 * np.log(np.maximum(opacity, 1e-9) / np.float32(cut))).reshape(grid),
        sigmas=_planes(maps.sigmas, grid),
        tangent_caps=_planes(np.minimum(maps.tangent_caps, np.float32(1e6)), grid),
        neighbours=inner_neighbours(maps.neighbours.reshape(grid)),
        chart=np.ascontiguousarray(chart),
        row_kind=row_kind,
        colors=np.ascontiguousarray(maps.colors, np.float32).reshape(*grid, 3),
        tints=np.ascontiguousarray(tints, np.float32),
        tint_drivers=np.ascontiguousarray(drivers),
        lid_starts=np.searchsorted(lids, np.arange(ATLAS_ROWS + 1) * COLUMNS).astype(np.int32),
        lid_columns=(lids % COLUMNS).astype(np.int32),
        eye_centers=np.ascontiguousarray(maps.eye_centers, np.float32),
        lid_radius=np.float32(LID_CLEARANCE * maps.eye_radius),
        lips=np.stack([maps.lip_upper, maps.lip_lower]).astype(np.int32),
        radius=np.float32(_radius(maps)),
        cut=np.float32(cut),
    )
    return PackedMaps(*map(_writable, packed))


def _writable(value: Any) -> Any:
    """The same; copied where it may not be written, as arrays out of a file.

    To numba those are another type, for which it would compile every kernel a second time.
    """
    is_fixed = isinstance(value, np.ndarray) and not value.flags.writeable
    return value.copy() if is_fixed else value


def _float_grid(values: NDArray, grid: tuple[int, int]) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, np.float32).reshape(grid)


def _planes(values: NDArray, grid: tuple[int, int]) -> NDArray[np.float32]:
    """[M, 2] to [R, 2, C]."""
    by_row = np.asarray(values, np.float32).reshape(*grid, 2)
    return np.ascontiguousarray(by_row.transpose(0, 2, 1))


def _radius(maps: HeadMaps) -> float:
    expression_reach_cm = 3.0
    distance = np.linalg.norm(maps.positions[maps.opacities > 0] - maps.pivot, axis=1)
    return float(np.max(distance, initial=0.0, where=np.isfinite(distance))) + expression_reach_cm


@kernel
def _spans(modes: NDArray[np.int16]) -> NDArray[np.int16]:
    """First and last + 1 column [K, R, 2] of what each mode moves in each row, in whole steps."""
    spans = np.zeros((modes.shape[0], modes.shape[1], 2), np.int16)
    for k in range(modes.shape[0]):
        for r in range(modes.shape[1]):
            row = modes[k, r]
            first = 0
            while first < row.shape[0] and row[first] == 0:
                first += 1
            if first == row.shape[0]:
                continue
            last = row.shape[0] - 1
            while row[last] == 0:
                last -= 1
            spans[k, r, 0] = first // 3 // _SPAN_STEP * _SPAN_STEP
            spans[k, r, 1] = (last // 3 // _SPAN_STEP + 1) * _SPAN_STEP
    return spans
