"""Recordings: read whole or refused in one clear line, and heard well enough to move a mouth."""

import os
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from avatar_engine.errors import AudioError
from avatar_engine.motion.coarticulation import MouthTrack
from avatar_engine.speech import open_voice
from avatar_engine.speech.audio import read_audio, read_speech, speech_of
from avatar_engine.speech.ear import hear
from avatar_engine.types.arkit import ARKIT_INDEX

LINES = {
    "en-us": "Hello everyone, this is my favourite serum. Would you like to try it now?",
    "es": "Hola a todos, este es mi producto favorito y cuesta muy poco.",
    "cmn": "大家好，这是我最喜欢的产品，今天只要四十九元。",
    "fr-fr": "Bonjour à tous, voici mon produit préféré pour ce soir.",
}


CODECS = [("a.flac", "flac"), ("a.m4a", "aac"), ("a.mp3", "mp3")]


@pytest.fixture(scope="module")
def spoken():
    chunks = {}
    for language, text in LINES.items():
        voice = open_voice(f"espeak:{language}")
        chunks[language] = list(voice.speak(text))
        voice.close()
    return chunks


@pytest.fixture(scope="module")
def sound(spoken):
    return np.concatenate([chunk.pcm for chunk in spoken["en-us"]])


def _write_wav(path, pcm, rate=48_000, channels=1):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(pcm[:, None], channels, axis=1).astype("<i2").tobytes())


def _encode(path, pcm, codec):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48_000)
        stream.layout = "mono"
        resampler = av.AudioResampler(
            format=stream.format.name, layout="mono", rate=48_000, frame_size=1024
        )
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = 48_000
        for converted in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(converted))
        container.mux(stream.encode(None))


def test_wav_is_read_exactly(tmp_path, sound):
    _write_wav(tmp_path / "a.wav", sound)
    assert np.array_equal(read_audio(tmp_path / "a.wav"), sound)


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (22_050, 2), (44_100, 2)])
def test_any_rate_and_channels_become_48_khz_mono(tmp_path, sound, rate, channels):
    _write_wav(tmp_path / "a.wav", sound[:48_000], rate, channels)
    pcm = read_audio(tmp_path / "a.wav")
    assert len(pcm) == pytest.approx(48_000 / rate * 48_000, abs=64)


@pytest.mark.parametrize(("name", "codec"), CODECS)
def test_compressed_files_are_read(tmp_path, sound, name, codec):
    _encode(tmp_path / name, sound, codec)
    assert len(read_audio(tmp_path / name)) == pytest.approx(len(sound), abs=4800)


@pytest.mark.parametrize(("name", "codec"), CODECS)
def test_files_cut_in_half_are_refused(tmp_path, sound, name, codec):
    _encode(tmp_path / name, sound, codec)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(AudioError, match=name):
        read_audio(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a readable"),
        (b"hello, I am text", "not a readable"),
        (os.urandom(20_000), "not a readable"),
        (None, "no such file"),
    ],
)
def test_what_is_no_sound_is_refused_in_one_line(tmp_path, content, reason):
    path = tmp_path / "odd.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AudioError, match=reason) as problem:
        read_speech(path)
    assert "\n" not in str(problem.value)
    assert "odd.wav" in str(problem.value)


def test_cut_and_hollow_wav_files_are_refused(tmp_path, sound):
    _write_wav(tmp_path / "a.wav", sound)
    data = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[: len(data) // 2])
    with pytest.raises(AudioError, match="cut off after"):
        read_audio(tmp_path / "cut.wav")
    _write_wav(tmp_path / "hollow.wav", sound[:0])
    with pytest.raises(AudioError, match="no sound at all"):
        read_audio(tmp_path / "hollow.wav")


def test_a_silent_video_is_refused(tmp_path):
    path = tmp_path / "mute.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(AudioError, match="has no sound"):
        read_audio(path)


def test_a_recording_gives_a_voices_chunks(sound):
    chunks = list(speech_of(sound))
    assert np.array_equal(np.concatenate([chunk.pcm for chunk in chunks]), sound)
    assert [chunk.is_last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    shares = np.concatenate([chunk.heard.shares for chunk in chunks])
    assert np.allclose(shares, hear(sound).shares, atol=1e-3)
    assert len(shares) == -(-len(sound) // 480)
    told = [chunk.heard.start_s * 100 for chunk in chunks]
    assert told == pytest.approx(np.cumsum([0] + [len(c.heard.shares) for c in chunks[:-1]]))


@pytest.mark.parametrize("language", LINES)
def test_the_heard_mouth_resembles_the_known_one(spoken, language):
    chunks = spoken[language]
    pcm = np.concatenate([chunk.pcm for chunk in chunks])
    known, heard = MouthTrack(), MouthTrack()
    known.feed([p for chunk in chunks for p in chunk.phonemes])
    heard.hear(hear(pcm))
    times = np.arange(0, len(pcm) / 48_000, 0.02)

    def opening(track):
        curves = np.array([track.weights(t) for t in times])
        return curves[:, ARKIT_INDEX["jawOpen"]] - curves[:, ARKIT_INDEX["mouthClose"]]

    assert np.corrcoef(opening(known), opening(heard))[0, 1] > 0.5
    assert opening(heard).mean() == pytest.approx(opening(known).mean(), rel=0.45)


@pytest.mark.shared
def test_real_recordings_in_many_languages_move_the_mouth_with_the_voice():
    shared = os.environ.get("LIVEPITCH_SHARED")
    if not shared:
        pytest.skip("LIVEPITCH_SHARED is unset")
    files = sorted((Path(shared) / "data/speech").glob("picovoice_*.wav"))
    assert len(files) >= 7
    scores = []
    for file in files:
        pcm = read_audio(file)
        track = MouthTrack()
        track.hear(hear(pcm))
        count = len(pcm) // 960
        blocks = pcm[: count * 960].reshape(count, 960).astype(np.float64)
        level = 20 * np.log10(np.sqrt((blocks**2).mean(axis=1)) + 30)
        jaw = [track.weights((i + 0.5) / 50)[ARKIT_INDEX["jawOpen"]] for i in range(count)]
        scores.append(np.corrcoef(jaw, level)[0, 1])
    assert min(scores) > 0.3
