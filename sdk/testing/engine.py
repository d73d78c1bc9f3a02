"""An engine without voice or face: keeps the contract of cues, and finishes a sentence at once."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avatar_engine.types import Act, AvatarFrame, Cue, Emotion, FaceState, Mark

SAMPLE_RATE_HZ = 48_000
FPS = 100.0
_SIDE_PX = 16


@dataclass(slots=True)
class _Line:
    utterance_id: int
    text: str
    marks: tuple[Mark, ...]
    has_begun: bool = False


class QuietEngine:
    """Each sentence takes two frames: it begins with all its words and marks, and it ends.

    Attributes:
        sentences: What the voice was given, in order.
        fps: Frames per second.
        generation: How often it was interrupted.
    """

    def __init__(self, fps: float = FPS) -> None:
        self.fps = fps
        self.generation = 0
        self.sentences: list[str] = []
        self._lines: deque[_Line] = deque()
        self._lock = threading.Lock()
        self._index = 0
        self._video = np.full(_SIDE_PX * _SIDE_PX * 3 // 2, 128, np.uint8)
        self._audio = np.zeros(round(SAMPLE_RATE_HZ / fps), np.int16)

    @property
    def backlog_s(self) -> float:
        """Seconds of speech that are not in a frame yet."""
        with self._lock:
            return sum(1 if line.has_begun else 2 for line in self._lines) / self.fps

    def say(self, text: str, *, utterance_id: int, marks: Sequence[Mark] = ()) -> None:
        """Queue one sentence."""
        with self._lock:
            self.sentences.append(text)
            self._lines.append(_Line(utterance_id, text, tuple(marks)))

    def interrupt(self) -> int:
        """Forget everything queued."""
        with self._lock:
            self._lines.clear()
            self.generation += 1
            return self.generation

    def glance(self, direction: str) -> None:
        """There are no eyes."""

    def act(self, act: Act) -> None:
        """There is no head to nod."""

    def feel(self, emotion: Emotion) -> None:
        """There is no face to show it."""

    def follow(self, state: FaceState | None) -> None:
        """There is no face to be moved."""

    def step(self, *, is_drawn: bool = True) -> AvatarFrame:
        """The next frame: grey, silent, with its cues."""
        with self._lock:
            line = self._lines[0] if self._lines else None
            cues: tuple[Cue, ...] = ()
            if line is not None and not line.has_begun:
                line.has_begun = True
                cues = _beginning(line)
            elif line is not None:
                self._lines.popleft()
                cues = (Cue("ended", line.utterance_id),)
            index, generation = self._index, self.generation
            self._index += 1
        speaking = line.utterance_id if line is not None else None
        return AvatarFrame(index, self._video, self._audio, generation, speaking, cues)

    def close(self) -> None:
        """Nothing is held."""


def _beginning(line: _Line) -> tuple[Cue, ...]:
    cues = [Cue("started", line.utterance_id)]
    start = 0
    for word in line.text.split():
        start = line.text.index(word, start)
        cues.append(Cue("word", line.utterance_id, 0.0, start, start + len(word)))
        start += len(word)
    # Emphasis is not told: it only moves the brows.
    told = [mark for mark in line.marks if mark.kind != "stress"]
    cues += [Cue("mark", line.utterance_id, name=mark.cue_name) for mark in told]
    return tuple(cues)
