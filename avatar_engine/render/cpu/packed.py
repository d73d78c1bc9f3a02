"""A persona's maps laid out for the kernels: rows of 256 texels, constants precomputed."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import RenderError
from avatar_engine.render.cpu.mode_blocks import ModeBlocks, mode_blocks
from avatar_engine.render.cpu.vectors import LANES
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
HAS_EYE, HAS_LID, HAS_MOUTH = 1, 2, 4
"""Bits of a row: it holds texels that need more than modes and joints."""

FRONT, BACK = 16, 32
"""Bits of ``links``: which sign the winding has; neither on what is two-sided."""
_INVISIBLE = np.log(1e-9)


class PackedMaps(NamedTuple):
    """Read-only inputs of the pose kernel; renderers on several threads may share one.

    R rows of C = 256 texels. Names follow HeadMaps; ``rest`` is already in ``surface``.

    Attributes:
        surface: [R, 3, C] float32 at the rest expression, cm.
        blocks: The modes.
        rest: [K] weights of the modes at rest.
        row_spans: [R, 2] int16 first and last + 1 column of what can be drawn, in whole vectors.
        wide_spans: [R, 2] int16 the same, with the neighbours that tangents look at.
        head_weight: [R, C] uint16 in steps[0]; a frame reads every map once, and its bytes count.
        sigmas: [R, 2, C] uint16 in steps[1].
        tightness: [R, 2, C] uint16 in steps[2]: 1 / tangent cap in 1 / cm, 0 for none.
        depth_bias: [R, C] int16 in steps[3].
        steps: [4] float32.
        opacity, log_opacity: [R, C] float32; ln(opacity), far below ln(cut) where it is 0.
        links: [R, C] uint8 neighbour bits, and FRONT or BACK for the winding's sign.
        chart: [R, C] uint8.
        row_kind: [R] uint8 of HAS_ bits.
        tint_starts: [R + 1] int32 into tint_columns and tint_drivers, by row.
        tint_columns: [T] int32; tint_drivers: [T] uint8 of TintDriver.
        lid_starts: [257] int32 into lid_columns, by row.
        lid_columns: [L] int32.
        eye_centers: [2, 3] float32; lid_radius: cm.
        lips: [3, P] float32 at rest: x and y of the upper inner lip, y of the lower one, cm.
        lip_modes: [K, 3, P] float32 the same of each mode at its full weight.
        log_cut: ln(alpha) at the edge of a footprint.
        radius: cm, no texel is farther from the pivot in any expression.
    """

    surface: NDArray[np.float32]
    blocks: ModeBlocks
    rest: NDArray[np.float64]
    row_spans: NDArray[np.int16]
    wide_spans: NDArray[np.int16]
    head_weight: NDArray[np.uint16]
    sigmas: NDArray[np.uint16]
    tightness: NDArray[np.uint16]
    depth_bias: NDArray[np.int16]
    steps: NDArray[np.float32]
    opacity: NDArray[np.float32]
    log_opacity: NDArray[np.float32]
    links: NDArray[np.uint8]
    chart: NDArray[np.uint8]
    row_kind: NDArray[np.uint8]
    tint_starts: NDArray[np.int32]
    tint_columns: NDArray[np.int32]
    tint_drivers: NDArray[np.uint8]
    lid_starts: NDArray[np.int32]
    lid_columns: NDArray[np.int32]
    eye_centers: NDArray[np.float32]
    lid_radius: np.float32
    lips: NDArray[np.float32]
    lip_modes: NDArray[np.float32]
    radius: np.float32
    log_cut: np.float32


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
    rest = expression_weights(maps, FaceState(), 0.0)
    surface = np.array(maps.positions, np.float32)
    for k in np.flatnonzero(rest):
        surface[: ATLAS_ROWS * COLUMNS] += np.float32(rest[k]) * maps.mode_scales[k] * maps.modes[k]
    opacity = np.clip(np.nan_to_num(maps.opacities), 0, OPACITY_LIMIT).astype(np.float32)
    chart = maps.chart.reshape(grid)
    row_kind = np.zeros(rows, np.uint8)
    row_kind[(chart == Chart.EYE).any(1)] |= HAS_EYE
    row_kind[np.isin(chart, INNER_MOUTH).any(1)] |= HAS_MOUTH
    tinted = np.flatnonzero(maps.tint_drivers)
    lids = np.sort(maps.lid_texels)
    row_kind[np.unique(lids // COLUMNS)] |= HAS_LID
    row_spans, wide_spans = _drawn_spans(opacity.reshape(grid) > 0)
    head_weight, weight_step = _in_steps(maps.head_weight, np.uint16)
    sigmas, sigma_step = _in_steps(maps.sigmas, np.uint16)
    tightness, tightness_step = _in_steps(1 / np.maximum(maps.tangent_caps, 1e-3), np.uint16)
    bias, bias_step = _in_steps(maps.depth_bias, np.int16)
    packed = PackedMaps(
        surface=np.ascontiguousarray(surface.reshape(rows, COLUMNS, 3).transpose(0, 2, 1)),
        blocks=mode_blocks(maps.modes, maps.mode_scales),
        rest=rest,
        row_spans=row_spans,
        wide_spans=wide_spans,
        head_weight=head_weight.reshape(grid),
        sigmas=_planes(sigmas, grid),
        tightness=_planes(tightness, grid),
        depth_bias=bias.reshape(grid),
        steps=np.array([weight_step, sigma_step, tightness_step, bias_step], np.float32),
        opacity=opacity.reshape(grid),
        log_opacity=np.log(np.maximum(opacity, 1e-9)).reshape(grid),
        links=_links(maps, grid),
        chart=np.ascontiguousarray(chart),
        row_kind=row_kind,
        tint_starts=np.searchsorted(tinted, np.arange(rows + 1) * COLUMNS).astype(np.int32),
        tint_columns=(tinted % COLUMNS).astype(np.int32),
        tint_drivers=np.asarray(maps.tint_drivers)[tinted].astype(np.uint8),
        lid_starts=np.searchsorted(lids, np.arange(ATLAS_ROWS + 1) * COLUMNS).astype(np.int32),
        lid_columns=(lids % COLUMNS).astype(np.int32),
        eye_centers=np.ascontiguousarray(maps.eye_centers, np.float32),
        lid_radius=np.float32(LID_CLEARANCE * maps.eye_radius),
        lips=_lip_places(maps, surface),
        lip_modes=_lip_places(maps, maps.modes) * maps.mode_scales[:, None, None],
        radius=np.float32(_radius(maps)),
        log_cut=np.float32(np.log(cut)),
    )
    return PackedMaps(*map(_writable, packed))


def narrowed(packed: PackedMaps, is_drawn: NDArray[np.bool_]) -> PackedMaps:
    """The same persona with fewer Gaussians.

    Args:
        packed: The persona.
        is_drawn: [M] which may be drawn; where they are depends on all of them.
    """
    is_drawn = is_drawn.reshape(packed.opacity.shape) & (packed.opacity > 0)
    row_spans, wide_spans = _drawn_spans(is_drawn)
    shown = np.where(is_drawn, packed.log_opacity, np.float32(_INVISIBLE))
    return packed._replace(row_spans=row_spans, wide_spans=wide_spans, log_opacity=shown)


def _writable(value: Any) -> Any:
    """The same; copied where it may not be written, as arrays out of a file.

    To numba those are another type, for which it would compile every kernel a second time.
    """
    is_fixed = isinstance(value, np.ndarray) and not value.flags.writeable
    return value.copy() if is_fixed else value


def _in_steps(values: NDArray[Any], kind: type[np.integer]) -> tuple[NDArray[Any], float]:
    """Values as whole steps, and the step: the largest is the kind's largest."""
    step = float(np.max(np.abs(values), initial=0.0)) / np.iinfo(kind).max or 1.0
    return np.round(np.asarray(values) / step).astype(kind), step


