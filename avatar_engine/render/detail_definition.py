"""The numbers of the detail (step 12 of ``CONVENTIONS.md``), shared by its two makings."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.definition import COLUMNS
from avatar_engine.types import Chart, HeadMaps
from avatar_engine.types.maps import TintDriver

DETAIL_OPAQUE = 0.5
"""Gaussians from this opacity on carry detail, and hide what lies behind them from it."""
DETAIL_DEPTH_CM = 0.5
"""Texels so far behind the nearest of their cell still belong to the surface."""
DETAIL_FULL = 0.75
"""Opaque texels that are not idle in a cell (smoothed) from which on its detail counts in full."""
DETAIL_FOLD_CELLS = 0.5
"""Where the flow within a cell and its neighbours spreads by so many cells, detail is halved: it
is a fold, an edge or a stretched place, where the photo's texture no longer fits."""
DETAIL_STRETCH = 0.7
"""Texels whose area in the picture changed by this in its logarithm (a factor of 2) since the
photo carry half their detail, and soon none: a closing lid is no stretched eye."""
DETAIL_STRETCH_APART = 0.25
"""The same where the Gaussians' own picture is apart from the photo."""
DETAIL_APART = (4.0, 10.0)
"""Bytes of luma by which a cell of the photo is a little, and surely, apart. What is drawn there is
guessed, skin where an ear stood before it: the photo's finer part is of something else."""
DETAIL_FAINTEST = 0.02
"""Weights below this are not drawn."""
DETAIL_WORTH = 3
"""Cells of the photo without a luma difference of so many bytes are not fetched."""


def detail_cell(width: int, height: int) -> int:
    """Side of a cell of the detail's grid, pixels: a power of two, 4 at 512 x 512."""
    return 1 << max(1, int(np.ceil(np.log2(max(width, height) / 160))))


def detail_share(coverage: NDArray[np.floating]) -> NDArray[np.floating]:
    """How much of the photo's difference is detail [H, W], by the head's coverage there.

    Along the outline the difference is mostly of background that the Gaussians cover or leave
    bare; a head that turns would carry it along as a bright or dark arc.
    """
    t = np.clip((coverage - 0.55) / 0.4, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def detail_bears(luma: NDArray[np.floating], cell: int) -> NDArray[np.float32]:
    """How much texels bear to be stretched before they carry half their detail [rows, columns].

    Args:
        luma: [H, W] bytes, the photo's minus that of the Gaussians' picture.
        cell: Side of a cell, pixels.
    """
    rows, columns = (-(-length // cell) for length in luma.shape)
    whole = np.zeros((rows * cell, columns * cell))
    whole[: luma.shape[0], : luma.shape[1]] = luma
    apart = np.abs(whole.reshape(rows, cell, columns, cell).mean((1, 3)))
    beside = np.pad(apart, 1, mode="edge")
    across = (beside[:, :-2] + 2 * beside[:, 1:-1] + beside[:, 2:]) / 4
    apart = (across[:-2] + 2 * across[1:-1] + across[2:]) / 4
    low, high = DETAIL_APART
    t = np.clip((apart - low) / (high - low), 0, 1)
    t = t * t * (3 - 2 * t)
    return (DETAIL_STRETCH + t * (DETAIL_STRETCH_APART - DETAIL_STRETCH)).astype(np.float32)


OUTSIDE, EYE, MOUTH, IDLE = 0, 1, 2, 3


def detail_kinds(maps: HeadMaps) -> NDArray[np.uint8]:
    """What each texel [M] is to the detail, by its chart.

    OUTSIDE carries it and hides what is behind. EYE carries it where nothing outside is in front:
    lids slide over eyeballs at a hair's breadth. MOUTH only takes up room: what a smile showed of
    teeth must not be drawn on another opening.
    """
    chart = maps.chart
    inner = np.isin(chart, (Chart.TEETH, Chart.GUM, Chart.TONGUE, Chart.CAVITY))
    kinds = np.where(inner, MOUTH, np.where(chart == Chart.EYE, EYE, OUTSIDE))
    return kinds.astype(np.uint8)


def carrier_kinds(maps: HeadMaps) -> NDArray[np.uint8]:
    """The same [M] with every second texel IDLE, like the dark squares of a chessboard.

    The others suffice to say where a cell came from.
    """
    texels = np.arange(len(maps.chart))
    is_idle = (texels // COLUMNS + texels) % 2 == 1
    return np.where(is_idle, IDLE, detail_kinds(maps)).astype(np.uint8)


def detail_fading(maps: HeadMaps) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """What takes a texel's detail away [M], as TintDriver, and how much of it at 1 [M].

    A tint says that the colour is no longer the photo's: its finer part is neither.
    """
    drivers = np.zeros(len(maps.positions), np.uint8)
    share = np.zeros(len(maps.positions), np.float32)
    if len(maps.tints):
        count = len(maps.tints)
        drivers[:count] = maps.tint_drivers
        strength = np.abs(maps.tints).max(1)
        is_lid = np.isin(maps.tint_drivers, (TintDriver.LEFT_LID, TintDriver.RIGHT_LID))
        share[:count] = np.where(is_lid, strength > 0, np.minimum(6 * strength, 1))
        rim = np.flatnonzero(_parted_rim(maps))
        drivers[rim], share[rim] = TintDriver.MOUTH, 1.0
    return drivers, share


def _parted_rim(maps: HeadMaps) -> NDArray[np.bool_]:
    """[T] the rim of lips that stood apart in the photo: they darken as they meet."""
    return (maps.tint_drivers == TintDriver.LIPS) & (maps.tints.sum(1) < 0)
