"""Human speech with a transcript: when each sound of it is said, by comparing with the teacher.

The embedded voice reads the transcript in several of its voices; each reading is warped in time
onto the recording; the recording's labels are what most readings say. This knows nothing of the
ear, so it may also judge it; its own error is a few hundredths of a second.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from avatar_engine.errors import VoiceError
from avatar_engine.speech.audio import read_audio
from avatar_engine.speech.normalize import normalized
from avatar_engine.speech.resample import OUTPUT_RATE_HZ, resample
from avatar_engine.speech.spectrum import HOP, RATE_HZ, log_bands
from avatar_engine.training.audio_visemes.synthesis import Example, Teacher, labels_of
from avatar_engine.types import HEARD_SOUNDS

UNKNOWN = 255
_READERS = ("m1", "f2", "m3", "f5", "klatt", "Annie", "adam")
_AGREEMENT = 0.5  # of the readings, below which a frame's sound counts as unknown
_READINGS = {
    "客観的実在の判断的知識が成立するのである。": (
        "きゃっかんてき じつざいの はんだんてき ちしきが せいりつするのである"
    )
}
_VOICES = {"en": "en-us", "en-gb": "en-gb", "zh-cn": "cmn", "pt": "pt-br", "fr": "fr-fr"}


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording of the speech folder.

    Attributes:
        name: Its file's stem.
        language: The teacher's tag for it.
        transcript: What is said; empty where nobody wrote it down.
        pcm: int16 [S] at 16 kHz.
    """

    name: str
    language: str
    transcript: str
    pcm: NDArray[np.int16]


def read_clips(folder: Path) -> list[Clip]:
    """The recordings that ``speech.csv`` lists, in its order."""
    clips = []
    with (folder / "speech.csv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table):
            text = "" if "test name" in row["transcript"] else row["transcript"]
            text = _READINGS.get(text, text)
            language = row["lang"].lower()
            pcm = resample(read_audio(folder / row["file"]), OUTPUT_RATE_HZ, RATE_HZ)
            clips.append(
                Clip(
                    Path(row["file"]).stem,
                    _VOICES.get(language, language),
                    text.lower() if text.isupper() else text,
                    pcm,
                )
            )
    return clips


def aligned(clip: Clip, teacher: Teacher) -> Example:
    """The clip with a label for each 10 ms, 255 where the readings disagree.

    Raises:
        VoiceError: The teacher cannot read it.
    """
    text = normalized(clip.transcript, clip.language).text
    target = _cepstra(clip.pcm)
    votes = np.zeros((len(target), len(HEARD_SOUNDS)), np.float32)
    for reader in _READERS:
        rate = 165
        for _ in range(2):  # the second reading takes as long as the recording
            pcm, phonemes = teacher.phonemes(
                text, clip.language, reader, words_per_minute=rate, pitch_range=50
            )
            if len(pcm) == 0:
                raise VoiceError(f"{clip.name}: the voice read nothing")
            rate = int(np.clip(rate * len(pcm) / _spoken(clip.pcm), 90, 320))
        source = _cepstra(pcm)
        labels = labels_of(phonemes, len(source))
        path = warped(_distances(target, source))
        votes[np.arange(len(target)), labels[path]] += 1.0 / len(_READERS)
    quiet = _quiet(clip.pcm, len(target))
    best = votes.argmax(axis=1).astype(np.uint8)
    best[votes.max(axis=1) < _AGREEMENT] = UNKNOWN
    best[quiet & (best != HEARD_SOUNDS.index("m"))] = 0
    frames = -(-len(clip.pcm) // HOP)
    return Example(clip.pcm, best[:frames], f"{clip.language}:{clip.name}")


def _spoken(pcm: NDArray[np.int16]) -> int:
    """Samples that are not silence at the ends."""
    loud = np.flatnonzero(np.abs(pcm) > 0.04 * np.abs(pcm).max())
    return int(loud[-1] - loud[0]) if len(loud) else len(pcm)


def _quiet(pcm: NDArray[np.int16], frames: int) -> NDArray[np.bool_]:
    """Frames inside a silence of at least 120 ms."""
    logs = _logs(pcm).max(axis=1)[:frames]
    low = logs < np.percentile(logs, 95) - 6.0
    edges = np.flatnonzero(np.diff(np.r_[0, low.astype(np.int8), 0]))
    quiet = np.zeros(frames, bool)
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin >= 12:
            quiet[begin + 1 : end - 1] = True
    return quiet


def _logs(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    sound = pcm.astype(np.float32) / 32768.0
    padded = np.concatenate([np.zeros(120, np.float32), sound, np.zeros(560, np.float32)])
    return log_bands(padded, -(-len(pcm) // HOP))


def _cepstra(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """Shape of the spectrum and how it changes, each with unit deviation [T, 26]."""
    logs = np.maximum(_logs(pcm), _logs(pcm).max() - 12.0)
    bands = logs.shape[1]
    basis = np.cos(np.pi * np.outer(np.arange(bands) + 0.5, np.arange(13)) / bands)
    cepstra = logs @ basis.astype(np.float32)
    change = np.gradient(np.pad(cepstra, ((2, 2), (0, 0)), mode="edge"), axis=0)[2:-2]
    both = np.concatenate([cepstra, 1.5 * change], axis=1)
    deviation = cepstra.std(axis=0) + 1e-3
    return ((both - both.mean(axis=0)) / np.tile(deviation, 2)).astype(np.float32)


def _distances(target: NDArray[np.float32], source: NDArray[np.float32]) -> NDArray[np.float32]:
    squared = (target**2).sum(1)[:, None] + (source**2).sum(1) - 2.0 * target @ source.T
    return np.sqrt(np.maximum(squared, 0.0)).astype(np.float32)


@njit(cache=False)
def warped(distances: NDArray[np.float32]) -> NDArray[np.int64]:  # pragma: no cover - compiled
    """For each row the column it matches, never going back, at the least total distance [T]."""
    rows, columns = distances.shape
    infinite = np.float32(1e30)
    total = np.full((rows + 1, columns + 1), infinite, np.float32)
    total[0, 0] = 0.0
    came = np.zeros((rows, columns), np.uint8)
    for i in range(rows):
        for j in range(columns):
            here = distances[i, j]
            straight = total[i, j] + 1.6 * here
            stay = total[i, j + 1] + here + 0.6
            skip = total[i + 1, j] + here + 0.6
            if straight <= stay and straight <= skip:
                total[i + 1, j + 1] = straight
            elif stay <= skip:
                total[i + 1, j + 1], came[i, j] = stay, 1
            else:
                total[i + 1, j + 1], came[i, j] = skip, 2
    path = np.zeros(rows, np.int64)
    i, j = rows - 1, columns - 1
    while i >= 0 and j >= 0:
        path[i] = j
        step = came[i, j]
        if step != 2:
            i -= 1
        if step != 1:
            j -= 1
    return path
