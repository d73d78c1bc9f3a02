"""A session's frames without an avatar: a moving picture with its number burned in, and a tone."""

import threading
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from avatar_engine.types import AvatarFrame

BITS = 16
MARKER_EVERY = 10  # frames between two bursts of the tone
SPF = 1920  # samples per frame at 25 fps


def burn(luma: NDArray[np.uint8], index: int) -> None:
    """Write a number into the top sixteenth of a picture [H, W], as 16 black or white fields."""
    height, width = luma.shape
    bits = ((index >> np.arange(BITS)) & 1).astype(np.uint8) * 255
    luma[: height // 16, : width // BITS * BITS] = np.repeat(bits, width // BITS)


def read_index(luma: NDArray[np.uint8]) -> int:
    """The number ``burn`` wrote, from a decoded picture."""
    height, width = luma.shape
    band = luma[height // 64 : height // 16 - height // 64, : width // BITS * BITS]
    fields = band.reshape(len(band), BITS, -1).mean(axis=(0, 2))
    return int(((fields > 128).astype(np.int64) << np.arange(BITS)).sum())


def avatar_frame(
    index: int, width: int = 128, height: int = 128, *, generation: int = 0, loud: bool = True
) -> AvatarFrame:
    """Frame ``index``: a bar that moves, the number, and 1 kHz for its 40 ms if ``loud``."""
    luma = np.tile(np.linspace(60, 200, width, dtype=np.uint8), (height, 1))
    left = index * 4 % (width - 16)
    luma[height // 4 :, left : left + 16] = 20
    burn(luma, index)
    video = np.full(width * height * 3 // 2, 128, np.uint8)
    video[: width * height] = luma.ravel()
    seconds = (np.arange(SPF) + index * SPF) / 48_000
    tone = 8000 * np.sin(2 * np.pi * 1000 * seconds) if loud else np.zeros(SPF)
    return AvatarFrame(index, video, tone.astype(np.int16), generation, None)


class PacedSource:
    """Publishes frames at 25 per second from a thread of its own, like a session's worker.

    Args:
        publish: Called with each frame at its moment.
        width: Pixels.
        height: Pixels.
        is_loud: Whether a frame carries the tone; always by default.
    """

    def __init__(
        self,
        publish: Callable[[AvatarFrame], None],
        width: int = 128,
        height: int = 128,
        *,
        is_loud: Callable[[int], bool] = lambda index: True,
    ) -> None:
        self.sent: dict[int, float] = {}
        self.generation = 0
        self.error: BaseException | None = None
        self._publish = publish
        self._size = width, height
        self._is_loud = is_loud
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="paced source", daemon=True)

    def __enter__(self) -> "PacedSource":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        start = time.monotonic()
        index = 0
        try:
            while not self._stop.wait(max(0.0, start + index / 25 - time.monotonic())):
                frame = avatar_frame(
                    index, *self._size, generation=self.generation, loud=self._is_loud(index)
                )
                self.sent[index] = time.monotonic()
                self._publish(frame)
                index += 1
        except BaseException as error:  # noqa: BLE001 - raised again in __exit__
            self.error = error
