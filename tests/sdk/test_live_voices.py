"""Voices of a speech endpoint: real HTTP to a server on loopback, in all its moods."""

import logging
import time
from itertools import pairwise

import numpy as np
import pytest

from avatar_engine.errors import VoiceError
from avatar_engine.speech import open_voice
from avatar_engine.types import SpeechChunk
from sdk.errors import SettingsError
from sdk.live.voices.address import VoiceAddress
from sdk.live.voices.fallback import FallbackVoice
from sdk.live.voices.fetching import Patience, RemoteError
from sdk.live.voices.opening import open_session_voice, voice_language
from sdk.live.voices.remote import RemoteVoice
from tests.support.speech_server import SpeechServer, drained, encoded, speech_server, spoken

TEXT = "Good evening, everybody! This lamp costs $49 today."
QUICK = Patience(connect_s=2.0, first_s=2.5, stall_s=0.9)


@pytest.fixture(scope="module", autouse=True)
def _rehearsed():
    for kind in ("pcm", "wav", "mp3", "opus", "flac"):
        spoken(TEXT) if kind == "pcm" else encoded(spoken(TEXT), kind)


def _voice(server: SpeechServer, *, waits: bool = True) -> RemoteVoice:
    address = VoiceAddress.parse(f"{server.url}#tiny/alice", has_key=False)
    return RemoteVoice(address, key=None, patience=QUICK, waits=waits)


def _sound(chunks: list[SpeechChunk]) -> np.ndarray:
    return np.concatenate([chunk.pcm for chunk in chunks] or [np.zeros(0, np.int16)])


def _check_stream(chunks: list[SpeechChunk]) -> None:
    full = [chunk for chunk in chunks if len(chunk.pcm)]
    assert [chunk.is_last for chunk in full] == [False] * (len(full) - 1) + [True]
    for chunk, following in pairwise(full):
        end_s = chunk.start_s + len(chunk.pcm) / 48_000
        assert following.start_s == pytest.approx(end_s, abs=1e-4)


@pytest.mark.parametrize("kind", ["pcm", "wav", "mp3", "opus", "flac"])
def test_every_format_sounds_the_same_and_moves_lips(kind: str):
    with speech_server(kind=kind) as server:
        voice = _voice(server)
        chunks = list(voice.speak(TEXT))
        voice.close()
    _check_stream(chunks)
    sound, expected = _sound(chunks), spoken(TEXT)
    assert len(sound) == pytest.approx(2 * len(expected), rel=0.04)
    assert np.abs(sound.astype(int)).max() < 31_300
    words = [TEXT[w.start : w.end].strip(",.!") for c in chunks for w in c.words]
    assert words == ["Good", "evening", "everybody", "This", "lamp", "costs", "$49", "today"]
    shares = np.concatenate([chunk.heard.shares for chunk in chunks if chunk.heard])
    assert len(shares) == pytest.approx(len(sound) / 480, abs=1)
    assert (shares[:, 0] < 0.5).mean() > 0.5  # mostly speech
    asked = server.asked[0]
    assert asked["path"] == "/v1/audio/speech"
    assert asked["model"] == "tiny"
    assert asked["voice"] == "alice"
    assert asked["input"] == TEXT


def test_markup_and_emoji_are_not_sent():
    with speech_server() as server:
        voice = _voice(server)
        list(voice.speak("Hi <b>you</b> 😀 see https://example.com/x now"))
        assert list(voice.speak(" … ")) == []
        voice.close()
    assert server.asked[0]["input"].split() == ["Hi", "you", "see", "now"]
    assert len(server.asked) == 1


def test_a_prepared_line_is_asked_for_once_and_an_unwanted_one_is_hung_up_on():
    with speech_server(first_s=0.2) as server:
        voice = _voice(server)
        voice.prepare("Never mind.")
        voice.prepare(TEXT)
        time.sleep(0.35)
        first = next(c for c in voice.speak(TEXT) if len(c.pcm))
        assert len(first.pcm) == 1920
        assert sorted(asked["input"] for asked in server.asked) == sorted([TEXT, "Never mind."])
        voice.close()
        drained()


def test_a_live_show_is_never_kept_waiting():
    with speech_server(first_s=0.25) as server:
        voice = _voice(server, waits=False)
        chunks, slowest, speech = [], 0.0, voice.speak("One moment please.")
        while True:
            began = time.thread_time()
            chunk = next(speech, None)
            slowest = max(slowest, time.thread_time() - began)
            if chunk is None:
                break
            chunks.append(chunk)
            time.sleep(0.005)
        voice.close()
    assert len(chunks[0].pcm) == 0
    assert not chunks[0].is_last
    assert slowest < 0.3
    _check_stream(chunks)


