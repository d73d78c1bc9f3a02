"""Recorded sound as speech: any file FFmpeg reads becomes the same chunks a voice gives."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from avatar_engine.errors import AudioError
from avatar_engine.speech.assembly import CHUNK_SAMPLES
from avatar_engine.speech.ear import Ear
from avatar_engine.speech.resample import OUTPUT_RATE_HZ
from avatar_engine.types.speech import Heard, SpeechChunk

LONGEST_S = 3600.0
"""Longer recordings are refused: they are read into memory."""

_MISSING_SHARE, _MISSING_S = 0.03, 0.25  # of the announced length, before a file counts as cut off


def read_audio(path: Path) -> NDArray[np.int16]:
    """A sound file, or the sound of a video, as 48 kHz mono [S].

    Raises:
        AudioError: No such file, not sound, damaged, cut off, silent by length, or too long.
    """
    if not path.is_file():
        raise AudioError(f"{path.name}: no such file; give a sound or video file")
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise AudioError(f"{path.name}: has no sound; give a file with an audio track")
            stream = container.streams.audio[0]
            announced_s = _announced_s(path, stream)
            pcm = _decoded(container, path.name)
    except (FFmpegError, UnicodeDecodeError, ValueError) as problem:
        # FFmpeg's own words say little to a seller ("Invalid data found").
        raise AudioError(
            f"{path.name}: not a readable sound file; re-export it as WAV"
        ) from problem
    length_s = len(pcm) / OUTPUT_RATE_HZ
    if announced_s is not None and length_s < (1 - _MISSING_SHARE) * announced_s - _MISSING_S:
        raise AudioError(
            f"{path.name}: cut off after {length_s:.1f} of {announced_s:.1f} s; copy it again"
        )
    if len(pcm) == 0:
        raise AudioError(f"{path.name}: holds no sound at all")
    return pcm


def read_speech(path: Path) -> Iterator[SpeechChunk]:
    """A recording as a voice's chunks, with what the ear hears in it.

    Raises:
        AudioError: As :func:`read_audio`, before the first chunk.
    """
    return speech_of(read_audio(path))


def speech_of(pcm: NDArray[np.int16]) -> Iterator[SpeechChunk]:
    """48 kHz mono sound [S] as a voice's chunks of 40 ms."""
    ear = Ear()
    for begin in range(0, max(len(pcm), 1), CHUNK_SAMPLES):
        end = begin + CHUNK_SAMPLES
        is_last = end >= len(pcm)
        heard = ear.push(pcm[begin:end])
        if is_last:
            rest = ear.flush()
            heard = Heard(heard.start_s, np.concatenate([heard.shares, rest.shares]))
        yield SpeechChunk(
            pcm[begin:end],
            OUTPUT_RATE_HZ,
            begin / OUTPUT_RATE_HZ,
            is_last=is_last,
            heard=heard,
        )


def _decoded(container: av.container.InputContainer, name: str) -> NDArray[np.int16]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=OUTPUT_RATE_HZ)
    blocks: list[NDArray[np.int16]] = []
    samples = 0
    for frame in container.decode(audio=0):
        for converted in resampler.resample(frame):
            blocks.append(_samples(converted))
            samples += len(blocks[-1])
        if samples > LONGEST_S * OUTPUT_RATE_HZ:
            raise AudioError(f"{name}: longer than {LONGEST_S / 60:.0f} minutes; cut it into parts")
    blocks += [_samples(block) for block in resampler.resample(None)]
    return np.concatenate(blocks) if blocks else np.zeros(0, np.int16)


def _samples(frame: av.AudioFrame) -> NDArray[np.int16]:
    return frame.to_ndarray().reshape(-1).astype(np.int16, copy=False)


def _announced_s(path: Path, stream: av.audio.stream.AudioStream) -> float | None:
    """Length by the file's own header; None where there is none or FFmpeg would guess."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head[:4] == b"RIFF":
        # FFmpeg shortens a cut WAV to what is there; its header still knows. 0xFFFFFFFF: streamed.
        data = head.find(b"data", 12)
        rate, size = int.from_bytes(head[28:32], "little"), head[data + 4 : data + 8]
        length = int.from_bytes(size, "little")
        return length / rate if data > 0 and rate and 0 < length < 0xFFFF0000 else None
    if stream.duration is None or stream.time_base is None:
        return None
    is_mp3 = head[:3] == b"ID3" or head[:1] == b"\xff"
    if is_mp3 and not (b"Xing" in head or b"Info" in head):
        return None
    return float(stream.duration * stream.time_base)
