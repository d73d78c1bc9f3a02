"""Time, passed in: the machine's clock, and a virtual one that jumps."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds on a line that never goes back."""

    def now(self) -> float:
        """Seconds since an arbitrary moment."""
        ...

    def wait_until(self, deadline: float, *, unless: threading.Event) -> None:
        """Block the calling thread until the deadline, or until the event is set."""
        ...


class MachineClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Seconds since an arbitrary moment."""
        return time.monotonic()

    def wait_until(self, deadline: float, *, unless: threading.Event) -> None:
        """Block the calling thread until the deadline, or until the event is set."""
        remaining = deadline - time.monotonic()
        if remaining > 0:
            unless.wait(remaining)


class VirtualClock:
    """A clock that jumps to whatever is waited for; tests run hours in seconds with it."""

    def __init__(self, now: float = 1000.0) -> None:
        self._now = now

    def now(self) -> float:
        """Seconds, as far as anybody has waited or advanced."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    def wait_until(self, deadline: float, *, unless: threading.Event) -> None:
        """Jump to the deadline."""
        if not unless.is_set():
            self._now = max(self._now, deadline)
