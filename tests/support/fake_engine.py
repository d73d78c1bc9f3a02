"""An engine without a face: a tone while it speaks, coloured frames, the real contract of cues.

Speech takes ``S_PER_CHARACTER`` per character plus a pause; words are cued at their place. It is
as fast as copying memory, deterministic, and safe to call from two threads, as the real one is.
"""

import math
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from avatar_engine.types import AvatarFrame, Cue, FaceState, Mark

SAMPLE_RATE_HZ = 48_000
S_PER_CHARACTER = 0.055
PAUSE_S = 0.15


@dataclass
class _Line:
    utterance_id: int
    text: str
    duration_s: float
    words: deque[tuple[float, int, int]] = field(default_factory=deque)
    position_s: float = 0.0
    has_started: bool = False


class FakeEngine:
    def __init__(
        self,
        *,
        fps: float = 25.0,
        width: int = 64,
        height: int = 64,
        s_per_character: float = S_PER_CHARACTER,
    ) -> None:
        self.fps = fps
        self.width = width
        self.height = height
        self.generation = 0
        self.said: list[str] = []
        self.marked: list[tuple[Mark, ...]] = []
        self.glances: list[str] = []
        self.acts: list[str] = []
        self.feelings: list[str] = []
        self.followed: list[FaceState | None] = []
        self.is_closed = False
        self._s_per_character = s_per_character
        self._lines: deque[_Line] = deque()
        self._lock = threading.Lock()
        self._index = 0
        self._last: NDArray[np.uint8] | None = None

    @property
    def backlog_s(self) -> float:
        with self._lock:
            return sum(line.duration_s - line.position_s for line in self._lines)

    def say(self, text: str, *, utterance_id: int, marks: Sequence[Mark] = ()) -> None:
        pace = self._s_per_character
        words: deque[tuple[float, int, int]] = deque()
        start = 0
        for word in text.split():
            start = text.index(word, start)
            words.append((start * pace, start, start + len(word)))
            start += len(word)
        with self._lock:
            self.said.append(text)
            self.marked.append(tuple(marks))
            line = _Line(utterance_id, text, len(text) * pace + PAUSE_S, words)
            self._lines.append(line)

    def interrupt(self) -> int:
        with self._lock:
            self._lines.clear()
            self.generation += 1
            return self.generation

    def glance(self, direction: str) -> None:
        self.glances.append(direction)

    def act(self, act: str) -> None:
        self.acts.append(act)

    def feel(self, emotion: str) -> None:
        self.feelings.append(emotion)

    def follow(self, state: FaceState | None) -> None:
        self.followed.append(state)

    def step(self, *, is_drawn: bool = True) -> AvatarFrame:
        with self._lock:
            utterance_id, cues, loud = self._advance()
            index = self._index
            self._index += 1
            generation = self.generation
        picture = self._picture(index, loud)
        frame = AvatarFrame(
            index=index,
            video=self._last if not is_drawn and self._last is not None else picture,
            audio=self._tone(index, loud),
            generation=generation,
            utterance_id=utterance_id,
            cues=cues,
        )
        self._last = frame.video
        return frame

    def close(self) -> None:
        self.is_closed = True

    def _advance(self) -> tuple[int | None, tuple[Cue, ...], bool]:
        if not self._lines:
            return None, (), False
        line = self._lines[0]
        cues: list[Cue] = []
        if not line.has_started:
            line.has_started = True
            cues.append(Cue("started", line.utterance_id))
        end_s = line.position_s + 1.0 / self.fps
        while line.words and line.words[0][0] < end_s:
            at_s, start, end = line.words.popleft()
            offset_s = max(0.0, at_s - line.position_s)
            cues.append(Cue("word", line.utterance_id, offset_s, start, end))
        loud = line.position_s < line.duration_s - PAUSE_S
        line.position_s = end_s
        if end_s >= line.duration_s:
            cues.append(Cue("ended", line.utterance_id, 1.0 / self.fps))
            self._lines.popleft()
        return line.utterance_id, tuple(cues), loud

    def _picture(self, index: int, loud: bool) -> NDArray[np.uint8]:
        """I420: a grey ramp that moves, red while it speaks, blue otherwise."""
        w, h = self.width, self.height
        frame = np.empty(w * h * 3 // 2, np.uint8)
        ramp = (np.arange(w, dtype=np.int64) * 2 + index * 4) % 160 + 48
        frame[: w * h].reshape(h, w)[:] = ramp.astype(np.uint8)
        chroma = frame[w * h :].reshape(2, h // 2, w // 2)
        chroma[0], chroma[1] = (90, 200) if loud else (190, 110)
        return frame

    def _tone(self, index: int, loud: bool) -> NDArray[np.int16]:
        n = round(SAMPLE_RATE_HZ / self.fps)
        if not loud:
            return np.zeros(n, np.int16)
        t = (np.arange(n) + index * n) / SAMPLE_RATE_HZ
        return (8000 * np.sin(2 * math.pi * 220 * t)).astype(np.int16)
