"""A Piper voice file spoken for real: the embedded voice's phonemes, a network of its own."""

import json
import os
import signal
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from avatar_engine.errors import VoiceError
from avatar_engine.motion import Performer
from avatar_engine.speech import open_voice
from avatar_engine.speech.piper import PiperVoice
from avatar_engine.types import ARKIT_INDEX, SpeechChunk

pytest.importorskip("onnxruntime")
from tests.support.piper_voice import write_piper_voice

TEXT = "Hello my friends. This lamp costs $49 now!"


@pytest.fixture
def voice_file(tmp_path: Path) -> Path:
    return write_piper_voice(tmp_path)


def _spoken(name: str, text: str = TEXT, **options: object) -> list[SpeechChunk]:
    voice = open_voice(name, **options)
    try:
        return list(voice.speak(text))
    finally:
        voice.close()


def test_it_speaks_with_words_in_place_and_lips_heard_from_the_sound(voice_file: Path):
    chunks = _spoken(f"piper:{voice_file}")
    pcm = np.concatenate([chunk.pcm for chunk in chunks])
    assert len(pcm) / 48_000 > 2.0
    assert np.abs(pcm.astype(int)).max() < 31_200
    assert [chunk.is_last for chunk in chunks].count(True) == 1
    assert chunks[-1].is_last
    words = [TEXT[w.start : w.end].strip(".!") for c in chunks for w in c.words]
    assert words == ["Hello", "my", "friends", "This", "lamp", "costs", "$49", "now"]
    starts = [w.start_s for c in chunks for w in c.words]
    assert all(a <= b for a, b in pairwise(starts))
    assert starts[3] > 0.8  # the second sentence
    for chunk, following in pairwise(chunks):
        end_s = chunk.start_s + len(chunk.pcm) / 48_000
        assert following.start_s == pytest.approx(end_s, abs=1e-4)
    assert all(chunk.heard is not None and not chunk.phonemes for chunk in chunks)


def test_a_voice_that_tells_durations_gives_phonemes(tmp_path: Path):
    path = write_piper_voice(tmp_path, has_durations=True)
    chunks = _spoken(f"piper:{path}", "Bob may map.")
    assert all(chunk.heard is None for chunk in chunks)
    phonemes = [p for chunk in chunks for p in chunk.phonemes]
    assert [p.symbol for p in phonemes if p.symbol in ("b", "m", "p")] == [*"bbmm", "p"]
    for one, other in pairwise(phonemes):
        assert other.start_s == pytest.approx(one.end_s, abs=1e-6)
    length_s = sum(len(chunk.pcm) for chunk in chunks) / 48_000
    assert phonemes[-1].end_s == pytest.approx(length_s, abs=0.01)
    performer = Performer(seed=1)
    performer.begin(0.2, "Bob may map.")
    for chunk in chunks:
        performer.feed(chunk.phonemes, chunk.words, chunk.pcm)
    performer.end(0.2 + length_s)
    m = next(p for p in phonemes if p.symbol == "m")
    frame = round((0.2 + 0.5 * (m.start_s + m.end_s)) * 25)
    faces = [performer.state(i).blendshapes for i in range(frame + 1)]
    shut = faces[-1]
    assert shut[ARKIT_INDEX["mouthClose"]] > 0.8 * shut[ARKIT_INDEX["jawOpen"]]


def test_a_live_show_is_never_kept_waiting(voice_file: Path):
    voice = open_voice(f"piper:{voice_file}", waits=False)
    try:
        slowest, pieces = 0.0, []
        chunks = voice.speak("One moment please.")
        while True:
            began = time.process_time()
            chunk = next(chunks, None)
            slowest = max(slowest, time.process_time() - began)
            if chunk is None:
                break
            pieces.append(len(chunk.pcm))
            time.sleep(0.002)
    finally:
        voice.close()
    # Empty pieces may come first, while the network is at work; none is held back for it.
    assert sum(pieces) > 24_000
    assert slowest < 0.5


def test_speakers_are_chosen_by_name(tmp_path: Path):
    path = write_piper_voice(tmp_path, speakers=3)
    assert _spoken(f"piper:{path}#s2", "Hi.")
    with pytest.raises(VoiceError, match="unknown speaker 'bob'; there are s0, s1, s2"):
        open_voice(f"piper:{path}#bob")


def test_an_utterance_that_is_left_early_leaves_the_next_one_whole(voice_file: Path):
    voice = open_voice(f"piper:{voice_file}")
    try:
        next(iter(voice.speak("A long line that nobody will hear to its end.")))
        alone = sum(len(c.pcm) for c in voice.speak("Short."))
        again = sum(len(c.pcm) for c in voice.speak("Short."))
    finally:
        voice.close()
    assert alone == again > 0


def test_what_is_wrong_is_told_in_one_line(tmp_path: Path):
    with pytest.raises(VoiceError, match=r"no such voice file"):
        open_voice(f"piper:{tmp_path}/absent.onnx")
    path = write_piper_voice(tmp_path)
    config = path.with_name("tiny.onnx.json")
    content = json.loads(config.read_text())
    config.write_text(json.dumps(content | {"phoneme_type": "pinyin"}))
    with pytest.raises(VoiceError, match="espeak phonemes"):
        open_voice(f"piper:{path}")
    config.write_text("{}")
    with pytest.raises(VoiceError, match="not the JSON of a Piper voice"):
        open_voice(f"piper:{path}")
    config.unlink()
    with pytest.raises(VoiceError, match="is missing"):
        open_voice(f"piper:{path}")
    config.write_text(json.dumps(content))
    path.write_bytes(b"nonsense")
    with pytest.raises(VoiceError, match="cannot be run as a Piper voice") as caught:
        open_voice(f"piper:{path}")
    assert "\n" not in str(caught.value)


def test_a_process_that_dies_is_an_error_and_not_a_hang(voice_file: Path):
    voice = open_voice(f"piper:{voice_file}")
    assert isinstance(voice, PiperVoice)
    try:
        os.kill(voice.worker_pid, signal.SIGKILL)
        with pytest.raises(VoiceError, match="process is gone"):
            list(voice.speak("Hello."))
    finally:
        voice.close()
