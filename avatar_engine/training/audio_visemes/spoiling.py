"""What happens to speech before it is heard: other heads, rooms, microphones, crowds, codecs."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from avatar_engine.speech.spectrum import HOP, RATE_HZ
from avatar_engine.training.audio_visemes.synthesis import Example

_FILTER_TAPS = 4096  # a quarter of a second of room


def spoiled(
    example: Example, rng: Generator, *, length: int, crowd: Example | None = None
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """A piece of the example as some microphone would give it.

    Args:
        example: Clean speech.
        rng: Everything is drawn from it.
        length: Frames of the piece; shorter speech is followed by its room's silence.
        crowd: Somebody else who talks in the background.

    Returns:
        Sound [length * 160] in [-1, 1] and labels [length].
    """
    sound = example.pcm.astype(np.float32) / 32768.0
    labels = example.labels
    if rng.random() < 0.85:  # a longer or shorter vocal tract, with the pitch that goes with it
        sound, labels = _stretched(sound, labels, float(np.exp(rng.normal(0.0, 0.09))))
    sound, labels = _piece(sound, labels, rng, length)
    sound = sound / (np.sqrt(np.mean(sound**2)) * 10 + 1e-4)  # about -20 dB
    sound = _filtered(sound, rng)
    level = 10 ** (-rng.uniform(4, 34) / 20)
    if rng.random() < 0.25:
        sound = np.tanh(sound * rng.uniform(2, 6)) / 2.5
    noise = _noise(len(sound), rng) * 10 ** (-rng.uniform(8, 45) / 20) * 0.1
    if crowd is not None and rng.random() < 0.2:
        other, _ = _piece(crowd.pcm.astype(np.float32) / 32768.0, crowd.labels, rng, length)
        noise = noise + other * 10 ** (-rng.uniform(14, 30) / 20) * 0.5
    sound = (sound + noise) * level
    if rng.random() < 0.15:
        sound = _companded(sound.astype(np.float32))
    return np.clip(sound, -1, 1).astype(np.float32), labels


def _stretched(
    sound: NDArray[np.float32], labels: NDArray[np.uint8], factor: float
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    factor = min(max(factor, 0.78), 1.28)
    places = np.arange(0, len(sound) - 1, factor)
    stretched = np.interp(places, np.arange(len(sound)), sound).astype(np.float32)
    frames = -(-len(stretched) // HOP)
    source = np.minimum((np.arange(frames) + 0.5) * factor, len(labels) - 1).astype(int)
    return stretched, labels[source]


def _piece(
    sound: NDArray[np.float32], labels: NDArray[np.uint8], rng: Generator, length: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    spare = len(labels) - length
    begin = int(rng.integers(-15, max(spare, 0) + 15))
    frames = np.zeros(length, np.uint8)
    samples = np.zeros(length * HOP, np.float32)
    first, last = max(begin, 0), min(begin + length, len(labels))
    if last > first:
        frames[first - begin : last - begin] = labels[first:last]
        part = sound[first * HOP : last * HOP]
        at = (first - begin) * HOP
        samples[at : at + len(part)] = part
    return samples, frames


def _filtered(sound: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    """Through a microphone and a room, both drawn."""
    size = len(sound) + _FILTER_TAPS
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    octave = np.log2(np.maximum(hz, 40.0) / 1000.0)
    gain_db = rng.normal(0.0, 2.2) * octave
    for _ in range(int(rng.integers(1, 5))):
        centre, width = rng.uniform(-3.0, 3.0), rng.uniform(0.25, 1.2)
        gain_db += rng.normal(0.0, 5.0) * np.exp(-0.5 * ((octave - centre) / width) ** 2)
    if rng.random() < 0.35:
        low, high = rng.uniform(60, 320), rng.uniform(3200, 8000)
        gain_db -= 24.0 * np.clip(np.log2(low / np.maximum(hz, 1.0)), 0, 3)
        gain_db -= 40.0 * np.clip(np.log2(np.maximum(hz, 1.0) / high), 0, 2)
    response = 10 ** (gain_db / 20)
    spectrum = np.fft.rfft(sound, size) * response
    if rng.random() < 0.6:
        spectrum *= np.fft.rfft(_room(rng), size)
    return np.fft.irfft(spectrum, size)[: len(sound)].astype(np.float32)


def _room(rng: Generator) -> NDArray[np.float64]:
    decay_s = rng.uniform(0.08, 0.5)
    times = np.arange(_FILTER_TAPS) / RATE_HZ
    tail = rng.standard_normal(_FILTER_TAPS) * np.exp(-6.9 * times / decay_s)
    tail[: int(rng.uniform(0.002, 0.012) * RATE_HZ)] = 0.0
    tail *= 10 ** (-rng.uniform(2, 16) / 20) / np.sqrt((tail**2).sum() + 1e-9)
    tail[0] = 1.0
    return np.asarray(tail)


def _noise(size: int, rng: Generator) -> NDArray[np.float64]:
    """Of any colour from white to brown, unit power."""
    spectrum = np.fft.rfft(rng.standard_normal(size))
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    spectrum *= np.maximum(hz, 30.0) ** -rng.uniform(0.0, 1.1)
    noise = np.fft.irfft(spectrum, size)
    return np.asarray(noise / (noise.std() + 1e-9))


def _companded(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """As an old telephone line codes it: eight bits on a logarithmic scale."""
    mu = 255.0
    coded = np.sign(sound) * np.log1p(mu * np.minimum(np.abs(sound), 1.0)) / np.log1p(mu)
    coded = np.round(coded * 127) / 127
    return np.asarray(np.sign(coded) * (np.expm1(np.abs(coded) * np.log1p(mu)) / mu), np.float32)