def _planes(values: NDArray[Any], grid: tuple[int, int]) -> NDArray[Any]:
    """[M, 2] to [R, 2, C]."""
    return np.ascontiguousarray(values.reshape(*grid, 2).transpose(0, 2, 1))


def _lip_places(maps: HeadMaps, places: NDArray[Any]) -> NDArray[Any]:
    """Of places [..., N, 3]: x and y of the upper inner lip, y of the lower one [..., 3, P]."""
    upper, lower = (places[..., lip, :] for lip in (maps.lip_upper, maps.lip_lower))
    return np.stack([upper[..., 0], upper[..., 1], lower[..., 1]], -2)


def _links(maps: HeadMaps, grid: tuple[int, int]) -> NDArray[np.uint8]:
    winding = maps.winding.reshape(grid)
    bits = inner_neighbours(maps.neighbours.reshape(grid))
    return bits | np.where(winding > 0, FRONT, np.where(winding < 0, BACK, 0)).astype(np.uint8)


def _drawn_spans(is_drawn: NDArray[np.bool_]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Per row the columns [R, 2] of drawn texels, and of them and their neighbours."""
    columns = is_drawn.shape[1]
    first = np.where(is_drawn.any(1), is_drawn.argmax(1) // LANES * LANES, columns)
    last = np.where(is_drawn.any(1), columns - is_drawn[:, ::-1].argmax(1) // LANES * LANES, 0)
    low, high = np.pad(first, 1, constant_values=columns), np.pad(last, 1)
    low = np.maximum(np.minimum(np.minimum(low[:-2], low[2:]), first - 1), 0)
    high = np.minimum(np.maximum(np.maximum(high[:-2], high[2:]), last + 1), columns)
    spans = [np.stack([first, last], 1), np.stack([low, high], 1)]
    for span in spans:
        span[span[:, 0] >= span[:, 1]] = 0
    return spans[0].astype(np.int16), spans[1].astype(np.int16)


def _radius(maps: HeadMaps) -> float:
    expression_reach_cm = 3.0
    distance = np.linalg.norm(maps.positions[maps.opacities > 0] - maps.pivot, axis=1)
    return float(np.max(distance, initial=0.0, where=np.isfinite(distance))) + expression_reach_cm
