import gc
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import pytest

from avatar_engine.errors import VoiceError
from avatar_engine.speech import list_voices, open_voice
from avatar_engine.speech.espeak_process import (
    REPLY_LIMIT_S,
    EspeakProcess,
    SpeakRequest,
    WorkerLost,
)

TEXT = "Hello everyone! This serum costs $49.90 today. Only twelve are left, so be quick."
SPANS = "Hello everyone This serum costs $49.90 today Only twelve are left so be quick"


@pytest.fixture
def voice():
    opened = open_voice("espeak:en-us")
    yield opened
    opened.close()


def _is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _gone(pid, limit_s=5.0):
    """The process ended and was reaped."""
    deadline = time.monotonic() + limit_s
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
        time.sleep(0.01)
    return not os.path.exists(f"/proc/{pid}")


def _levels(pcm, block=480):
    whole = pcm[: len(pcm) // block * block].astype(np.float64) / 32768
    return np.sqrt((whole.reshape(-1, block) ** 2).mean(axis=1))


def test_chunks_are_a_gapless_stream_of_48_khz(voice):
    chunks = list(voice.speak(TEXT))
    at = 0
    for chunk in chunks:
        assert chunk.sample_rate_hz == 48_000
        assert chunk.pcm.dtype == np.int16
        assert chunk.start_s == pytest.approx(at / 48_000)
        assert len(chunk.pcm) <= 2880
        at += len(chunk.pcm)
    assert 5.0 < at / 48_000 < 9.0
    assert [chunk.is_last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


def test_phonemes_are_gapless_and_come_with_their_chunk(voice):
    chunks = list(voice.speak(TEXT))
    phonemes = [phoneme for chunk in chunks for phoneme in chunk.phonemes]
    for before, after in pairwise(phonemes):
        assert before.start_s < before.end_s
        assert before.end_s <= after.start_s + 1e-9
    for chunk in chunks[:-1]:
        end_s = chunk.start_s + len(chunk.pcm) / 48_000
        assert all(chunk.start_s <= p.start_s < end_s for p in chunk.phonemes)
    spoken = "".join(p.symbol for p in phonemes)
    assert "hə" in spoken
    assert "dˈɑːl" in spoken, "the price is read as dollars"


def test_words_point_into_the_original_text_when_they_sound(voice):
    chunks = list(voice.speak(TEXT))
    words = [word for chunk in chunks for word in chunk.words]
    assert " ".join(TEXT[w.start : w.end] for w in words) == SPANS
    assert all(a.start_s < b.start_s for a, b in pairwise(words))


def test_phoneme_times_match_the_sound(voice):
    """Silent phonemes are silent, vowels are loud: events and samples share one clock."""
    chunks = list(voice.speak("Papa, papa, papa. Papa, papa."))
    pcm = np.concatenate([chunk.pcm for chunk in chunks])
    phonemes = [p for chunk in chunks for p in chunk.phonemes]
    level = _levels(pcm, 240)

    def loudness(p):
        return level[
            int(p.start_s * 200) : max(int(p.end_s * 200), int(p.start_s * 200) + 1)
        ].mean()

    vowels = [loudness(p) for p in phonemes if "ɑ" in p.symbol]
    pauses = [loudness(p) for p in phonemes if not p.symbol and p.end_s - p.start_s > 0.1]
    assert len(vowels) >= 5
    assert len(pauses) >= 2
    assert min(vowels) > 20 * max(pauses)


def test_loudness_is_even_and_nothing_clips(voice):
    for text in (TEXT, "I LOVE IT!!! Aaah, wow, buy buy buy!"):
        pcm = np.concatenate([chunk.pcm for chunk in voice.speak(text)])
        level = _levels(pcm)
        active_db = 20 * np.log10(np.sqrt((level[level > 0.1 * level.max()] ** 2).mean()))
        assert -21 < active_db < -13
        assert np.abs(pcm.astype(int)).max() < 31_500
        assert abs(pcm.mean()) < 30


@pytest.mark.parametrize("text", ["", "  \n ", "😀", "https://a.example/b", "<b></b>"])
def test_nothing_to_say_ends_cleanly(voice, text):
    assert list(voice.speak(text)) == []


@pytest.mark.parametrize(
    "text",
    ["\0a\0", "[[", "]]hello", "<speak>hi", "a" * 5000, "\ud800 hello", "%s%n" * 20, "。。。好"],
)
def test_odd_text_does_not_break_the_voice(voice, text):
    for _ in voice.speak(text):
        pass
    assert len(list(voice.speak("Still here."))) > 10


def test_leaving_early_stops_the_worker_and_the_voice_stays_usable(voice):
    pid = voice.worker_pid
    spoken = voice.speak("This is a very long line. " * 200)
    next(spoken)
    start = time.monotonic()
    spoken.close()
    assert time.monotonic() - start < REPLY_LIMIT_S  # it answered
    assert len(list(voice.speak("Next."))) > 5
    assert voice.worker_pid == pid


def test_a_new_utterance_ends_the_one_before(voice):
    first = voice.speak(TEXT * 5)
    next(first)
    second = list(voice.speak("Next."))
    assert second[-1].is_last
    assert len(list(first)) <= 1


def test_a_killed_worker_is_replaced_in_the_middle_of_a_sentence(voice):
    undisturbed = sum(len(chunk.pcm) for chunk in voice.speak(TEXT))
    pid = voice.worker_pid
    spoken = voice.speak(TEXT)
    chunks = [next(spoken) for _ in range(30)]
    os.kill(pid, signal.SIGKILL)
    chunks += list(spoken)
    assert voice.worker_pid != pid
    assert _gone(pid), "a zombie is left"
    assert chunks[-1].is_last
    words = [TEXT[w.start : w.end] for chunk in chunks for w in chunk.words]
    assert " ".join(words) == SPANS
    starts = [p.start_s for chunk in chunks for p in chunk.phonemes]
    assert starts == sorted(starts)
    assert sum(len(chunk.pcm) for chunk in chunks) == pytest.approx(undisturbed, rel=0.03)


def test_a_worker_killed_between_utterances_is_replaced(voice):
    list(voice.speak("One."))
    os.kill(voice.worker_pid, signal.SIGKILL)
    assert len(list(voice.speak("Two."))) > 5


def test_a_hung_worker_is_noticed_within_the_limit():
    process = EspeakProcess(reply_limit_s=0.3)
    try:
        os.kill(process.pid, signal.SIGSTOP)
        start = time.monotonic()
        with pytest.raises(WorkerLost, match=r"said nothing for 0\.3 s"):
            list(process.speak(SpeakRequest("gmw/en-US", "hello", 160, 50, 50, False)))
        assert time.monotonic() - start < REPLY_LIMIT_S
    finally:
        os.kill(process.pid, signal.SIGCONT)
        process.close()


def test_closing_and_dropping_leave_no_process():
    closed = open_voice("espeak:en-us")
    pid = closed.worker_pid
    closed.close()
    closed.close()
    assert _gone(pid)
    dropped = open_voice("espeak:en-us")
    pid = dropped.worker_pid
    spoken = dropped.speak(TEXT)
    next(spoken)
    del dropped, spoken
    gc.collect()
    assert _gone(pid)


def test_the_worker_ends_with_a_parent_that_was_killed():
    script = (
        "import sys, time\n"
        "from avatar_engine.speech import open_voice\n"
        "voice = open_voice('espeak:en-us')\n"
        "print(voice.worker_pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        pid = int(parent.stdout.readline())
        assert _is_running(pid)
        parent.kill()
    deadline = time.monotonic() + 30
    while _is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_running(pid)


def test_the_worker_is_light_and_prints_nothing_into_the_protocol(voice):
    list(voice.speak(TEXT))
    with open(f"/proc/{voice.worker_pid}/maps") as maps:
        loaded = maps.read()
    assert "espeak" in loaded
    assert "numpy" not in loaded
    with open("/proc/self/maps") as maps:
        assert "libespeak-ng" not in maps.read(), "the GPL library is in our own process"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("espeak:en-us2", "en-us"),
        ("espeak:pt-xx", "pt-br"),
        ("espeak:en-us+f33", "f3"),
        ("espeak:", "en-us"),
        ("siri:x", "piper:FILE.onnx"),
        ("en-us", "espeak:LANGUAGE"),
    ],
)
def test_unknown_voices_name_near_ones(name, near):
    with pytest.raises(VoiceError) as problem:
        open_voice(name)
    assert near in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("options", [{"speed": 0.1}, {"speed": 9}, {"pitch": 0}, {"pitch": 3}])
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match="outside"):
        open_voice("espeak:en-us", **options)


