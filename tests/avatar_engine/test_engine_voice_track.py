from collections.abc import Iterator

import numpy as np

from avatar_engine.engine.voice_track import VoiceTrack
from avatar_engine.types import Mark, Phoneme, SpeechChunk, Word

RATE = 48_000


class Recording:
    """A stream of chunks that knows whether it was closed."""

    def __init__(self, chunks: list[SpeechChunk]) -> None:
        self._chunks = iter(chunks)
        self.is_closed = False

    def __iter__(self) -> Iterator[SpeechChunk]:
        return self

    def __next__(self) -> SpeechChunk:
        return next(self._chunks)

    def close(self) -> None:
        self.is_closed = True


def _chunks(blocks: int, samples: int = 960) -> list[SpeechChunk]:
    return [
        SpeechChunk(
            np.full(samples, i + 1, np.int16),
            RATE,
            i * samples / RATE,
            (Phoneme("a", i * samples / RATE, (i + 1) * samples / RATE),),
            (Word(i * 4, i * 4 + 3, i * samples / RATE),),
            is_last=i == blocks - 1,
        )
        for i in range(blocks)
    ]


def test_audio_comes_out_whole_and_in_order_whatever_the_block():
    track = VoiceTrack(7, iter(_chunks(10)))
    out = []
    while not track.is_finished:
        track.read_ahead(0.05)
        block, _ = track.take(700)
        out.append(block)
    assert np.array_equal(np.concatenate(out), np.repeat(np.arange(1, 11), 960))


def test_it_reads_only_as_far_ahead_as_asked():
    track = VoiceTrack(1, iter(_chunks(100)))
    chunks = track.read_ahead(0.1)
    assert track.buffered_s <= 0.1 + 0.02
    assert len(chunks) == 5


def test_words_and_marks_fire_in_the_block_they_sound_in():
    track = VoiceTrack(
        3, iter(_chunks(5)), (Mark(9, "act", "nod"), Mark(20, "cue", "end")), text_length=20
    )
    fired = []
    while not track.is_finished:
        track.read_ahead(1.0)
        start = track.played_s
        _, cues = track.take(1920)
        fired += [(c.kind, c.name, round(start + c.offset_s, 4)) for c in cues]
    assert ("mark", "act:nod", 0.04) in fired
    assert ("mark", "cue:end", 0.1) in fired
    assert [when for kind, _, when in fired if kind == "word"] == [0.0, 0.02, 0.04, 0.06, 0.08]


def test_closing_stops_the_voice():
    recording = Recording(_chunks(100))
    track = VoiceTrack(1, recording)
    track.read_ahead(0.1)
    track.close()
    assert recording.is_closed
    track.read_ahead(10)
    assert track.buffered_s < 0.2
