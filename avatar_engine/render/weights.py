# mypy: allow-untyped-defs, allow-untyped-calls
"""How much each Gaussian contributes to each pixel: the matrix of a persona's colour solve.

With geometry fixed, a picture is linear in the colours: ``pixels = W @ colors + light * behind``.
Tints are left out: in the photo's own expression, where colours are solved, none acts. So is the
red of the unlit mouth.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.cpu.frame import frame_view
from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.cpu.packed import pack
from avatar_engine.render.cpu.pose import pose
from avatar_engine.render.cpu.records import box_of, ink_parts, palette_for, records_for
from avatar_engine.render.cpu.sort import depth_order
from avatar_engine.render.definition import ALPHA_CUT, OPACITY_LIMIT
from avatar_engine.types import Camera, FaceState, HeadMaps

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SMALLEST = 1e-3
"""Weights up to this are left out: faint tails and what lies behind opaque skin make up half of all
entries and next to nothing of the picture."""


def blend_weights(
    maps: HeadMaps,
    camera: Camera,
    state: FaceState,
    source_residual: float,
    width: int,
    height: int,
    *,
    smallest: float = SMALLEST,
) -> "tuple[csr_array, NDArray[np.float32]]":
    """The linear map from colours to pixels of one view.

    Args:
        maps: The persona; its colours do not matter.
        camera: The source view; framed to ``width`` x ``height`` as the renderers do.
        state: What to draw. For the photo itself: ``blendshapes = source - rest``, residual 1.
        source_residual: Weight of the source residual mode.
        width: Of the picture, pixels.
        height: Of the picture, pixels.
        smallest: Weights up to this are left out of the matrix.

    Returns:
        Weights [H * W, M] float32 (pixels row-major, texels as in ``maps``; column indices
        within a row are in depth order, not sorted), and the light [H * W] in [0, 1] that is
        left for the plates.
    """
    view = BlendedView(maps, camera.framed(width, height), state, source_residual)
    return view.weights(maps.opacities, smallest=smallest)


class BlendedView:
    """One view of one persona while its opacities change."""

    def __init__(
        self, maps: HeadMaps, camera: Camera, state: FaceState, source_residual: float
    ) -> None:
        """Lay it out once.

        Args:
            maps: The persona; its colours do not matter, and opacities may only fall later.
            camera: Of the picture.
            state: What to draw.
            source_residual: Weight of the source residual mode.
        """
        self._packed = pack(maps, cut=ALPHA_CUT)
        self._width, self._height = camera.width, camera.height
        self._view = frame_view(maps, self._packed, camera, state, source_residual)
        self._records = records_for(self._packed)
        colors = np.full((len(maps.positions), 3), 255)
        # Colours of one come back as the light on each Gaussian.
        self._white = palette_for(
            colors, np.zeros((len(self._packed.tint_columns), 3)), np.zeros(3)
        )

    def weights(
        self, opacities: NDArray[np.float32], *, smallest: float = SMALLEST
    ) -> "tuple[csr_array, NDArray[np.float32]]":
        """Blend weights and the light left, as :func:`blend_weights`.

        Args:
            opacities: [M].
            smallest: Weights up to this are left out.
        """
        from scipy.sparse import csc_array, csr_array  # not wanted where nothing is solved

        order = self._posed(opacities)
        light = np.ones(self._width * self._height, np.float32)
        room = int(_areas(self._boxes(order)).sum())
        pixels, weights = np.empty(room, np.int32), np.empty(room, np.float32)
        starts, _ = self._walked(order, light, light, smallest, (pixels, weights))
        entries = weights[: starts[-1]], pixels[: starts[-1]], starts
        by_pixel = csc_array(entries, shape=(len(light), len(order))).tocsr()
        texels = self._records.places[order, 3]
        entries = by_pixel.data, texels[by_pixel.indices], by_pixel.indptr
        return csr_array(entries, shape=(len(light), len(opacities))), light

    def light_on(
        self, opacities: NDArray[np.float32], share: NDArray[np.floating], least: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Light that Gaussians send, and how much of it falls where.

        Args:
            opacities: [M].
            share: [H * W] in [0, 1].
            least: Gaussians under whose boxes no pixel's share is above this are not looked at.

        Returns:
            [M] pixels of light, and [M] the same times the share; both 0 where not looked at.
        """
        order = self._posed(opacities)
        share = np.ascontiguousarray(share, dtype=np.float32)
        boxes = self._boxes(order)
        is_asked = _touches(boxes, (share > least).reshape(self._height, self._width))
        zone = _covered(boxes[:, is_asked], self._width, self._height)
        is_near = _touches(boxes, zone)
        order, is_asked = order[is_near], is_asked[is_near]
        light = zone.astype(np.float32).ravel()  # elsewhere there is none to give
        nothing = np.empty(0, np.int32), np.empty(0, np.float32)
        _, sums = self._walked(order, light, share, SMALLEST, nothing)
        out = np.zeros((2, len(opacities)), np.float32)
        out[:, self._records.places[order[is_asked], 3]] = sums[is_asked].T
        return out[0], out[1]

    def _posed(self, opacities: NDArray[np.float32]) -> NDArray[np.int64]:
        """Records at some opacities, near first."""
        packed, grid = self._packed, self._packed.opacity.shape
        opacity = np.clip(np.nan_to_num(opacities), 0, OPACITY_LIMIT).astype(np.float32)
        log_opacity = np.log(np.maximum(opacity, 1e-9))
        packed = packed._replace(
            opacity=opacity.reshape(grid), log_opacity=log_opacity.reshape(grid)
        )
        pose(packed, self._view, self._white, self._records)
        return depth_order(self._records)

    def _boxes(self, order: NDArray[np.int64]) -> NDArray[np.int32]:
        """x0, x1, y0, y1 [4, n], inclusive."""
        x, y = self._records.places[order, :2].T
        return np.stack([x & 0xFFFF, x >> 16, y & 0xFFFF, y >> 16])

    def _walked(
        self,
        order: NDArray[np.int64],
        light: NDArray[np.float32],
        share: NDArray[np.float32],
        smallest: float,
        room: tuple[NDArray[np.int32], NDArray[np.float32]],
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        starts, sums = np.zeros(len(order) + 1, np.int64), np.empty((len(order), 2), np.float32)
        scene = order, self._records.values, self._records.places, self._width
        _walk(*scene, np.float32(smallest), light, share, starts, sums, *room)
        return starts, sums


def _areas(boxes: NDArray[np.int32]) -> NDArray[np.int64]:
    x0, x1, y0, y1 = boxes.astype(np.int64)
    return (x1 - x0 + 1) * (y1 - y0 + 1)


def _touches(boxes: NDArray[np.int32], mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[n] whether a box [4, n] holds any true pixel of [H, W]."""
    table = np.pad(mask, ((1, 0), (1, 0))).cumsum(0, np.int32).cumsum(1)
    x0, x1, y0, y1 = boxes
    held = table[y1 + 1, x1 + 1] - table[y0, x1 + 1] - table[y1 + 1, x0] + table[y0, x0]
    return np.asarray(held > 0)


def _covered(boxes: NDArray[np.int32], width: int, height: int) -> NDArray[np.bool_]:
    """[H, W] pixels under any box [4, n]."""
    x0, x1, y0, y1 = boxes
    steps = np.zeros((height + 1) * (width + 1))
    for sign, y, x in ((1, y0, x0), (-1, y0, x1 + 1), (-1, y1 + 1, x0), (1, y1 + 1, x1 + 1)):
        steps += sign * np.bincount(y * (width + 1) + x, minlength=len(steps))
    return steps.reshape(height + 1, -1).cumsum(0).cumsum(1)[:-1, :-1] > 0


@kernel
def _walk(order, values, places, width, smallest, light, share, starts, sums, pixels, weights):
    """Blend front to back; add up each record's light, and list its pixels where there is room."""
    has_room, entry = pixels.shape[0] > 0, 0
    for k in range(order.shape[0]):
        i = order[k]
        q, box = values[i], box_of(places[i])
        lit = ink_parts(values, i)[0] * np.float32(1 / 255)
        sent, fell = np.float32(0), np.float32(0)
        for y in range(box[2], box[3] + 1):
            dy = np.float32(y) - q[1]
            for x in range(box[0], box[1] + 1):
                p = y * width + x
                if light[p] <= smallest:
                    continue  # nothing behind it can be more
                dx = np.float32(x) - q[0]
                e = np.float32(0.5) * (q[2] * dx * dx + q[4] * dy * dy) + q[3] * dx * dy
                w = light[p] * np.exp(q[5] - e)
                light[p] -= w
                if w > smallest:
                    sent += w
                    fell += w * share[p]
                    if has_room:
                        pixels[entry] = p
                        weights[entry] = w * lit
                        entry += 1
        starts[k + 1] = entry
        sums[k, 0], sums[k, 1] = sent * lit, fell * lit