def test_every_listed_voice_opens_by_its_name():
    voices = list_voices()
    assert len(voices) > 100
    names = [info.name for info in voices]
    for name in ("espeak:en-us", "espeak:es", "espeak:cmn", "espeak:pt-br", "espeak:ko"):
        assert name in names
    for info in voices[::24]:
        opened = open_voice(info.name)
        assert list(opened.speak("1 2 3")), info.name
        opened.close()


def test_speed_and_pitch_do_what_they_say():
    def spoken(**options):
        opened = open_voice("espeak:en-us", **options)
        pcm = np.concatenate([chunk.pcm for chunk in opened.speak(TEXT)]).astype(np.float64)
        opened.close()
        return pcm

    def pitch_hz(pcm):
        frames = pcm[: len(pcm) // 2400 * 2400].reshape(-1, 2400)
        frames = frames[np.abs(frames).max(axis=1) > 4000]
        spectra = np.abs(np.fft.rfft(frames, 9600)) ** 2
        lags = np.fft.irfft(spectra)[:, 120:700]
        return 48_000 / (120 + np.median(lags.argmax(axis=1)))

    calm, quick, high = spoken(), spoken(speed=1.5), spoken(pitch=1.6)
    assert len(quick) < 0.8 * len(calm)
    assert pitch_hz(high) > 1.15 * pitch_hz(calm)


@pytest.mark.parametrize(
    ("voice_name", "text", "words"),
    [
        ("es", "Hoy cuesta 49,90 €, ¡solo hoy!", ["Hoy", "cuesta", "49,90 €", "solo", "hoy"]),
        ("cmn", "现价¥199！", None),
        ("ko", "오늘 1,299원", ["오늘", "1,299원"]),
        ("ar", "مرحبا 20", None),
        ("ja", "こんにちは、1,299円です", None),
        ("de", "Nur 3,5 kg für 20 %", ["Nur", "3,5 kg", "für", "20 %"]),
    ],
)
def test_other_languages_speak_with_spans(voice_name, text, words):
    opened = open_voice(f"espeak:{voice_name}")
    chunks = list(opened.speak(text))
    opened.close()
    spans = [text[w.start : w.end] for chunk in chunks for w in chunk.words]
    assert spans
    assert all(span.strip() for span in spans)
    if words is not None:
        assert spans == words


def _broken_worker(tmp_path, monkeypatch, body):
    """Workers started from now on run ``body`` instead of espeak."""
    script = tmp_path / "worker.py"
    script.write_text(f"import os, struct, sys\n{body}\n")
    monkeypatch.setattr("avatar_engine.speech.espeak_process._WORKER", script)


_READY = "os.write(1, struct.pack('<IcI', 5, b'R', 22050))"


def test_a_text_that_kills_every_worker_is_given_up_with_a_clear_error(
    voice, tmp_path, monkeypatch
):
    _broken_worker(tmp_path, monkeypatch, f"{_READY}\nsys.stdin.buffer.read(1)")
    os.kill(voice.worker_pid, signal.SIGKILL)
    with pytest.raises(VoiceError, match=r"died 4 times on 'Fatal words\.'"):
        list(voice.speak("Fatal words."))
    monkeypatch.undo()
    assert list(voice.speak("It speaks again."))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("sys.exit(1)", "ended while starting"),
        ("m = b'Xno data'\nos.write(1, struct.pack('<I', len(m)) + m)", "cannot run here: no data"),
        (_READY, "ended while starting"),
    ],
)
def test_a_worker_that_cannot_start_is_a_voice_error(tmp_path, monkeypatch, body, message):
    _broken_worker(tmp_path, monkeypatch, body)
    with pytest.raises(VoiceError, match=message):
        open_voice("espeak:en-us")
