# mypy: allow-untyped-defs, allow-untyped-calls
"""How much each Gaussian contributes to each pixel: the matrix of a persona's colour solve.

With geometry fixed, a picture is linear in the colours: ``pixels = W @ colors + light * behind``.
Tints are left out: in the photo's own expression, where colours are solved, none acts. So is the
red of the unlit mouth.
"""

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.cpu.packed import pack
from avatar_engine.render.cpu.pose import pose
from avatar_engine.render.cpu.records import box_of, ink_parts, palette_for, records_for
from avatar_engine.render.cpu.renderer import frame_view
from avatar_engine.render.cpu.sort import depth_order
from avatar_engine.render.definition import ALPHA_CUT
from avatar_engine.types import Camera, FaceState, HeadMaps


def blend_weights(
    maps: HeadMaps,
    camera: Camera,
    state: FaceState,
    source_residual: float,
    width: int,
    height: int,
    *,
    smallest: float = 1e-3,
) -> tuple[scipy.sparse.csr_array, NDArray[np.float32]]:
    """The linear map from colours to pixels of one view.

    Args:
        maps: The persona; its colours do not matter.
        camera: The source view; framed to ``width`` x ``height`` as the renderers do.
        state: What to draw. For the photo itself: ``blendshapes = source - rest``, residual 1.
        source_residual: Weight of the source residual mode.
        width: Of the picture, pixels.
        height: Of the picture, pixels.
        smallest: Weights up to this are left out of the matrix: faint tails and what lies
            behind opaque skin make up half of all entries and next to nothing of the picture.

    Returns:
        Weights [H * W, M] float32 (pixels row-major, texels as in ``maps``; column indices
        within a row are in depth order, not sorted), and the light [H * W] in [0, 1] that is
        left for the plates.
    """
    packed = pack(maps, cut=ALPHA_CUT)
    records = records_for(packed)
    view = frame_view(maps, packed, camera.framed(width, height), state, source_residual)
    tinted = len(packed.tint_columns)
    # Colours of one come back as the light on each Gaussian.
    white = palette_for(np.full((len(maps.positions), 3), 255), np.zeros((tinted, 3)), np.zeros(3))
    pose(packed, view, white, records)
    texels = packed.opacity.size
    ends = np.zeros(width * height, np.int64)
    light = np.ones(width * height, np.float32)
    nothing = np.zeros(0, np.int32), np.zeros(0, np.float32)
    scene = (depth_order(records), records.values, records.places)
    _walk(*scene, width, np.float32(smallest), light, ends, *nothing)
    np.cumsum(ends, out=ends)
    starts = np.concatenate([[0], ends])
    columns, weights = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.float32)
    light[:] = 1
    _walk(*scene, width, np.float32(smallest), light, starts[:-1].copy(), columns, weights)
    matrix = scipy.sparse.csr_array((weights, columns, starts), shape=(width * height, texels))
    return matrix, light


@kernel
def _walk(order, values, places, width, smallest, light, cursor, columns, weights):
    """Blend front to back; move each pixel's cursor, and write its entries where there is room."""
    has_room = columns.shape[0] > 0
    for k in range(order.shape[0]):
        i = order[k]
        q, box, texel = values[i], box_of(places[i]), places[i, 3]
        lit = ink_parts(values, i)[0] * np.float32(1 / 255)
        for y in range(box[2], box[3] + 1):
            dy = np.float32(y) - q[1]
            for x in range(box[0], box[1] + 1):
                dx = np.float32(x) - q[0]
                e = np.float32(0.5) * (q[2] * dx * dx + q[4] * dy * dy) + q[3] * dx * dy
                p = y * width + x
                w = light[p] * np.exp(q[5] - e)
                light[p] -= w
                if w > smallest:
                    if has_room:
                        columns[cursor[p]] = texel
                        weights[cursor[p]] = w * lit
                    cursor[p] += 1
