# mypy: allow-untyped-defs, allow-untyped-calls
"""How much each Gaussian contributes to each pixel: the matrix of a persona's colour solve.

With geometry fixed, a picture is linear in the colours: ``pixels = W @ colors + light * behind``.
"""

import numpy as np
import scipy.sparse
from numba import njit
from numpy.typing import NDArray

from avatar_engine.render.cpu.packed import ALPHA_CUT, COLUMNS, pack
from avatar_engine.render.cpu.pose import JIT, RECORD, pose, records_for
from avatar_engine.render.cpu.renderer import frame_view
from avatar_engine.render.cpu.sort import depth_order
from avatar_engine.types import Camera, FaceState, HeadMaps


def blend_weights(
    maps: HeadMaps,
    camera: Camera,
    state: FaceState,
    source_residual: float,
    width: int,
    height: int,
) -> tuple[scipy.sparse.csr_array, NDArray[np.float32]]:
    """The linear map from colours to pixels of one view.

    Args:
        maps: The persona; its colours do not matter.
        camera: The source view; framed to ``width`` x ``height`` as the renderers do.
        state: What to draw. For the photo itself: ``blendshapes = source - rest``, residual 1.
        source_residual: Weight of the source residual mode.
        width: Of the picture, pixels.
        height: Of the picture, pixels.

    Returns:
        Weights [H * W, M] float32 (pixels row-major, texels as in ``maps``; column indices
        within a row are in depth order, not sorted), and the light [H * W] in [0, 1] that is
        left for the plates.
    """
    packed = pack(maps)
    records = records_for(packed)
    view = frame_view(maps, packed, camera.framed(width, height), state, source_residual)
    pose(packed, view, packed.colors, records)
    texels = packed.opacity.size
    order = depth_order(records, np.zeros(texels, np.int32))
    values, boxes = records.values.reshape(-1, RECORD), records.boxes.reshape(-1, 4)
    reach = _reach(order, values)
    starts = np.zeros(width * height + 1, np.int64)
    _count(order, values, boxes, reach, width, starts)
    np.cumsum(starts, out=starts)
    columns = np.empty(starts[-1], np.int32)
    weights = np.empty(starts[-1], np.float32)
    light = np.ones(width * height, np.float32)
    # fmt: off
    _fill(order, values, boxes, reach, records.texels.ravel(), width, starts[:-1].copy(),
          columns, weights, light)
    # fmt: on
    matrix = scipy.sparse.csr_array(
        (weights, columns, starts), shape=(width * height, texels), copy=False
    )
    return matrix, light


def _reach(order: NDArray[np.int32], values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Largest exponent at which a Gaussian's alpha still counts, per record in ``order``."""
    return values[order, 5] - np.float32(np.log(ALPHA_CUT))


@njit(**JIT)
def _exponent(q, x, y):
    dx, dy = np.float32(x) - q[0], np.float32(y) - q[1]
    return np.float32(0.5) * (q[2] * dx * dx + q[4] * dy * dy) + q[3] * dx * dy


@njit(**JIT)
def _count(order, values, boxes, reach, width, starts):
    for k in range(order.shape[0]):
        q, box = values[order[k]], boxes[order[k]]
        for y in range(box[2], box[3] + 1):
            for x in range(box[0], box[1] + 1):
                if _exponent(q, x, y) <= reach[k]:
                    starts[y * width + x + 1] += 1


@njit(**JIT)
def _fill(order, values, boxes, reach, texels, width, cursor, columns, weights, light):
    for k in range(order.shape[0]):
        i = order[k]
        q, box = values[i], boxes[i]
        texel = i // COLUMNS * COLUMNS + texels[i]
        for y in range(box[2], box[3] + 1):
            for x in range(box[0], box[1] + 1):
                e = _exponent(q, x, y)
                if e <= reach[k]:
                    p = y * width + x
                    w = light[p] * np.exp(q[5] - e)
                    light[p] -= w
                    columns[cursor[p]] = texel
                    weights[cursor[p]] = w
                    cursor[p] += 1
