"""How a voice sounds, in figures: loudness as broadcasters measure it, tilt, pauses."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter, welch

RATE_HZ = 48_000


def integrated_loudness(sound: NDArray[np.float64]) -> float:
    """LUFS of mono sound [S] at 48 kHz in [-1, 1], gated as ITU-R BS.1770 has it."""
    weighted = lfilter(*_high_pass(), lfilter(*_shelf(), sound))
    block, step = round(0.4 * RATE_HZ), round(0.1 * RATE_HZ)
    count = max(1, (len(weighted) - block) // step + 1)
    power = np.array([np.mean(weighted[i * step : i * step + block] ** 2) for i in range(count)])
    levels = -0.691 + 10 * np.log10(power + 1e-12)
    kept = power[levels > -70]
    if len(kept) == 0:
        return -70.0
    gate = -0.691 + 10 * np.log10(kept.mean()) - 10
    return float(-0.691 + 10 * np.log10(power[levels > max(gate, -70)].mean()))


def sound_figures(pcm: NDArray[np.int16]) -> dict[str, float]:
    """Figures of one line [S] at 48 kHz.

    Returns:
        ``lufs``; ``tilt_db_per_octave`` between 250 Hz and 4 kHz (people:
        about -6 to -9); ``pauses`` inside the line, their median and longest in ms.
    """
    sound = pcm.astype(np.float64) / 32768
    hz, power = welch(sound, RATE_HZ, nperseg=4096)
    inside = (hz >= 250) & (hz <= 4000)
    tilt = np.polyfit(np.log2(hz[inside]), 10 * np.log10(power[inside] + 1e-15), 1)[0]
    lengths = _pauses_ms(sound)
    return {
        "lufs": round(integrated_loudness(sound), 1),
        "tilt_db_per_octave": round(float(tilt), 1),
        "pauses": len(lengths),
        "median_pause_ms": round(float(np.median(lengths)), 0) if lengths else 0.0,
        "longest_pause_ms": round(float(max(lengths)), 0) if lengths else 0.0,
    }


def _pauses_ms(sound: NDArray[np.float64]) -> list[float]:
    """Silences of at least 90 ms between the first and the last sound."""
    blocks = sound[: len(sound) // 480 * 480].reshape(-1, 480)
    levels = np.sqrt((blocks**2).mean(axis=1))
    loud = np.flatnonzero(levels > 0.02 * levels.max())
    gaps = np.diff(loud) - 1
    return [10.0 * float(gap) for gap in gaps if gap >= 9]


def _shelf() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a head does to sound: 4 dB more above 2 kHz."""
    gain, frequency, quality = 3.99984385397, 1681.9744509555319, 0.7071752369554193
    k, v = np.tan(np.pi * frequency / RATE_HZ), 10 ** (gain / 20)
    root = v**0.499666774155
    base = 1 + k / quality + k * k
    b = [v + root * k / quality + k * k, 2 * (k * k - v), v - root * k / quality + k * k]
    return np.array(b) / base, np.array([base, 2 * (k * k - 1), 1 - k / quality + k * k]) / base


def _high_pass() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    frequency, quality = 38.13547087602444, 0.5003270373238773
    k = np.tan(np.pi * frequency / RATE_HZ)
    base = 1 + k / quality + k * k
    a = np.array([base, 2 * (k * k - 1), 1 - k / quality + k * k]) / base
    return np.array([1.0, -2.0, 1.0]), a
