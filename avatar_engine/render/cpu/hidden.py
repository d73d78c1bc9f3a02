"""Gaussians that no view around the front shows: a presenter's frames leave them out.

The back of the skull, what lies under hair, hair under hair. Which they are is found once, by
drawing a few turned heads; who turns farther than those is drawn with everything.
"""

import math
from itertools import product

import numpy as np

from avatar_engine.render.cpu.blend import blend_linear
from avatar_engine.render.cpu.canvas import canvas_for
from avatar_engine.render.cpu.frame import frame_view
from avatar_engine.render.cpu.mode_blocks import BLOCK, block_reach
from avatar_engine.render.cpu.packed import PackedMaps, narrowed
from avatar_engine.render.cpu.pose import pose
from avatar_engine.render.cpu.records import palette_of, records_for
from avatar_engine.render.cpu.sort import bins_for, sort_into
from avatar_engine.render.definition import ATLAS_ROWS, COLUMNS
from avatar_engine.render.joints import finite
from avatar_engine.types import Camera, Chart, FaceState, HeadMaps

FRONTAL_YAW_RAD, FRONTAL_PITCH_RAD = math.radians(16), math.radians(13)
"""Heads that turn no farther are frontal: three times as far as a presenter's."""
_FRONTAL_SHIFT_CM = 4.0
_UNSEEN = 1 / 150
"""A Gaussian is hidden if no pixel of any view takes more than this share of it."""
_MOBILE_CM = 0.15
"""What expressions move farther may come out from under its neighbours."""
_SOCKET_RADII = 2.0
"""Nor is anything hidden this near to an eye's centre, which lids open and close over."""
_LEAST_PX = 128
"""Smaller pictures take many Gaussians to a pixel, and are fast enough with all of them."""
_MARGIN = 0.85
"""What stands just outside of the picture may come into it."""


def is_frontal(state: FaceState) -> bool:
    """Whether a frame does without what ``without_hidden`` leaves out."""
    yaw, pitch, _ = finite(state.head_pose)
    return bool(
        abs(yaw) <= FRONTAL_YAW_RAD
        and abs(pitch) <= FRONTAL_PITCH_RAD
        and finite(state.orbit) == 0
        and np.abs(finite(state.head_shift)).max() <= _FRONTAL_SHIFT_CM
    )


def without_hidden(maps: HeadMaps, packed: PackedMaps, camera: Camera) -> PackedMaps:
    """A persona without the Gaussians that no frontal head shows.

    Args:
        maps: The persona.
        packed: ``pack(maps)``.
        camera: Framed to the output.
    """
    if min(camera.width, camera.height) < _LEAST_PX:
        return packed
    K = camera.K.copy()
    K[:2, :2] *= _MARGIN
    wider = Camera(camera.viewmat, K, camera.width, camera.height)
    records, palette = records_for(packed), palette_of(maps)
    bins = bins_for(packed.opacity.size, wider.width, wider.height)
    canvas = canvas_for(bins)
    picture = np.empty((4, wider.height, wider.width), np.float32)
    shown = np.zeros(len(maps.opacities), np.float32)
    for yaw, pitch in product((-1, 0, 1), repeat=2):
        turned = np.array([yaw * FRONTAL_YAW_RAD, pitch * FRONTAL_PITCH_RAD, 0], np.float32)
        view = frame_view(maps, packed, wider, FaceState(head_pose=turned), 0.0)
        pose(packed, view, palette, records)
        bins = sort_into(bins, records)
        blend_linear(records, bins, canvas, picture, shown)
    is_fixed = np.isin(maps.chart, (Chart.SKIN, Chart.HAIR))
    is_fixed[: ATLAS_ROWS * COLUMNS] &= np.repeat(block_reach(packed.blocks) < _MOBILE_CM, BLOCK)
    away = np.linalg.norm(maps.positions[:, None] - maps.eye_centers, axis=2).min(1)
    is_fixed &= ~(away < _SOCKET_RADII * maps.eye_radius)
    return narrowed(packed, ~is_fixed | (shown > _UNSEEN))
