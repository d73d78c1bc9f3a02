"""Sound to phonemes by signal processing, in any language: no words, only what lips and jaw show.

An interim ear. It hears silence, lip closures, hisses and the openness, spread and roundness of
vowels from loudness, band energies and two formants, and names each stretch with the IPA symbol
whose mouth looks like it. It does not know what was said.
"""

from itertools import groupby

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from avatar_engine.speech.resample import OUTPUT_RATE_HZ, resample
from avatar_engine.types.speech import Phoneme

_RATE_HZ = 16_000
_HOP = 160  # 10 ms
_WINDOW = 400  # 25 ms
_FORMANT_ORDER = 10
_SHORTEST_FRAMES = 3  # stretches under 30 ms are folded into a neighbour
# Formants in Hz of the vowels whose mouths differ to the eye.
_VOWELS = {
    "i": (300.0, 2300.0),
    "e": (430.0, 2050.0),
    "ɛ": (580.0, 1800.0),
    "a": (780.0, 1400.0),
    "ɑ": (720.0, 1100.0),
    "ɔ": (560.0, 900.0),
    "o": (440.0, 850.0),
    "u": (330.0, 850.0),
    "ə": (500.0, 1450.0),
}
_SILENCE, _CLOSED, _HISS, _HUSH, _NASAL = "", "m", "s", "ʃ", "n"


def hear(pcm: NDArray[np.int16], sample_rate_hz: int = OUTPUT_RATE_HZ) -> tuple[Phoneme, ...]:
    """Phonemes of a recording [S], in order and without gaps from its start to its end."""
    length_s = len(pcm) / sample_rate_hz
    if len(pcm) == 0:
        return ()
    sound = resample(pcm.astype(np.float32) / 32768.0, sample_rate_hz, _RATE_HZ)
    names = _folded(_named(sound))
    phonemes = []
    at = 0
    for name, group in groupby(names):
        count = len(list(group))
        begin_s, end_s = at * _HOP / _RATE_HZ, (at + count) * _HOP / _RATE_HZ
        at += count
        if begin_s < length_s:
            phonemes.append(Phoneme(name, begin_s, length_s if at == len(names) else end_s))
    return tuple(phonemes)


def _named(sound: NDArray[np.float32]) -> list[str]:
    """A symbol for every 10 ms."""
    frames = _frames(sound)  # [T, window]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), 512)) ** 2  # [T, 257]
    hz = np.fft.rfftfreq(512, 1 / _RATE_HZ)

    def band(low: float, high: float) -> NDArray[np.float64]:
        return np.asarray(spectrum[:, (hz >= low) & (hz < high)].sum(axis=1) + 1e-9)

    total = band(80, 8000)
    level = 10 * np.log10(total)
    peak = _local_peak(level, 40)
    # Quieter than the room's floor, or far under the speech around it.
    floor = np.percentile(level, 8)
    is_silent = (level < max(floor + 6.0, peak.max() - 48.0)) | (level < peak - 30.0)
    hiss = band(3500, 8000) / total
    hush = band(2000, 4000) / total
    low = band(80, 500) / total
    voiced = _voicing(frames)
    openness_hz, frontness_hz = _formants(frames)
    depth = _local_peak(level, 9) - level  # below the loudest within 90 ms

    names = []
    for t in range(len(frames)):
        if is_silent[t]:
            names.append(_SILENCE)
        elif voiced[t] < 0.45 and hiss[t] > 0.45:
            names.append(_HISS)
        elif voiced[t] < 0.45 and hush[t] + hiss[t] > 0.5:
            names.append(_HUSH)
        elif depth[t] > 9.5 and low[t] > 0.85:
            names.append(_CLOSED)
        elif depth[t] > 6.0 and low[t] > 0.85:
            names.append(_NASAL)
        else:
            names.append(_vowel(openness_hz[t], frontness_hz[t]))
    return names


def _frames(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Windows centred on every 10 ms [T, window]."""
    count = max(1, -(-len(sound) // _HOP))
    padded = np.concatenate(
        [np.zeros(_WINDOW // 2 - _HOP // 2, np.float32), sound, np.zeros(_WINDOW, np.float32)]
    )
    return np.ascontiguousarray(sliding_window_view(padded, _WINDOW)[::_HOP][:count])


def _local_peak(level: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    padded = np.pad(level, reach, mode="edge")
    return np.asarray(sliding_window_view(padded, 2 * reach + 1).max(axis=1))


def _voicing(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """Highest normalised autocorrelation at a pitch of 70 to 400 Hz [T], about 1 when voiced."""
    power = np.abs(np.fft.rfft(frames - frames.mean(axis=1, keepdims=True), 1024)) ** 2
    correlation = np.fft.irfft(power)[:, : _RATE_HZ // 70]
    shrink = 1.0 - np.arange(correlation.shape[1]) / _WINDOW  # fewer samples overlap at long lags
    normalised = correlation / (correlation[:, :1] + 1e-9) / shrink
    return np.asarray(normalised[:, _RATE_HZ // 400 :].max(axis=1))


def _formants(frames: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first two resonances in Hz, each [T], by linear prediction at 8 kHz."""
    half = frames[:, ::2]  # the window below is tolerant of what little aliases
    emphasised = (half[:, 1:] - 0.95 * half[:, :-1]) * np.hamming(half.shape[1] - 1)
    power = np.abs(np.fft.rfft(emphasised, 512)) ** 2
    correlation = np.fft.irfft(power)[:, : _FORMANT_ORDER + 1]
    index = np.abs(np.arange(_FORMANT_ORDER)[:, None] - np.arange(_FORMANT_ORDER)[None, :])
    matrix = correlation[:, index]  # [T, order, order]
    matrix = matrix + np.eye(_FORMANT_ORDER) * (1e-4 * correlation[:, :1, None] + 1e-9)
    predictor = np.linalg.solve(matrix, correlation[:, 1:, None])[:, :, 0]
    response = 1.0 / np.abs(np.fft.rfft(np.c_[np.ones(len(frames)), -predictor], 512)) ** 2
    hz = np.fft.rfftfreq(512, 1 / 8000)
    first = _resonance(response, hz, 230.0, 950.0)
    second = np.array(
        [_resonance(r[None], hz, max(700.0, f + 200.0), 2700.0)[0] for r, f in
         zip(response, first, strict=True)]
    )  # fmt: skip
    return first, second


def _resonance(
    response: NDArray[np.float64], hz: NDArray[np.floating], low: float, high: float
) -> NDArray[np.float64]:
    """Where the response is strongest between two frequencies [T]."""
    inside = (hz >= low) & (hz <= high)
    return np.asarray(hz[inside][response[:, inside].argmax(axis=1)])


def _vowel(first_hz: float, second_hz: float) -> str:
    def distance(name: str) -> float:
        one, two = _VOWELS[name]
        return float(np.log(first_hz / one) ** 2 + 0.5 * np.log(second_hz / two) ** 2)

    return min(_VOWELS, key=distance)


def _folded(names: list[str]) -> list[str]:
    """The names with stretches too short to be sounds given to the stretch before them."""
    smooth = list(names)
    at = 0
    for _, group in groupby(names):
        count = len(list(group))
        if count < _SHORTEST_FRAMES and at > 0:
            smooth[at : at + count] = [smooth[at - 1]] * count
        at += count
    return smooth
