"""The launches that draw one batch of frames: every shape is settled when it is made."""

from dataclasses import dataclass

import torch
from torch import Tensor

from avatar_engine.errors import RenderError
from avatar_engine.render.definition import drawn_zoom
from avatar_engine.render.detail_definition import detail_cell
from avatar_engine.render.gpu import layout
from avatar_engine.render.gpu.detail_kernels import collect_flow, find_nearest, smooth_flow
from avatar_engine.render.gpu.finish_kernel import I420, RGB, RGBA, finish
from avatar_engine.render.gpu.pose_kernels import part_lips, pose_texels
from avatar_engine.render.gpu.stage import Stage
from avatar_engine.render.gpu.tile_kernels import blend_tiles, write_records
from avatar_engine.render.protocol import RenderConfig

_FORMATS = {"rgb": RGB, "rgba": RGBA, "i420": I420}
_BYTES_PER_PIXEL = {"rgb": 3.0, "rgba": 4.0, "i420": 1.5}
COMPILED = {"enable_fp_fusion": True}
"""Said to the compiler, whose own default changes between versions of Triton."""
_FARTHER_THAN_ALL = 0x7F800000
"""The bits of an infinite float."""


@dataclass(frozen=True, slots=True)
class Grain:
    """How much one program does.

    Attributes:
        texels: Posed together; divides the head's atlas.
        entries: Of a tile, blended together.
        cells: Of the detail, smoothed together.
        quads: Squares of 2 x 2 pixels, finished together.
    """

    texels: int
    entries: int
    cells: int
    quads: int


DEVICE_GRAIN = Grain(texels=256, entries=16, cells=128, quads=128)
INTERPRETED_GRAIN = Grain(texels=32768, entries=2048, cells=4096, quads=16384)
"""An interpreted operation takes as long for one number as for thousands."""


