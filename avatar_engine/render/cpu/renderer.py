# mypy: allow-untyped-defs, allow-untyped-calls
"""The CPU renderer: numba kernels, one thread, no compiler and no torch."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import RenderError
from avatar_engine.render.colour import RGB_TO_YUV
from avatar_engine.render.cpu.blend import blend_i420, blend_linear, blend_rgb
from avatar_engine.render.cpu.canvas import canvas_for
from avatar_engine.render.cpu.detail import add_i420, add_rgb
from avatar_engine.render.cpu.detail_flow import note_source
from avatar_engine.render.cpu.detail_planes import Detail, detail_for
from avatar_engine.render.cpu.frame import frame_view
from avatar_engine.render.cpu.front import front_for, no_front
from avatar_engine.render.cpu.halved import brought_up, halved_i420, halved_rgb, planes_for
from avatar_engine.render.cpu.hidden import is_frontal, without_hidden
from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.cpu.packed import PackedMaps, pack
from avatar_engine.render.cpu.pose import pose
from avatar_engine.render.cpu.records import Palette, palette_of, records_for
from avatar_engine.render.cpu.sliding import SlidingPlate
from avatar_engine.render.cpu.sort import TILE_HEIGHT_LOG2, bins_for, sort_into
from avatar_engine.render.definition import drawn_zoom
from avatar_engine.render.detail_definition import detail_share
from avatar_engine.render.joints import TintRule
from avatar_engine.render.plates import backdrop, framed_photo
from avatar_engine.render.protocol import RenderConfig
from avatar_engine.render.torso import TorsoRule
from avatar_engine.types import Camera, FaceState, HeadMaps, Plates


class CpuRenderer:
    """Implements ``Renderer``; the kernels release the GIL.

    For more frames per second give every thread a renderer of its own (``twin``) and let them
    draw alternate frames.
    """

    def __init__(
        self,
        maps: HeadMaps,
        plates: Plates,
        camera: Camera,
        config: RenderConfig,
        *,
        twin: "CpuRenderer | None" = None,
    ) -> None:
        """Prepare everything that stays the same from frame to frame.

        Args:
            maps: The persona.
            plates: At the source view's pixels.
            camera: The source view; framed to the output here.
            config: Size and pixel format.
            twin: A renderer of the same, whose read-only parts can be shared.
        """
        self._sources = maps, plates, camera
        self._config = config
        self._packed: PackedMaps = twin._packed if twin else pack(maps)
        self._zoom = drawn_zoom(config.width, config.height)
        self._drawn = config.width // self._zoom, config.height // self._zoom
        self._camera = camera.framed(*self._drawn)
        self._records = records_for(self._packed)
        self._bins = bins_for(self._packed.opacity.size, *self._drawn)
        self._canvas = canvas_for(self._bins)
        self._is_closed = False
        self._tints = TintRule(maps)
        self._rgb = palette_of(maps)
        self._prepare_output(plates, camera)
        self._front = no_front()
        self._frontal = self._packed
        self._detail = self._look_for_detail(plates, camera)
        self._frontal = twin._frontal if twin else without_hidden(maps, self._packed, self._camera)

    @property
    def config(self) -> RenderConfig:
        """What it was opened with."""
        return self._config

    def twin(self) -> "CpuRenderer":
        """Another renderer of the same persona, for another thread; shares what is read-only."""
        return CpuRenderer(*self._sources, self._config, twin=self)

    def render(self, state: FaceState, *, source_residual: float = 0.0) -> NDArray[np.uint8]:
        """Draw one frame; see ``Renderer.render``."""
        self._follow_torso(state)
        tints = self._pose(state, source_residual, self._palette)
        self._blend()
        self._add_detail(tints)
        return self._out

    def _blend(self) -> None:
        """The frame's Gaussians over what stands behind them."""
        scene = self._records, self._bins, self._canvas
        behind, out = self._plate.behind, self._out
        width, height = self._config.width, self._config.height
        if self._config.pixel_format == "rgba":
            _straight(self._head_planes(), behind, out)
        elif self._config.pixel_format == "rgb":
            if self._zoom > 1:
                halved_rgb(*scene, self._halved, behind, out)
            else:
                blend_rgb(*scene, behind, out)
        elif self._zoom > 1:
            halved_i420(*scene, self._halved, behind, out, width=width, height=height)
        else:
            blend_i420(*scene, behind, out, width=width, height=height)

    def _add_detail(self, tints: NDArray[np.float32]) -> None:
        if self._detail is None:
            return
        finer = self._front, self._detail, tints, self._canvas.dirty, self._out
        if self._config.pixel_format == "i420":
            add_i420(*finer, width=self._config.width, height=self._config.height)
        else:
            add_rgb(*finer)

    def _head_planes(self) -> NDArray[np.float32]:
        """[4, H, W]: the posed head's premultiplied colour, and the light it leaves."""
        planes = np.empty((4, *self._drawn[::-1]), np.float32)
        blend_linear(self._records, self._bins, self._canvas, planes)
        return brought_up(planes) if self._zoom > 1 else planes

    def coverage(self, state: FaceState, *, source_residual: float = 0.0) -> NDArray[np.float32]:
        """How much of each pixel the head covers; see ``Renderer.coverage``."""
        self._pose(state, source_residual, self._rgb)
        return np.asarray(1 - self._head_planes()[3])

    def close(self) -> None:
        """Give the buffers back and refuse further frames."""
        if not self._is_closed:
            self._is_closed = True
            del self._packed, self._frontal, self._records, self._bins, self._canvas

    def _pose(
        self, state: FaceState, source_residual: float, palette: Palette
    ) -> NDArray[np.float32]:
        """Fill records and bins; returns how far each tint acts."""
        if self._is_closed:
            raise RenderError("this renderer is closed: open another one")
        maps = self._sources[0]
        view = frame_view(maps, self._packed, self._camera, state, source_residual, self._tints)
        packed = self._frontal if is_frontal(state) else self._packed
        pose(packed, view, palette, self._records, self._front)
        self._bins = sort_into(self._bins, self._records)
        return view.tints

    def _look_for_detail(self, plates: Plates, camera: Camera) -> Detail | None:
        """The photo minus the Gaussians' own picture of it, at the output's pixels."""
        photo = framed_photo(plates, camera, self._config)
        if photo is None:
            return None
        self._front = front_for(self._sources[0], *self._drawn, self._zoom)
        maps, config = self._sources[0], self._config
        as_photographed = FaceState(blendshapes=maps.source - maps.rest)
        self._pose(as_photographed, 1.0, self._rgb)
        linear = self._head_planes()
        behind = backdrop(plates, camera, RenderConfig(config.width, config.height)).behind
        light = linear[3][..., None]
        missing = (photo - linear[:3].transpose(1, 2, 0) - light * behind) * detail_share(1 - light)
        if config.pixel_format == "i420":
            missing = missing @ RGB_TO_YUV.T
            half = config.height // 2, config.width // 2
            missing[: half[0], : half[1], 1:] = (
                missing[..., 1:].reshape(half[0], 2, half[1], 2, 2).mean((1, 3))
            )
        keys_per_cm = self._keys_per_cm(as_photographed)
        is_i420 = config.pixel_format == "i420"
        planes = missing.transpose(2, 0, 1)
        detail = detail_for(maps, planes, self._zoom, keys_per_cm, is_i420=is_i420)
        note_source(self._front, detail)
        return detail

    def _keys_per_cm(self, state: FaceState) -> float:
        return float(frame_view(self._sources[0], self._packed, self._camera, state, 0.0).lens[5])

    def _prepare_output(self, plates: Plates, camera: Camera) -> None:
        config = self._config
        rule = TorsoRule.of(self._sources[0], camera.framed(config.width, config.height))
        self._plate = SlidingPlate(backdrop(plates, camera, config), rule, config)
        self._palette = self._rgb
        if config.pixel_format == "i420":
            self._palette = palette_of(self._sources[0], is_yuv=True)
            self._out = self._plate.behind.copy()
        elif config.pixel_format == "rgb":
            self._out = np.ascontiguousarray(self._plate.behind.transpose(1, 2, 0))
        else:
            self._out = np.zeros((config.height, config.width, 4), np.uint8)
        if self._zoom > 1:
            self._halved = planes_for(config.width, config.height)

    def _follow_torso(self, state: FaceState) -> None:
        if self._plate.follow(state):
            first = (self._plate.first // self._zoom >> TILE_HEIGHT_LOG2) * self._bins.columns
            self._canvas.dirty[first:] = 1  # tiles without content show the plate too


@kernel
def _straight(linear, body, out):
    """Head over body as straight alpha; [4, H, W] premultiplied -> [H, W, 4].

    The head's last plane is the light that is left, the body's its coverage.
    """
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            light = linear[3, y, x]
            alpha = np.float32(1) - light + light * body[3, y, x]
            scale = np.float32(1) / max(alpha, np.float32(1e-6))
            for c in range(3):
                value = (linear[c, y, x] + light * body[c, y, x]) * scale
                out[y, x, c] = np.uint8(min(value + np.float32(0.5), np.float32(255)))
            out[y, x, 3] = np.uint8(alpha * np.float32(255) + np.float32(0.5))
