"""The outline: no Gaussian may paint mostly outside the person.

Carving moves texels inside the matte, but a Gaussian has width, and hair has several sheets. Here
the renderer itself says where each one's light lands in the source view.
"""

from dataclasses import replace

import numpy as np

from avatar_engine.gaussian.smooth import smoothstep
from avatar_engine.gaussian.source_view import SourceView
from avatar_engine.gaussian.view import View
from avatar_engine.types import Chart, HeadMaps

_ROUNDS = 4  # what a faded sheet hid comes to light, and is judged in the next round
_KEPT, _GONE = 0.12, 0.55  # share of light outside the matte
_SKIN_KEPT = 0.97  # per round: the outline of one view lies inside another, a hole would show there
_UNSEEN = 0.02  # pixels of light: too little to judge by


def trim_outline(view: View, maps: HeadMaps, source: SourceView) -> HeadMaps:
    """The same maps without what would show as a halo around the head.

    Args:
        view: The source view.
        maps: Before the colour solve.
        source: Opened with these maps.
    """
    outside = 1 - view.matte.ravel()
    for _ in range(_ROUNDS):
        light, spilt = source.light_on(maps.opacities, outside, _KEPT)
        share = spilt / np.maximum(light, 1e-6)
        keep = np.where(light < _UNSEEN, 1, 1 - smoothstep(share, _KEPT, _GONE))
        keep = np.where(maps.chart == Chart.HAIR, keep, np.maximum(keep, _SKIN_KEPT))
        maps = replace(maps, opacities=(maps.opacities * keep).astype(np.float32))
    return maps
