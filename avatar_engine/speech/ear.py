"""The ear: sound in; how sure it is of each mouth-shaping sound out; any language, streaming.

A small convolutional network of our own (``ear.safetensors``; see ``MODEL_CARD.md``), trained by
``python -m avatar_engine.training.audio_visemes``. It hears :data:`DELAY_S` behind the sound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import WeightsError
from avatar_engine.speech.resample import OUTPUT_RATE_HZ, Resampler
from avatar_engine.speech.spectrum import BANDS, RATE_HZ, Spectrum
from avatar_engine.types.speech import HEARD_RATE_HZ, HEARD_SOUNDS, Heard
from avatar_engine.weights import load_weights

SHIPPED = Path(__file__).with_name("ear.safetensors")
VERSION = "1"

BLOCKS: tuple[tuple[int, int], ...] = ((1, 1), (2, 1), (3, 1), (4, 1), (8, 0), (16, 0))
"""Of each layer: distance between its three taps in frames, and 1 if one of them lies ahead."""

DELAY_S = sum(distance * ahead for distance, ahead in BLOCKS) / HEARD_RATE_HZ + 0.0075
"""Sound needed after a moment to know what is heard at it, apart from the resampler's 1 ms."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """``y = x[centre] + relu(sum_k x[k * distance] @ taps[k] + bias)``."""

    taps: NDArray[np.float32]  # [3, C, C]
    bias: NDArray[np.float32]
    distance: int
    ahead: int


@dataclass(frozen=True, slots=True)
class _Network:
    entry: NDArray[np.float32]  # [41, C]
    entry_bias: NDArray[np.float32]
    layers: tuple[_Layer, ...]
    exits: tuple[NDArray[np.float32], ...]  # [C, D], [D], [D, 23], [23]


class Ear:
    """Hears one utterance, given piece by piece; how it is cut makes no difference.

    Args:
        sample_rate_hz: Of the sound.
        weights: Of the network; the shipped ones by default.

    Raises:
        WeightsError: The network's file is missing or altered.
    """

    def __init__(self, sample_rate_hz: int = OUTPUT_RATE_HZ, *, weights: Path = SHIPPED) -> None:
        self._network = _load(weights)
        self._resampler: Resampler[NDArray[np.float32]] = Resampler(sample_rate_hz, RATE_HZ)
        self._spectrum = Spectrum()
        width = self._network.entry.shape[1]
        self._pending = [
            np.zeros(((2 - layer.ahead) * layer.distance, width), np.float32)
            for layer in self._network.layers
        ]
        self._frames = 0

    def push(self, pcm: NDArray[np.int16]) -> Heard:
        """What the samples [S] so far determine that was not told before; maybe no frame."""
        samples = self._resampler.push(pcm.astype(np.float32) / 32768.0)
        return self._told(self._spectrum.push(samples), is_last=False)

    def flush(self) -> Heard:
        """The rest; then there is a frame for every 10 ms begun."""
        last = self._spectrum.push(self._resampler.flush())
        rest = np.concatenate([last, self._spectrum.flush()])
        return self._told(rest, is_last=True)

    def _told(self, features: NDArray[np.float32], *, is_last: bool) -> Heard:
        start_s = self._frames / HEARD_RATE_HZ
        shares = self._shares(features, is_last=is_last)
        self._frames += len(shares)
        return Heard(start_s, shares)

    def _shares(self, features: NDArray[np.float32], *, is_last: bool) -> NDArray[np.float32]:
        network = self._network
        x = np.maximum(features @ network.entry + network.entry_bias, 0.0)
        for i, layer in enumerate(network.layers):
            x = np.concatenate([self._pending[i], x])
            if is_last and layer.ahead:
                x = np.concatenate([x, np.zeros((layer.distance, x.shape[1]), np.float32)])
            x, self._pending[i] = _applied(layer, x)
        first, first_bias, second, second_bias = network.exits
        logits = np.maximum(x @ first + first_bias, 0.0) @ second + second_bias
        logits -= logits.max(axis=1, keepdims=True) if len(logits) else 0.0
        shares = np.exp(logits)
        shares /= shares.sum(axis=1, keepdims=True)
        return np.asarray(shares, np.float32)


def _applied(
    layer: _Layer, x: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A layer's output, and the input that it will need again."""
    step, reach = layer.distance, 2 * layer.distance
    count = len(x) - reach
    if count <= 0:
        return x[:0], x
    total = x[:count] @ layer.taps[0]
    total += x[step : step + count] @ layer.taps[1]
    total += x[reach:] @ layer.taps[2]
    centre = (2 - layer.ahead) * step
    y = x[centre : centre + count] + np.maximum(total + layer.bias, 0.0)
    return y, x[count:]


def hear(
    pcm: NDArray[np.int16], sample_rate_hz: int = OUTPUT_RATE_HZ, *, weights: Path = SHIPPED
) -> Heard:
    """A whole recording [S] at once; a frame for every 10 ms begun."""
    ear = Ear(sample_rate_hz, weights=weights)
    pieces = [ear.push(pcm).shares, ear.flush().shares]
    return Heard(0.0, np.concatenate(pieces))


@lru_cache(maxsize=2)
def _load(path: Path) -> _Network:
    tensors = load_weights(path).tensors

    def array(name: str) -> NDArray[np.float32]:
        return np.ascontiguousarray(tensors[name], np.float32)

    try:
        layers = tuple(
            _Layer(array(f"layer{i}.taps"), array(f"layer{i}.bias"), distance, ahead)
            for i, (distance, ahead) in enumerate(BLOCKS)
        )
        names: Sequence[str] = ("exit.first", "exit.first_bias", "exit.second", "exit.second_bias")
        network = _Network(
            array("entry"), array("entry_bias"), layers, tuple(array(name) for name in names)
        )
    except KeyError as problem:
        raise WeightsError(f"{path.name}: of another version; reinstall livepitch") from problem
    if network.entry.shape[0] != BANDS + 1 or network.exits[2].shape[1] != len(HEARD_SOUNDS):
        raise WeightsError(f"{path.name}: made for other features or sounds; reinstall livepitch")
    return network
