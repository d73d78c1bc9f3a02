"""Keyframes on request: at most one per half second, and each serves everybody who asked."""

import threading
from collections.abc import Callable

from sdk.types.media import VideoCodec


class KeyframeGate:
    """Collects requests from the event loop and answers the worker thread.

    Args:
        gap_s: Shortest distance between two keyframes of one rendition.
        now: Seconds, monotonic.
    """

    def __init__(self, gap_s: float, now: Callable[[], float]) -> None:
        self._gap_s = gap_s
        self._now = now
        self._lock = threading.Lock()
        self._wanted: set[VideoCodec] = set()
        self._last: dict[VideoCodec, float] = {}

    def request(self, codec: VideoCodec) -> None:
        """Somebody needs a keyframe; any thread."""
        with self._lock:
            self._wanted.add(codec)

    def is_due(self, codec: VideoCodec, interval_s: float | None) -> bool:
        """Whether the next picture shall be a keyframe.

        Args:
            codec: The rendition.
            interval_s: Regular distance some output needs, or None.
        """
        now = self._now()
        with self._lock:
            since = now - self._last.get(codec, -1e9)
            # A frame that comes a little early must not wait for the next one.
            regular = interval_s is not None and since >= interval_s - 0.01
            asked = codec in self._wanted or regular
            return asked and since >= self._gap_s

    def made(self, codec: VideoCodec) -> None:
        """The encoder gave a keyframe, asked for or not."""
        with self._lock:
            self._wanted.discard(codec)
            self._last[codec] = self._now()

    def forget(self, codec: VideoCodec) -> None:
        """The rendition ended; its successor begins with a keyframe anyway."""
        with self._lock:
            self._wanted.discard(codec)
            self._last.pop(codec, None)