@pytest.mark.parametrize(
    ("plan", "about"),
    [
        ({"status": 401}, r"refuses the key; set LIVEPITCH_SPEECH_KEY \(401\)"),
        ({"status": 404}, r"no such endpoint, model or voice"),
        ({"status": 429}, r"asked too much"),
        ({"status": 500}, r"cannot speak now \(500\)"),
        ({"status": 307, "headers": {"Location": "http://127.0.0.1:9/"}}, "wants us elsewhere"),
        ({"kind": "json"}, "text instead of sound"),
        ({"first_s": 9.0}, "no sound in time"),
        ({"stall_after": 30_000}, "no sound in time"),
        ({"cut_after": 30_000}, "."),
        ({"cut_after": 30_000, "is_chunked": False}, "cut off"),
        ({"kind": "mp3", "cut_after": 4_000}, "."),
    ],
)
def test_every_failure_is_a_voice_error_in_one_line(plan: dict, about: str):
    with speech_server(**plan) as server:
        voice = _voice(server)
        with pytest.raises(RemoteError, match=about) as caught:
            list(voice.speak(TEXT))
        voice.close()
        server.is_over.set()
        drained()
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, VoiceError)


def test_nobody_there_is_a_voice_error():
    address = VoiceAddress.parse("http://127.0.0.1:9/v1#a/b", has_key=False)
    voice = RemoteVoice(address, key=None, patience=QUICK)
    with pytest.raises(RemoteError, match=r"127\.0\.0\.1:9 a/b: "):
        list(voice.speak("Hello."))
    voice.close()


def _with_fallback(server: SpeechServer, now: list[float]) -> FallbackVoice:
    return FallbackVoice(_voice(server), open_voice("espeak:en-us"), now=lambda: now[0])


def test_the_embedded_voice_takes_over_with_one_warning_and_gives_back(caplog):
    now = [0.0]
    with speech_server(status=500) as server, caplog.at_level(logging.WARNING):
        voice = _with_fallback(server, now)
        for _ in range(3):
            chunks = list(voice.speak(TEXT))
            _check_stream(chunks)
            assert any(chunk.phonemes for chunk in chunks)
        assert len(server.asked) == 1  # left alone for a while
        now[0] = 30.0
        list(voice.speak(TEXT))
        assert len(server.asked) == 2
        assert [r.message for r in caplog.records] == ["the embedded voice speaks instead"]
        server.status = 200
        now[0] = 60.0
        chunks = list(voice.speak(TEXT))
        assert not any(chunk.phonemes for chunk in chunks)
        server.status = 500
        list(voice.speak(TEXT))
        assert len(caplog.records) == 2
        voice.close()


def test_a_wrong_key_is_not_tried_again_and_a_busy_server_when_it_says(caplog):
    now = [0.0]
    with speech_server(status=429, headers={"Retry-After": "90"}) as server:
        voice = _with_fallback(server, now)
        list(voice.speak("One."))
        now[0] = 60.0
        assert voice.is_fallen_back
        now[0] = 91.0
        assert not voice.is_fallen_back
        server.status = 401
        list(voice.speak("Two."))
        now[0] = 1e9
        assert voice.is_fallen_back
        voice.close()


@pytest.mark.parametrize("plan", [{"stall_after": 70_000}, {"cut_after": 70_000}])
def test_half_an_answer_is_finished_by_the_embedded_voice(plan: dict):
    with speech_server(**plan) as server:
        voice = _with_fallback(server, [0.0])
        chunks = list(voice.speak(TEXT))
        voice.close()
        server.is_over.set()
        drained()
    _check_stream(chunks)
    words = [TEXT[w.start : w.end].strip(",.!") for c in chunks for w in c.words]
    assert words == ["Good", "evening", "everybody", "This", "lamp", "costs", "$49", "today"]
    assert any(chunk.heard is not None for chunk in chunks)
    assert any(chunk.phonemes for chunk in chunks)
    assert len(_sound(chunks)) / 48_000 > 2.5


def test_the_key_comes_from_the_settings_alone(monkeypatch, caplog):
    monkeypatch.setenv("LIVEPITCH_SPEECH_KEY", "sk-very-secret")
    with speech_server(status=401) as server, caplog.at_level(logging.DEBUG):
        voice = open_session_voice(f"openai:{server.url}#tts-1/alloy@es")
        deadline = time.monotonic() + 5
        for _ in voice.speak("Hola."):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        assert voice_language(voice) == "espeak:es"
        assert "secret" not in voice.name
        voice.close()
    assert server.keys == ["Bearer sk-very-secret"]
    assert "very-secret" not in caplog.text


@pytest.mark.parametrize(
    "text",
    ["", "x", "http://h/v1", "http://h/v1#alloy", "ftp://h/v1#a/b", "http://h:x/v1#a/b",
     "https://user:pw@h/v1#a/b", "https://h/v1?key=1#a/b"],
)  # fmt: skip
def test_an_address_written_wrongly_is_told_at_once(text: str):
    with pytest.raises(SettingsError, match="--voice openai") as caught:
        VoiceAddress.parse(text, has_key=False)
    assert "pw" not in str(caught.value).split("--voice")[1].split(":")[0]


def test_an_address_is_read_whole():
    address = VoiceAddress.parse("https://h.example/v1#hexgrad/kokoro/af_heart@pt-br", has_key=True)
    assert (address.host, address.port, address.path) == ("h.example", 443, "/v1/audio/speech")
    assert (address.model, address.voice) == ("hexgrad/kokoro", "af_heart")
    assert address.language == "pt-br"
    with pytest.raises(SettingsError, match="in the clear"):
        VoiceAddress.parse("http://h.example/v1#a/b", has_key=True)
    assert VoiceAddress.parse("http://127.0.0.1:8080/v1#a/b", has_key=True).port == 8080
