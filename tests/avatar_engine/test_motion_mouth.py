"""Lips that meet, touch and round when they must, in time with the sound."""

import os
from pathlib import Path

import numpy as np
import pytest

from avatar_engine.motion.coarticulation import LOOKAHEAD_S, MouthTrack
from avatar_engine.motion.visemes import visemes_of
from avatar_engine.speech import open_voice
from avatar_engine.types.arkit import ARKIT_INDEX
from avatar_engine.types.speech import Phoneme

JAW, CLOSE = ARKIT_INDEX["jawOpen"], ARKIT_INDEX["mouthClose"]
LOWER, UPPER = ARKIT_INDEX["mouthLowerDownLeft"], ARKIT_INDEX["mouthUpperUpLeft"]
PUCKER, FUNNEL = ARKIT_INDEX["mouthPucker"], ARKIT_INDEX["mouthFunnel"]
ROLL = ARKIT_INDEX["mouthRollLower"]
LINES = {
    "en-us": "Baby, my purple bottle of perfume makes people very happy for five pounds.",
    "es": "Hola a todos, este vestido me fascina, cuesta muy poco y se ve fabuloso.",
    "cmn": "大家好，这个面膜非常便宜，妈妈们都很喜欢，买一份吧。",
    "pt-br": "Bom dia pessoal, esta bolsa é perfeita para a mamãe.",
    "de": "Guten Abend, dieses Parfüm ist für viele Mütter fabelhaft.",
    "ko": "안녕하세요 여러분, 이 파우치는 아주 예뻐요.",
}


def _spoken(language, text):
    voice = open_voice(f"espeak:{language}")
    chunks = list(voice.speak(text))
    voice.close()
    return chunks


@pytest.fixture(scope="module")
def spoken():
    return {language: _spoken(language, text) for language, text in LINES.items()}


def _track(chunks):
    track = MouthTrack()
    for chunk in chunks:
        track.feed(chunk.phonemes)
    return track


def _phonemes(chunks):
    return [phoneme for chunk in chunks for phoneme in chunk.phonemes]


def _gap(weights):
    return weights[JAW] - weights[CLOSE] + 0.5 * (weights[LOWER] + weights[UPPER])


def _places(chunks, attribute):
    """Centres of the phonemes whose only sound demands full contact."""
    for phoneme in _phonemes(chunks):
        shapes = visemes_of(phoneme.symbol)
        if len(shapes) == 1 and getattr(shapes[0], attribute) == 1.0:
            yield phoneme, 0.5 * (phoneme.start_s + phoneme.end_s)


def test_lips_meet_on_every_bilabial(spoken):
    count = 0
    for chunks in spoken.values():
        track = _track(chunks)
        for phoneme, centre in _places(chunks, "closure"):
            count += 1
            weights = track.weights(centre)
            assert _gap(weights) < 0.012, phoneme
            assert weights[CLOSE] == pytest.approx(weights[JAW], abs=0.005)
    assert count > 30


def test_some_frame_at_25_fps_shows_each_closure(spoken):
    for chunks in spoken.values():
        track = _track(chunks)
        for phoneme, centre in _places(chunks, "closure"):
            frames = np.arange(int(centre * 25) - 1, int(centre * 25) + 3) / 25
            assert min(_gap(track.weights(t)) for t in frames) < 0.015, phoneme


def test_the_lower_lip_touches_the_teeth_on_every_f_and_v(spoken):
    count = 0
    for chunks in spoken.values():
        track = _track(chunks)
        for phoneme, centre in _places(chunks, "bite"):
            count += 1
            weights = track.weights(centre)
            assert weights[ROLL] > 0.3, phoneme
            assert weights[LOWER] < 0.02
    assert count > 12


def test_of_two_contacts_in_a_row_both_are_seen():
    track = MouthTrack()
    track.feed([Phoneme("ɑ", 0, 0.1), Phoneme("m", 0.1, 0.16), Phoneme("f", 0.16, 0.22)])
    track.feed([Phoneme("ɑ", 0.22, 0.4)])
    assert _gap(track.weights(0.13)) < 0.015
    assert track.weights(0.19)[ROLL] > 0.3
    assert track.weights(0.19)[CLOSE] < 0.01


def test_rounding_is_anticipated_and_the_jaw_is_slower_than_the_lips():
    track = MouthTrack()
    track.feed([Phoneme("t", 0, 0.1), Phoneme("s", 0.1, 0.2), Phoneme("uː", 0.2, 0.4)])
    assert track.weights(0.15)[PUCKER] > 0.1, "the lips are on their way before /u/ sounds"
    opening = MouthTrack()
    opening.feed([Phoneme("t", 0, 0.2), Phoneme("ˈa", 0.2, 0.5), Phoneme("", 0.5, 1.0)])
    times = np.arange(0.0, 0.9, 0.005)
    curves = np.array([opening.weights(t) for t in times])
    jaw, lips = curves[:, JAW] / curves[:, JAW].max(), curves[:, LOWER] / curves[:, LOWER].max()
    falling = times > 0.45
    assert times[falling][jaw[falling] < 0.3][0] > times[falling][lips[falling] < 0.3][0]


