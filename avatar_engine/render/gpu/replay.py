"""A batch's launches, recorded once and replayed as one."""

import torch

from avatar_engine.render.gpu.drawing import Drawing

_WARM_UPS = 2
"""Launches before the recording: they compile kernels and make the sort's buffers."""


class Replay:
    """A drawing as a CUDA graph; on a CPU, where kernels are interpreted, as it is.

    Args:
        drawing: What is recorded, on a stream of its own.
    """

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self._graph: torch.cuda.CUDAGraph | None = None
        if not drawing.output.is_cuda:
            return
        self.stream = torch.cuda.Stream()
        self.stream.wait_stream(torch.cuda.current_stream())  # buffers were filled there
        with torch.cuda.stream(self.stream):
            for _ in range(_WARM_UPS):
                drawing.launch()
        self.stream.synchronize()
        self._graph = torch.cuda.CUDAGraph()
        # Other threads go on drawing their own sessions while this one records.
        with torch.cuda.graph(self._graph, stream=self.stream, capture_error_mode="thread_local"):
            drawing.launch()

    def run(self) -> None:
        """Draw once more, on the current stream."""
        if self._graph is None:
            self.drawing.launch()
        else:
            self._graph.replay()
