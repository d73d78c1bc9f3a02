"""What a compensator adds to a head: colours that the photo did not show, and corrective modes."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.painting import PaintedHead
from avatar_engine.types import Chart, Compensation, Drivers, HeadMaps

_SMALLEST_CM = 0.003  # a tenth of a pixel at 512: what moves less is left out, and costs nothing


def with_completion(painted: PaintedHead, completion: Compensation) -> PaintedHead:
    """The head with completed skin; what the photo showed itself is not touched."""
    unseen = 1 - np.clip(painted.samples.weight, 0, 1)
    share = np.where(painted.s.regions.skin, unseen, 0)[:, None]
    color = painted.color + share * (completion.color - painted.color)
    return replace(painted, color=np.clip(color, 0, 1))


def with_corrections(
    maps: HeadMaps, completion: Compensation, still: NDArray[np.floating]
) -> HeadMaps:
    """The maps with corrective modes after the source residual.

    Args:
        maps: Without corrective modes.
        completion: Whose modes are wanted.
        still: [N] in [0, 1], what must not move, such as glasses; eyeballs never do.
    """
    n = len(still)
    moved = completion.modes * (1 - np.asarray(still, np.float32))[:, None]
    moved[:, maps.chart[:n] == Chart.EYE] = 0
    moved[np.abs(moved).max(-1) < _SMALLEST_CM] = 0
    top = np.abs(moved).max((1, 2))
    used = np.flatnonzero(top > 0)
    scales = (top[used] / 32767).astype(np.float32)
    modes = np.round(moved[used] / scales[:, None, None]).astype(np.int16)
    told = completion.drivers
    return replace(
        maps,
        modes=np.concatenate([maps.modes, modes]),
        mode_scales=np.concatenate([maps.mode_scales, scales]),
        drivers=Drivers(told.linear[used], told.pairs, told.floors, told.products[used]),
    )