def test_silence_relaxes_the_mouth_and_it_shuts_after_the_end(spoken):
    chunks = spoken["en-us"]
    track = _track(chunks)
    end_s = chunks[-1].start_s + len(chunks[-1].pcm) / 48_000
    assert np.abs(track.weights(end_s + 0.25)).max() < 0.02
    assert np.abs(track.weights(end_s + 60.0)).max() == 0.0
    assert np.abs(track.weights(-0.2)).max() < 1e-6


@pytest.mark.parametrize("language", LINES)
def test_the_mouth_is_in_time_with_the_sound(spoken, language):
    """Aperture follows the envelope, and the best lag is within a frame."""
    lag_s, correlation = _lag(spoken[language])
    assert correlation > 0.25
    assert abs(lag_s) <= 0.04


def test_over_all_languages_the_lag_is_under_20_ms(spoken):
    lags = [_lag(chunks)[0] for chunks in spoken.values()]
    assert abs(np.mean(lags)) <= 0.02
    assert abs(np.median(lags)) <= 0.02


def test_on_plain_syllables_sound_and_mouth_peak_together():
    chunks = _spoken("en-us", "Papa baba mama papa bob pop papa.")
    lag_s, correlation = _lag(chunks)
    assert correlation > 0.75
    assert abs(lag_s) <= 0.02


def _lag(chunks):
    """Best lag of the aperture behind the envelope, and the correlation there."""
    pcm = np.concatenate([chunk.pcm for chunk in chunks]).astype(np.float64) / 32768
    count = len(pcm) // 480
    envelope = np.sqrt((pcm[: count * 480].reshape(count, 480) ** 2).mean(axis=1))
    window = np.hanning(9) / np.hanning(9).sum()
    envelope = np.convolve(envelope, window, "same")
    track = _track(chunks)
    aperture = np.array([_gap(track.weights((i + 0.5) / 100)) for i in range(count)])
    lags = range(-8, 9)
    scores = [
        np.corrcoef(
            aperture[max(0, k) : count + min(0, k)], envelope[max(0, -k) : count - max(0, k)]
        )[0, 1]
        for k in lags
    ]
    best = int(np.argmax(scores))
    return lags[best] / 100, scores[best]


def test_the_result_does_not_depend_on_how_phonemes_arrive(spoken):
    phonemes = _phonemes(spoken["en-us"])
    whole = MouthTrack()
    whole.feed(phonemes)
    streamed = MouthTrack()
    waiting = list(phonemes)
    for i in range(int((phonemes[-1].end_s + 0.3) * 25)):
        time_s = i / 25
        while waiting and waiting[0].start_s < time_s + LOOKAHEAD_S:
            streamed.feed([waiting.pop(0)])
        np.testing.assert_allclose(streamed.weights(time_s), whole.weights(time_s), atol=1e-6)


def test_curves_are_continuous(spoken):
    track = _track(spoken["en-us"])
    curve = np.array([track.weights(t) for t in np.arange(0, 4, 0.002)])
    assert (
        np.abs(np.diff(curve, axis=0)).max() < 0.08
    )  # from /v/ to /p/ takes hundredths of a second


def test_speech_does_not_over_open(spoken):
    for chunks in spoken.values():
        track = _track(chunks)
        jaw = [track.weights(t)[JAW] for t in np.arange(0, 4, 0.02)]
        assert 0.15 < max(jaw) < 0.45


@pytest.mark.shared
def test_contacts_close_the_gap_of_a_scanned_head(spoken):
    """In the geometry of a real rig the inner lips touch where they must, and open elsewhere."""
    shared = os.environ.get("LIVEPITCH_SHARED")
    if not shared:
        pytest.skip("LIVEPITCH_SHARED is unset")
    rig = np.load(Path(shared) / "data/rigs/ict_facekit/ict_facekit.npz")
    landmarks = rig["landmarks68"]
    neutral = rig["neutral"][landmarks]
    names = [str(n).replace("_L", "Left").replace("_R", "Right") for n in rig["expression_names"]]
    modes = {
        ARKIT_INDEX[name]: rig["expression"][i][landmarks].astype(np.float32)
        for i, name in enumerate(names)
        if name in ARKIT_INDEX
    }

    def gap_cm(weights):
        posed = neutral + sum(weights[i] * mode for i, mode in modes.items())
        return float(posed[62, 1] - posed[66, 1])

    rest_cm = gap_cm(np.zeros(52))
    track = _track(spoken["en-us"])
    closed = [gap_cm(track.weights(t)) for _, t in _places(spoken["en-us"], "closure")]
    assert max(closed) < rest_cm
    widest = max(gap_cm(track.weights(t)) for t in np.arange(0, 4, 0.02))
    assert 0.7 < widest < 1.8
