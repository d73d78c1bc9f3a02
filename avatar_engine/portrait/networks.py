"""The four small networks, and the only place that knows what runs them."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from avatar_engine.weights import weights_path

Floats = NDArray[np.float32]

_FOLDER = Path(__file__).parent / "models"


class Networks(Protocol):
    """What the eye asks of networks; pictures are RGB, float32 in [0, 1], [size, size, 3]."""

    def detect(self, picture: Floats) -> tuple[Floats, Floats]:
        """Raw face boxes [896, 16] relative to their anchors in pixels, and logits [896].

        ``picture`` is 128 x 128 and, alone among the four, in [-1, 1].
        """
        ...

    def mesh(self, picture: Floats) -> tuple[Floats, float]:
        """468 landmarks [468, 3] in pixels of the 192 x 192 picture, and the face's probability."""
        ...

    def iris(self, picture: Floats) -> tuple[Floats, Floats]:
        """Of one eye, 64 x 64: contour and brow [71, 3], iris [5, 3], in pixels.

        Trained on the subject's right eye; mirror the left one before and its answer after.
        """
        ...

    def segment(self, picture: Floats) -> Floats:
        """Probability of being the person, [256, 256], for a picture squeezed to 256 x 256."""
        ...


class LiteRtNetworks:
    """The networks on LiteRT, one thread, loaded when first asked. Safe to share by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: dict[str, Any] = {}

    def detect(self, picture: Floats) -> tuple[Floats, Floats]:
        """See :class:`Networks`."""
        boxes, logits = self._run("face_detection_short_range.tflite", picture)
        return boxes[0], logits[0, :, 0]

    def mesh(self, picture: Floats) -> tuple[Floats, float]:
        """See :class:`Networks`."""
        points, logit = self._run("face_landmark.tflite", picture)
        return points.reshape(468, 3), float(1 / (1 + np.exp(-logit.item())))

    def iris(self, picture: Floats) -> tuple[Floats, Floats]:
        """See :class:`Networks`."""
        contour, iris = self._run("iris_landmark.tflite", picture)
        return contour.reshape(71, 3), iris.reshape(5, 3)

    def segment(self, picture: Floats) -> Floats:
        """See :class:`Networks`."""
        return self._run("selfie_segmentation.tflite", picture)[0][0, :, :, 0]

    def _run(self, name: str, picture: Floats) -> list[Floats]:
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = _interpreter(name)
            network = self._loaded[name]
            network.set_tensor(network.get_input_details()[0]["index"], picture[None])
            network.invoke()
            outputs = network.get_output_details()
            # The larger output first, whatever order the file lists them in.
            answers = [np.array(network.get_tensor(output["index"])) for output in outputs]
        return sorted(answers, key=lambda a: -a.size)


@cache
def default_networks() -> Networks:
    """The networks every caller shares; nothing is loaded until one is asked."""
    return LiteRtNetworks()


def _interpreter(name: str) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    path = weights_path(_FOLDER / name)
    with _native_chatter_silenced():
        network = Interpreter(model_path=str(path), num_threads=1)
        network.allocate_tensors()
    return network


@contextmanager
def _native_chatter_silenced() -> Iterator[None]:
    """LiteRT greets on the process's own standard error; failures come as exceptions anyway."""
    try:
        kept = os.dup(2)
    except OSError:  # nobody listens
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
