"""The four small networks, and the only place that knows what runs them."""

import hashlib
import threading
from functools import cache
from importlib.resources import as_file, files
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import WeightsError

Floats = NDArray[np.float32]

SHA256 = {
    "face_detection_short_range.tflite": (
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"
    ),
    "face_landmark.tflite": "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    "iris_landmark.tflite": "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
    "selfie_segmentation.tflite": (
        "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"
    ),
}


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

    with as_file(files(__package__) / "models" / name) as path:
        try:
            content = path.read_bytes()
        except OSError as missing:
            raise WeightsError(f"{name} is missing; install livepitch again") from missing
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise WeightsError(f"{name} was altered (its SHA-256 differs); install livepitch again")
    network = Interpreter(model_content=content, num_threads=1)
    network.allocate_tensors()
    return network
