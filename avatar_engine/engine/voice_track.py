"""One utterance on its way to the ear: voice chunks in, exact blocks of 48 kHz audio out."""

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from avatar_engine.types import Cue, Mark, SpeechChunk

SAMPLE_RATE_HZ = 48_000


class VoiceTrack:
    """Pulls a voice ahead of playout and hands out its audio in blocks of any length.

    Args:
        utterance_id: Whose cues these are.
        chunks: The voice's stream; closed by ``close``.
        marks: Of the utterance's text.
        text_length: For marks behind the last word.
    """

    def __init__(
        self,
        utterance_id: int,
        chunks: Iterator[SpeechChunk],
        marks: tuple[Mark, ...] = (),
        text_length: int = 0,
    ) -> None:
        self.utterance_id = utterance_id
        self.played_s = 0.0
        self._chunks = chunks
        self._blocks: deque[NDArray[np.int16]] = deque()
        self._buffered = 0
        self._is_read = False
        self._marks = deque(marks)
        self._cues: deque[tuple[float, Cue]] = deque()
        self._text_length = text_length

    @property
    def buffered_s(self) -> float:
        """Seconds of audio read from the voice and not yet taken."""
        return self._buffered / SAMPLE_RATE_HZ

    @property
    def is_read(self) -> bool:
        """Nothing more comes from the voice."""
        return self._is_read

    @property
    def is_finished(self) -> bool:
        """Everything was read and taken."""
        return self._is_read and self._buffered == 0 and not self._cues

    def read_ahead(self, seconds: float) -> list[SpeechChunk]:
        """Read until ``seconds`` are buffered, or the voice has nothing more yet; what was read.

        Raises:
            VoiceError: The voice died.
        """
        chunks: list[SpeechChunk] = []
        while not self._is_read and self.buffered_s < seconds:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._finish()
                break
            if not chunk.is_last and len(chunk.pcm) == 0:
                break  # a slow voice: ask again with the next frame
            chunks.append(chunk)
            self._append(chunk.pcm)
            for word in chunk.words:
                self._fire_marks_before(word.end, word.start_s)
                cue = Cue("word", self.utterance_id, start=word.start, end=word.end)
                self._cues.append((word.start_s, cue))
            if chunk.is_last:
                self._finish()
        return chunks

    def take(self, samples: int) -> tuple[NDArray[np.int16], list[Cue]]:
        """The next samples (fewer at the end) and the cues that fall into them."""
        parts: list[NDArray[np.int16]] = []
        wanted = samples
        while wanted and self._blocks:
            block = self._blocks[0]
            if len(block) <= wanted:
                parts.append(self._blocks.popleft())
            else:
                parts.append(block[:wanted])
                self._blocks[0] = block[wanted:]
            wanted -= len(parts[-1])
        audio = np.concatenate(parts) if parts else np.zeros(0, np.int16)
        self._buffered -= len(audio)
        start_s = self.played_s
        self.played_s += len(audio) / SAMPLE_RATE_HZ
        cues = []
        at_end = self._is_read and self._buffered == 0
        while self._cues and (at_end or self._cues[0][0] < self.played_s):
            when, cue = self._cues.popleft()
            offset = max(0.0, when - start_s)
            cues.append(Cue(cue.kind, cue.utterance_id, offset, cue.start, cue.end, cue.name))
        return audio, cues

    def close(self) -> None:
        """Stop the voice; what was read stays available."""
        if not self._is_read:
            self._is_read = True
            close = getattr(self._chunks, "close", None)
            if close is not None:
                close()

    def _append(self, pcm: NDArray[np.int16]) -> None:
        if len(pcm):
            self._blocks.append(pcm)
            self._buffered += len(pcm)

    def _finish(self) -> None:
        if self._is_read:
            return
        self._is_read = True
        self._fire_marks_before(self._text_length + 1, self.played_s + self.buffered_s)

    def _fire_marks_before(self, offset: int, when_s: float) -> None:
        while self._marks and self._marks[0].offset < offset:
            mark = self._marks.popleft()
            self._cues.append((when_s, Cue("mark", self.utterance_id, name=mark.cue_name)))
