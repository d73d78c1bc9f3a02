"""Frames of several personas and sessions, drawn together and read back once."""

import warnings
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from avatar_engine.device import require_cuda
from avatar_engine.errors import RenderError, RenderWarning
from avatar_engine.render.gaussians import brought_up
from avatar_engine.render.gpu.crossing import Crossing
from avatar_engine.render.gpu.drawing import DEVICE_GRAIN, INTERPRETED_GRAIN, Drawing
from avatar_engine.render.gpu.inputs import write_inputs
from avatar_engine.render.gpu.opening import room_for, set_the_stage
from avatar_engine.render.gpu.packed import Scene
from avatar_engine.render.gpu.replay import Replay
from avatar_engine.render.protocol import RenderConfig
from avatar_engine.types import FaceState

AT_ONCE = 2
"""Batches under way: while one is drawn, the next one's inputs are worked out."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame to be drawn.

    Attributes:
        persona: Its place among the batch's scenes.
        state: What it shows.
        source_residual: Weight of the source residual mode.
    """

    persona: int
    state: FaceState
    source_residual: float = 0.0


class FrameBatch:
    """Draws up to F shots of any of its personas in one captured graph.

    Not for several threads at once.

    Args:
        scenes: The personas, with plates and source cameras.
        config: What every picture looks like.
        frames: F, at most 64; a batch with fewer shots takes as long.
        device: ``cpu`` has Triton interpret the kernels, for tests.

    Raises:
        RenderError: torch, Triton or a CUDA device is missing, or a persona is too large.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        config: RenderConfig,
        *,
        frames: int = 1,
        device: str = "cuda",
    ) -> None:
        if device == "cuda":
            require_cuda("triton")
        self._config, self._frames = config, frames
        self._grain = DEVICE_GRAIN if device == "cuda" else INTERPRETED_GRAIN
        self._stage, each = set_the_stage(scenes, config, self._grain, torch.device(device))
        self._replay = self._recorded(frames * each)
        self._free = deque(Crossing(self._replay.drawing) for _ in range(AT_ONCE))
        self._under_way: deque[tuple[Crossing, int]] = deque()
        self._is_closed = False

    @property
    def config(self) -> RenderConfig:
        """What it was opened with."""
        return self._config

    @property
    def capacity(self) -> int:
        """Keys that there is room for in a batch."""
        return self._replay.drawing.capacity

    def draw(self, shots: Sequence[Shot]) -> NDArray[np.uint8]:
        """Draw a batch and wait for it; see :meth:`begin` and :meth:`collect`."""
        self.begin(shots)
        return self.collect()

    def begin(self, shots: Sequence[Shot]) -> None:
        """Have a batch drawn, without waiting for it.

        Args:
            shots: 1 to F of them.

        Raises:
            RenderError: There are too many or none, a state is of another persona, ``AT_ONCE``
                batches are under way, or the batch is closed.
        """
        if self._is_closed:
            raise RenderError("this renderer is closed: open another one")
        if not 1 <= len(shots) <= self._frames:
            raise RenderError(f"{len(shots)} shots for a batch of {self._frames}: give 1 or more")
        if not self._free:
            raise RenderError(f"{AT_ONCE} batches are under way: collect one first")
        crossing = self._free[0]
        for row, shot in zip(crossing.inputs, shots, strict=False):
            persona = self._stage.personas[shot.persona]
            write_inputs(row, shot.persona, persona, shot.state, shot.source_residual)
        crossing.inputs[len(shots) :] = crossing.inputs[len(shots) - 1]
        crossing.send(self._replay, self._under_way[-1][0] if self._under_way else None)
        self._free.popleft()
        self._under_way.append((crossing, len(shots)))

    def collect(self) -> NDArray[np.uint8]:
        """Wait for the oldest batch that was begun.

        Returns:
            Its pictures [shots, bytes], overwritten by the batch after the next.

        Raises:
            RenderError: No batch is under way.
        """
        if not self._under_way:
            raise RenderError("no batch is under way: begin one")
        crossing, shots = self._under_way.popleft()
        crossing.wait()
        while wanted := crossing.keys_without_room():
            self._make_room(wanted)
            crossing.send(self._replay, None)
            crossing.wait()
        self._free.append(crossing)
        return crossing.pictures(self._replay.drawing.frame_bytes, shots)

    def light(self) -> NDArray[np.float32]:
        """What the heads of the last batch leave of the light [F, H, W]."""
        color, light = self._replay.drawing.head()
        size = self._config.height, self._config.width
        if light.shape[1:] != size:
            color, light = brought_up(color, light, size)
        return np.asarray(light.cpu().numpy())

    def close(self) -> None:
        """Free the device's memory of these personas; closing twice is fine."""
        if not self._is_closed:
            self._finish_under_way()
            self._is_closed = True
            del self._replay, self._stage

    def _make_room(self, wanted: int) -> None:
        """Record the drawing again for more keys; those under way are drawn to their end."""
        if wanted <= self.capacity:
            return
        self._finish_under_way()
        capacity = room_for(wanted)
        warnings.warn(
            f"frames drawn together needed {wanted} places in tiles and had {self.capacity}: "
            f"drawn again with room for {capacity}",
            RenderWarning,
            stacklevel=4,
        )
        self._replay = self._recorded(capacity)

    def _finish_under_way(self) -> None:
        for crossing, _ in self._under_way:
            crossing.wait()

    def _recorded(self, capacity: int) -> Replay:
        drawing = Drawing(self._stage, self._config, self._frames, capacity, self._grain)
        return Replay(drawing)
