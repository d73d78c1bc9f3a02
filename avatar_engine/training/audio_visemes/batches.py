"""An endless stream of spoiled speech as features and labels, made beside the training process."""

from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from avatar_engine.errors import VoiceError
from avatar_engine.speech.spectrum import BANDS, HOP, Spectrum
from avatar_engine.training.audio_visemes.spoiling import spoiled
from avatar_engine.training.audio_visemes.synthesis import Example, Teacher
from avatar_engine.training.audio_visemes.texts import TRAINED

FRAMES = 300
"""Of one training piece: 3 s."""

_LEAD = 40  # frames before it, so that the normalisation has something to go by


@dataclass(frozen=True, slots=True)
class Batch:
    """features [B, 41, T] float32, labels [B, T] int64 (255 unknown)."""

    features: NDArray[np.float32]
    labels: NDArray[np.int64]


def teach(count: int, seed: int) -> list[Example]:
    """Clean nonsense in every training language, in turn."""
    rng = np.random.default_rng(seed)
    teacher = Teacher()
    examples: list[Example] = []
    try:
        while len(examples) < count:
            tongue = TRAINED[len(examples) % len(TRAINED)]
            try:
                example = teacher.example(tongue, rng)
            except VoiceError:
                continue
            if len(example.labels) > 60:
                examples.append(example)
    finally:
        teacher.close()
    return examples


def piece(
    example: Example, rng: Generator, crowd: Example | None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features [T, 41] and labels [T] of one spoiled piece."""
    sound, labels = spoiled(example, rng, length=FRAMES + _LEAD, crowd=crowd)
    spectrum = Spectrum()
    features = np.concatenate([spectrum.push(sound), spectrum.flush()])
    return features[_LEAD : _LEAD + FRAMES], labels[_LEAD : _LEAD + FRAMES].astype(np.int64)


def batches(
    *, seed: int, examples: int, size: int, real: list[Example], real_share: float
) -> Iterator[Batch]:
    """Batches for ever; the pool of clean speech is renewed little by little.

    Args:
        seed: Everything is drawn from it.
        examples: Size of the pool of clean speech.
        size: Pieces in a batch.
        real: Human speech with labels, mixed in.
        real_share: How much of it.
    """
    rng = np.random.default_rng(seed)
    pool = teach(examples, seed)
    renewed = 0
    while True:
        features = np.empty((size, BANDS + 1, FRAMES), np.float32)
        labels = np.empty((size, FRAMES), np.int64)
        for i in range(size):
            is_real = bool(real) and rng.random() < real_share
            source = (
                real[int(rng.integers(len(real)))]
                if is_real
                else pool[int(rng.integers(len(pool)))]
            )
            crowd = pool[int(rng.integers(len(pool)))]
            x, y = piece(source, rng, crowd)
            features[i], labels[i] = x.T, y
        yield Batch(features, labels)
        renewed += 1
        if renewed % 20 == 0:
            fresh = teach(min(19, examples), seed + renewed)
            for example in fresh:
                pool[int(rng.integers(len(pool)))] = example


class BatchProcess:
    """Makes batches in a process of its own, a few ahead; an iterator. Close it."""

    def __init__(
        self, *, seed: int, examples: int, size: int, real: list[Example], real_share: float
    ) -> None:
        context = get_context("spawn")
        self._queue = context.Queue(maxsize=6)
        arguments = (self._queue, seed, examples, size, real, real_share)
        self._process = context.Process(target=_produce, args=arguments, daemon=True)
        self._process.start()

    def __iter__(self) -> Iterator[Batch]:
        while True:
            yield self._queue.get(timeout=300)

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join(timeout=5)


def _produce(queue, seed: int, examples: int, size: int, real: list[Example], share: float) -> None:  # type: ignore[no-untyped-def]
    source = batches(seed=seed, examples=examples, size=size, real=real, real_share=share)
    for batch in source:
        queue.put(batch)


def frames_of(samples: int) -> int:
    """How many frames an ear gives for so many 16 kHz samples."""
    return -(-samples // HOP)


def read_examples(path: Path) -> list[Example]:
    """Examples kept by :func:`keep_examples`; none where there is no file."""
    if not path.is_file():
        return []
    with np.load(path, allow_pickle=False) as kept:
        count = int(kept["count"])
        return [
            Example(kept[f"pcm{i}"], kept[f"labels{i}"], str(kept[f"name{i}"]))
            for i in range(count)
        ]


def keep_examples(path: Path, examples: list[Example]) -> None:
    """Write examples for a later run."""
    arrays: dict[str, NDArray[np.generic]] = {"count": np.array(len(examples))}
    for i, example in enumerate(examples):
        arrays |= {
            f"pcm{i}": example.pcm,
            f"labels{i}": example.labels,
            f"name{i}": np.array(example.name),
        }
    np.savez(path, **arrays)  # type: ignore[arg-type]
