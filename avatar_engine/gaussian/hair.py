"""Hair that the head's surface cannot carry: a volume of its own in further rows of the atlas."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import Labels
from avatar_engine.gaussian.zbuffer import Nearest


@dataclass(frozen=True, slots=True)
class HairChart:
    """Maps of the hair's texels, by the names of ``HeadMaps``; whole rows of 256, maybe none."""

    maps: dict[str, NDArray]


def hair_chart(s: Sculpture, labels: Labels, front: Nearest) -> HairChart:
    """No hair volume."""
    empty = np.zeros((0,))
    maps = dict.fromkeys(
        ("head_weight", "chart", "neighbours", "opacities", "winding", "depth_bias"), empty
    )
    maps |= {k: np.zeros((0, 3)) for k in ("positions", "colors")}
    maps |= {k: np.zeros((0, 2)) for k in ("sigmas", "tangent_caps")}
    return HairChart(maps)
