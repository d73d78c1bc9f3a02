"""A batch's way to the device and back: one copy each, and one wait at the end."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avatar_engine.render.gpu.drawing import Drawing
from avatar_engine.render.gpu.replay import Replay


class Crossing:
    """Host memory of one batch under way.

    On a CUDA device it is pinned, so that copies go on beside the drawing; the way back has a
    stream of its own.

    Args:
        drawing: Whose inputs and output it carries.

    Attributes:
        inputs: [F, L] float32 to be filled before :meth:`send`.
    """

    def __init__(self, drawing: Drawing) -> None:
        self._is_pinned = drawing.output.is_cuda
        self._inputs = torch.zeros(drawing.inputs.shape, pin_memory=self._is_pinned)
        self._output = torch.zeros(
            drawing.output.shape, dtype=torch.uint8, pin_memory=self._is_pinned
        )
        self.inputs: NDArray[np.float32] = self._inputs.numpy()
        self._capacity = 0
        if self._is_pinned:
            self._back = torch.cuda.Stream()
            self._is_drawn, self._is_back = torch.cuda.Event(), torch.cuda.Event()

    def send(self, replay: Replay, after: "Crossing | None") -> None:
        """Have the inputs drawn.

        Args:
            replay: Draws them.
            after: The batch before, whose output must have left the device first.
        """
        drawing = replay.drawing
        self._capacity = drawing.capacity
        if not self._is_pinned:
            drawing.inputs.copy_(self._inputs)
            replay.run()
            self._output.copy_(drawing.output)
            return
        with torch.cuda.stream(replay.stream):
            if after is not None:
                replay.stream.wait_event(after._is_back)
            drawing.inputs.copy_(self._inputs, non_blocking=True)
            replay.run()
            self._is_drawn.record()
        with torch.cuda.stream(self._back):
            self._back.wait_event(self._is_drawn)
            self._output.copy_(drawing.output, non_blocking=True)
            self._is_back.record()

    def wait(self) -> None:
        """Until the output has arrived: the only time that a frame waits for the device."""
        if self._is_pinned:
            self._is_back.synchronize()

    def keys_without_room(self) -> int:
        """How many keys the batch that arrived wanted, if that was more than there is room for."""
        wanted = int(self._output[-4:].view(torch.int32))
        return wanted if wanted > self._capacity else 0

    def pictures(self, frame_bytes: int, frames: int) -> NDArray[np.uint8]:
        """The first pictures [frames, bytes] that arrived; overwritten by the next batch."""
        arrived: Tensor = self._output[: frames * frame_bytes]
        return np.asarray(arrived.numpy()).reshape(frames, frame_bytes)
