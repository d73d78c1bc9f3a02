"""The playout clock: one thread that steps the engine and gives each frame out at its moment.

The clock is the audio: every frame carries exactly its share of it, frame n is due n / fps after
the first, and its pts says so. The engine is stepped just before a frame is due, so what is asked
for now is in the very next frame. A machine that cannot keep up repeats pictures, so that sound is
whole; after a stall that even this does not mend the clock is moved by the time that was lost.
Frames are never sent in a burst, and no silence is put inside a word.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from avatar_engine.errors import VoiceError
from avatar_engine.types import AvatarFrame
from sdk.session.clock import Clock
from sdk.session.protocols import Engine, Transmitter

_MOST = 0.8
_REMEMBERED = 20  # steps
_FADE = 384  # samples, 8 ms: as long as the engine's own


@dataclass(frozen=True, slots=True)
class PlayoutConfig:
    """How the clock behaves.

    Attributes:
        stall_s: A frame this late moves the clock instead of being hurried after.
        late_s: A picture may be this late; with less time than it takes, the last one is repeated.
        longest_still: Never repeat more than this many times in a row.
        margin_s: Added to the usual cost of a step when deciding when to begin one.
        pulse_frames: ``on_pulse`` comes at least once in this many frames.
    """

    stall_s: float = 0.08
    late_s: float = 0.004
    longest_still: int = 4
    margin_s: float = 0.006
    pulse_frames: int = 5


@dataclass(slots=True)
class PlayoutFigures:
    """What the clock saw; read by health pages and benchmarks.

    Attributes:
        frames: Given out.
        rebases: Stalls that moved the clock.
        lost_s: By how much, together.
        step_s: What four of five steps with a picture cost at most, lately.
        repeated: Frames that repeat a picture because there was no time to draw.
        hushed: Frames whose sound was taken away by an interruption at the last moment.
    """

    frames: int = 0
    rebases: int = 0
    lost_s: float = 0.0
    step_s: float = 0.010
    repeated: int = 0
    hushed: int = 0


class Playout:
    """Steps the engine at its rate. ``run`` belongs to one worker thread.

    Args:
        engine: Stepped here and nowhere else.
        transmitter: Receives each frame at its moment.
        clock: Time.
        on_frame: Called in the worker thread with each frame that carries cues, when it was
            given out.
        on_voice_error: Called in the worker thread when the voice lost the line it was saying; the
            engine goes on without it.
        on_pulse: Called in the worker thread when the voice is about to run dry, and a few times
            a second.
        feed_ahead_s: The voice runs dry when less speech than this is left.
        config: Limits.
    """

    def __init__(
        self,
        engine: Engine,
        transmitter: Transmitter,
        clock: Clock,
        *,
        on_frame: Callable[[AvatarFrame], None],
        on_pulse: Callable[[], None],
        on_voice_error: Callable[[VoiceError], None],
        feed_ahead_s: float = 0.12,
        config: PlayoutConfig = PlayoutConfig(),  # frozen
    ) -> None:
        self._engine = engine
        self._transmitter = transmitter
        self._clock = clock
        self._on_frame = on_frame
        self._on_pulse = on_pulse
        self._on_voice_error = on_voice_error
        self._feed_ahead_s = feed_ahead_s
        self._config = config
        self._period_s = 1.0 / engine.fps
        self._due: float | None = None
        self._was_dry = True
        self._still = 0
        self._is_hushed = False
        self._took: deque[float] = deque(maxlen=_REMEMBERED)
        self._stop = threading.Event()
        self.figures = PlayoutFigures()

    def run(self) -> None:
        """Give frames out until ``stop``; raises what the engine raises."""
        while not self._stop.is_set():
            self.tick()

    def stop(self) -> None:
        """Make ``run`` return within a frame; any thread."""
        self._stop.set()

    def tick(self) -> None:
        """Make one frame and give it out at its moment."""
        if self._due is None:
            self._due = self._clock.now() + self._period_s
        lead_s = min(self.figures.step_s + self._config.margin_s, self._period_s)
        self._clock.wait_until(self._due - lead_s, unless=self._stop)
        began = self._clock.now()
        is_drawn = self._has_time_to_draw(began) or self._still >= self._config.longest_still
        frame = self._step(is_drawn=is_drawn)
        self._account(self._clock.now() - began, is_drawn=is_drawn)
        self._clock.wait_until(self._due, unless=self._stop)
        if self._stop.is_set():
            return
        if frame.generation < self._engine.generation:
            frame = self._hushed(frame)
        elif self._is_hushed:
            frame = self._without_tail(frame)
        self._transmitter.publish(frame)
        self._schedule()
        self._report(frame)

    def _has_time_to_draw(self, began: float) -> bool:
        assert self._due is not None
        left_s = self._due - began + self._config.late_s
        # With most of a period left, the machine has caught up: there will never be more time.
        return self.figures.step_s <= left_s or _MOST * self._period_s <= left_s

    def _step(self, *, is_drawn: bool) -> AvatarFrame:
        while True:  # each failure drops a line, so a voice that is gone ends with the queue
            try:
                return self._engine.step(is_drawn=is_drawn)
            except VoiceError as error:
                self._on_voice_error(error)

    def _account(self, took_s: float, *, is_drawn: bool) -> None:
        if not is_drawn:
            self._still += 1
            self.figures.repeated += 1
            return
        self._still = 0
        self._took.append(took_s)
        # Of the last steps all but the slowest few: one hiccup does not change the rhythm.
        self.figures.step_s = sorted(self._took)[len(self._took) * 4 // 5]

    def _schedule(self) -> None:
        assert self._due is not None
        late_s = self._clock.now() - self._due
        if late_s >= self._config.stall_s:
            self._due += late_s
            self.figures.rebases += 1
            self.figures.lost_s += late_s
        self._due += self._period_s
        self.figures.frames += 1

    def _hushed(self, frame: AvatarFrame) -> AvatarFrame:
        # The picture keeps its place in time, so that no timeline has a hole; the old words go.
        self.figures.hushed += 1
        audio = np.zeros_like(frame.audio)
        if not self._is_hushed:  # a cut would click
            ramp = np.linspace(1, 0, min(_FADE, len(audio)), dtype=np.float32)
            audio[: len(ramp)] = (frame.audio[: len(ramp)] * ramp).astype(np.int16)
        self._is_hushed = True
        return replace(frame, audio=audio, generation=self._engine.generation, cues=())

    def _without_tail(self, frame: AvatarFrame) -> AvatarFrame:
        # The engine fades what it believes to sound, but that was faded a frame ago.
        self._is_hushed = False
        audio = frame.audio.copy()
        audio[:_FADE] = 0
        return replace(frame, audio=audio)

    def _report(self, frame: AvatarFrame) -> None:
        if frame.cues:
            self._on_frame(frame)
        is_dry = self._engine.backlog_s <= self._feed_ahead_s
        if (is_dry and not self._was_dry) or self.figures.frames % self._config.pulse_frames == 0:
            self._on_pulse()
        self._was_dry = is_dry