class Drawing:
    """Buffers of one batch, and the launches between them.

    Nothing in :meth:`launch` waits for the device, asks it for a number or has a shape that
    depends on one, so that a CUDA graph can hold it.

    Args:
        stage: Whom the frames may show.
        config: What every picture looks like.
        frames: F, drawn at once.
        capacity: Keys that there is room for, all frames together.
        grain: How much one program does.

    Attributes:
        inputs: [F, L] float32; filled before each launch.
        output: uint8: the pictures, then the number of keys wanted (4 bytes).
        canvas: [F, 4, h, w] premultiplied colour in [0, 1], and the light left.
        records: [F, M, 12] of the last launch.

    Raises:
        RenderError: The batch is larger than a sorting key can tell.
    """

    def __init__(
        self, stage: Stage, config: RenderConfig, frames: int, capacity: int, grain: Grain
    ) -> None:
        zoom = drawn_zoom(config.width, config.height)
        self._width, self._height = config.width // zoom, config.height // zoom
        self._tiles_x = -(-self._width // layout.TILE)
        self._tiles = self._tiles_x * -(-self._height // layout.TILE)
        if frames > layout.MOST_FRAMES or self._tiles > layout.MOST_TILES:
            raise RenderError(
                f"{frames} frames of {self._tiles} tiles are more than one batch can sort: "
                f"draw at most {layout.MOST_FRAMES} frames of {layout.MOST_TILES} tiles"
            )
        self._stage, self._config, self._grain, self._zoom = stage, config, grain, zoom
        self.frames, self.capacity = frames, capacity
        self._cell = detail_cell(config.width, config.height)
        self._rows = -(-config.height // self._cell)
        self._columns = -(-config.width // self._cell)
        self.frame_bytes = int(config.width * config.height * _BYTES_PER_PIXEL[config.pixel_format])
        texels, cells = stage.texel_count, self._rows * self._columns
        real, whole = torch.float32, torch.int32
        self.inputs = self._made((frames, stage.input_length), real)
        self._lips = self._made((frames, 2, stage.pair_count), real)
        self._view = self._made((frames, layout.View.COUNT, texels), real)
        self.records = self._made((frames, texels, layout.RECORD), real)
        self._keys = self._made((capacity,), torch.int64)
        self._bounds = self._ends_of_tiles()
        self.canvas = self._made((frames, 4, self._height, self._width), real)
        self._nearest = self._made((frames, cells), whole)
        self._sums = self._made((frames, 5, cells), real)
        self._flow = self._made((frames, 3, cells), real)
        self.output = self._made((frames * self.frame_bytes + 4,), torch.uint8)
        self._wanted = self.output[-4:].view(whole)

    def launch(self) -> None:
        """Draw what ``inputs`` say into ``output``."""
        self._wanted.zero_()
        self._keys.fill_(layout.NO_ENTRY)
        self.place()
        keys = self._keys.sort().values
        starts = torch.searchsorted(keys, self._bounds, out_int32=True)
        stage = self._stage
        # fmt: off
        blend_tiles[(self.frames * self._tiles,)](
            self.records, keys, starts, self.canvas, stage.texel_count, self._width,
            self._height, self._tiles_x, self._tiles, CHUNK=self._grain.entries, **COMPILED,
        )
        if stage.has_detail:
            self._follow_photo()
        quads = self._config.width // 2 * (self._config.height // 2)
        finish[(-(-quads // self._grain.quads), self.frames)](
            self.inputs, self.canvas, stage.plates, stage.follow, stage.missing, self._flow,
            self.output, stage.input_length, self._config.width, self._config.height,
            self.frame_bytes, self._rows, self._columns, self._cell,
            FORMAT=_FORMATS[self._config.pixel_format], ZOOM=self._zoom,
            HAS_DETAIL=stage.has_detail, BLOCK=self._grain.quads, **COMPILED,
        )
        # fmt: on

    def head(self) -> tuple[Tensor, Tensor]:
        """Premultiplied colour [F, h, w, 3] in [0, 1] and light [F, h, w] of the last launch."""
        return self.canvas[:, :3].permute(0, 2, 3, 1), self.canvas[:, 3]

    def wanted(self) -> int:
        """Keys that the last launch wanted; waits for it."""
        return int(self._wanted)

    def place(self) -> None:
        """Steps 1-9 and 11: inputs to ``records``, and their keys."""
        stage, block = self._stage, self._grain.texels
        blocks = (stage.texel_count // block, self.frames)
        # fmt: off
        part_lips[(self.frames,)](
            self.inputs, stage.fixed, stage.texels, stage.modes, stage.pairs, self._lips,
            stage.input_length, stage.texel_count, stage.mode_count, PAIRS=stage.pair_count,
            **COMPILED,
        )
        pose_texels[blocks](
            self.inputs, stage.fixed, stage.texels, stage.traits, stage.modes, self._lips,
            self._view, stage.input_length, stage.texel_count, stage.mode_count,
            PAIRS=stage.pair_count, BLOCK=block, **COMPILED,
        )
        write_records[blocks](
            self.inputs, stage.fixed, stage.texels, stage.traits, self._view, self.records,
            self._keys, self._wanted, stage.input_length, stage.texel_count, self._width,
            self._height, self._tiles_x, self.capacity, BLOCK=block, **COMPILED,
        )
        # fmt: on

    def _follow_photo(self) -> None:
        """Records to where in the photo each cell came from."""
        stage, block = self._stage, self._grain.texels
        blocks = (stage.texel_count // block, self.frames)
        rows, columns, per_cell = self._rows, self._columns, self._zoom / self._cell
        self._nearest.fill_(_FARTHER_THAN_ALL)
        self._sums.zero_()
        # fmt: off
        find_nearest[blocks](
            stage.carriers, self.inputs, self.records, self._nearest, stage.input_length,
            stage.texel_count, rows, columns, per_cell, BLOCK=block, **COMPILED,
        )
        collect_flow[blocks](
            stage.carriers, stage.origins, self.inputs, self.records, self._nearest, self._sums,
            stage.input_length, stage.texel_count, rows, columns, per_cell, float(self._zoom),
            BLOCK=block, **COMPILED,
        )
        smooth_flow[(-(-rows * columns // self._grain.cells), self.frames)](
            self._sums, self._flow, rows, columns, self._cell, BLOCK=self._grain.cells, **COMPILED,
        )
        # fmt: on

    def _ends_of_tiles(self) -> Tensor:
        """Each frame's least key of each tile, and one past its last tile's [F * (T + 1)]."""
        tiles = torch.arange(self._tiles + 1, device=self._stage.device) << layout.Key.TILE
        tiles[-1] = (1 << layout.Key.FRAME) - 1
        frames = torch.arange(self.frames, device=self._stage.device) << layout.Key.FRAME
        return (frames[:, None] | tiles).flatten()

    def _made(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        return torch.zeros(shape, dtype=dtype, device=self._stage.device)
