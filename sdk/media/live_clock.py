"""Where a frame belongs on the viewers' clock."""

from collections.abc import Callable


class LiveClock:
    """Numbers frames so that their pts keep pace with the wall clock.

    A stalled producer goes on counting where it stopped. Sent like that, its pts would be late
    for ever, and a receiver that compares pts with the clock would lose lip sync until the next
    sender reports. So after a stall the numbers move on by whole frames, and a producer that
    hurries to catch up is cut short instead of bursting.

    Args:
        fps: Frames per second.
        stall_s: Lateness that counts as a stall.
        burst_s: Earliness that counts as a burst.
        now: Seconds, monotonic.
    """

    def __init__(
        self, fps: float, *, stall_s: float, burst_s: float, now: Callable[[], float]
    ) -> None:
        self._fps = fps
        self._stall_s = stall_s
        self._burst_s = burst_s
        self._now = now
        self._start: float | None = None
        self._shift = 0
        self._last_number = -1
        self._last_index = -1
        self.rebases = 0

    def number(self, index: int) -> int | None:
        """The frame's number on the live clock, larger than any before; None to leave it out."""
        now = self._now()
        if self._start is None:
            self._start = now
            self._shift = -index
        elif index <= self._last_index:  # the producer was replaced and counts from the start
            self._shift = self._last_number + 1 - index
        number = index + self._shift
        late_s = now - (self._start + number / self._fps)
        if late_s > self._stall_s:
            number += round(late_s * self._fps)
            self.rebases += 1
        elif late_s < -self._burst_s:
            caught_up = max(self._last_number + 1, round((now - self._start) * self._fps))
            if caught_up - (now - self._start) * self._fps > self._burst_s * self._fps:
                return None
            number = caught_up  # its index jumped ahead, not its time
            self.rebases += 1
        self._shift = number - index
        self._last_number, self._last_index = number, index
        return number
