import numpy as np
import pytest

from avatar_engine.speech.resample import Resampler, resample
from avatar_engine.speech.tone import Tone, limited


def _sine(hz, rate, seconds=0.4, size=0.8):
    return (size * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)).astype(
        np.float32
    )


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 24000, 44100, 96000])
def test_a_sine_stays_the_same_sine_in_time(rate):
    out = resample(_sine(1000, rate), rate)
    assert len(out) == 19200
    expected = _sine(1000, 48000)
    # Away from the ends, where silence meets the tone.
    assert np.abs(out - expected)[200:-200].max() < 1e-4


def test_chunk_borders_leave_no_trace():
    sound = _sine(440, 22050)
    whole = resample(sound, 22050)
    rng = np.random.default_rng(3)
    resampler = Resampler(22050)
    pieces, at = [], 0
    while at < len(sound):
        size = int(rng.integers(1, 700))
        pieces.append(resampler.push(sound[at : at + size]))
        at += size
    pieces.append(resampler.flush())
    assert np.array_equal(np.concatenate(pieces), whole)


def test_what_would_fold_back_is_removed():
    out = resample(_sine(20000, 48000), 48000, 16000)
    assert np.abs(out[200:-200]).max() < 1e-3


def test_int16_stays_int16_and_the_same_rate_is_untouched():
    sound = (_sine(300, 22050) * 32767).astype(np.int16)
    assert resample(sound, 22050).dtype == np.int16
    assert np.array_equal(resample(sound, 48000), sound)


@pytest.mark.parametrize("rate", [0, -8000])
def test_impossible_rates_are_refused(rate):
    with pytest.raises(ValueError, match="positive"):
        Resampler(rate)


def test_the_tone_removes_rumble_and_adds_no_delay():
    tone = Tone(22050)
    sound = _sine(700, 22050) + 0.2
    pieces = [tone.push(sound[i : i + 331]) for i in range(0, len(sound), 331)] + [tone.flush()]
    out = np.concatenate(pieces)
    assert len(out) == len(sound)
    assert abs(float(out[2000:6000].mean())) < 0.25 * 0.2
    middle = slice(2000, 6000)
    lag = np.argmax([np.dot(out[middle], sound[2000 + k : 6000 + k]) for k in range(-5, 6)]) - 5
    assert lag == 0


def test_the_limiter_never_clips_and_leaves_quiet_sound_alone():
    loud = np.linspace(-4, 4, 4001, dtype=np.float32)
    out = limited(loud)
    assert np.abs(out).max() <= 0.9401
    assert np.all(np.diff(out) >= 0)
    quiet = np.abs(loud) < 0.5
    assert np.array_equal(out[quiet], loud[quiet])
