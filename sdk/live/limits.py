"""How fast one viewer may write."""

import time
from collections.abc import Callable


class TokenBucket:
    """Lets ``burst`` through at once, then one per ``every_s``."""

    def __init__(
        self, *, burst: int, every_s: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._every_s = every_s
        self._now = now
        self._level = float(burst)
        self._filled_at = now()

    def take(self) -> bool:
        """Whether one more may pass now."""
        now = self._now()
        self._level = min(self._burst, self._level + (now - self._filled_at) / self._every_s)
        self._filled_at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True
