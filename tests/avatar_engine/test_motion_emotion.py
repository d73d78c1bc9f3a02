"""Feelings, acts and an idle face: what is seen of them, and that lips always close."""

from itertools import combinations
from typing import cast

import numpy as np
import pytest

from avatar_engine.head import load_head_rig
from avatar_engine.motion import Performer, perform
from avatar_engine.motion.emotion import SHADINGS
from avatar_engine.speech import open_voice
from avatar_engine.types import ACTS, ARKIT, ARKIT_INDEX, EMOTIONS, FaceState, Motion, Word
from avatar_engine.types.marks import Act, Emotion

FPS = 25.0


def _states(performer: Performer, count: int) -> list[FaceState]:
    return [performer.state(i) for i in range(count)]


def _stack(states: list[FaceState], name: str) -> np.ndarray:
    return np.array([getattr(state, name) for state in states])


def _feeling(emotion: str, frames: int = 200) -> np.ndarray:
    return _stack(_states(Performer(seed=4, emotion=emotion), frames), "blendshapes")


def test_every_feeling_is_seen_all_over_the_face_and_unlike_every_other():
    faces = {emotion: _feeling(emotion).mean(axis=0) for emotion in EMOTIONS}
    upper = np.array([name.startswith(("brow", "eyeSquint", "eyeWide", "cheek")) for name in ARKIT])
    lower = np.array([name.startswith("mouth") for name in ARKIT])
    for one, other in combinations(EMOTIONS, 2):
        change = np.abs(faces[one] - faces[other])
        assert change[upper].max() > 0.08, (one, other)
        assert change[lower].max() > 0.04, (one, other)
    smile, brow = ARKIT_INDEX["mouthSmileLeft"], ARKIT_INDEX["browDownLeft"]
    assert faces["happy"][smile] > faces["neutral"][smile] > faces["serious"][smile]
    assert faces["serious"][brow] > 0.3
    assert faces["concerned"][ARKIT_INDEX["browInnerUp"]] > 0.3


def test_no_feeling_parts_the_lips_by_itself():
    for emotion, shading in SHADINGS.items():
        for name in ("jawOpen", "mouthFunnel", "mouthLowerDownLeft", "mouthUpperUpLeft"):
            index = ARKIT_INDEX[name]
            assert shading.upper[index] == shading.lower[index] == 0, emotion


@pytest.fixture(scope="module")
def spoken():
    voice = open_voice("espeak:en-us")
    chunks = list(voice.speak("Maybe my baby bumped a purple pepper pot."))
    voice.close()
    return chunks


def _gap(rig, weights: np.ndarray) -> float:
    """Between the middles of the inner lips, cm."""
    texels = np.unique(rig.landmark_texels[[13, 14]])
    moved = rig.mean.astype(np.float64)
    moved[texels] += np.einsum("k,knd->nd", weights, rig.expression[:, texels])
    upper, lower = rig.landmarks(moved)[[13, 14]]
    return float(upper[1] - lower[1])


@pytest.mark.parametrize("emotion", [e for e in EMOTIONS if e != "neutral"])
def test_lips_close_as_firmly_in_every_feeling(spoken, emotion):
    rig = load_head_rig()
    phonemes = [p for chunk in spoken for p in chunk.phonemes]
    moments = [0.5 * (p.start_s + p.end_s) for p in phonemes if p.symbol in ("p", "b", "m")]
    assert len(moments) > 8

    def gaps(motion: Motion) -> np.ndarray:
        frames = [round((0.2 + t) * FPS) for t in moments]
        return np.array([_gap(rig, motion.blendshapes[f]) for f in frames])

    calm = gaps(perform(spoken, seed=2, lead_in_s=0.2))
    felt = gaps(perform(spoken, seed=2, lead_in_s=0.2, emotion=emotion))
    rest = _gap(rig, np.zeros(52))
    assert np.median(felt - rest) < np.median(calm - rest) + 0.03
    assert (felt - calm).max() < 0.12


def test_a_feeling_comes_and_goes_without_a_jump():
    performer = Performer(seed=1)
    performer.feel("concerned", at_s=1.0)
    performer.feel(None, at_s=4.0)
    faces = _stack(_states(performer, 160), "blendshapes")
    brow = faces[:, ARKIT_INDEX["mouthFrownLeft"]]
    assert brow[20] < 0.02
    assert brow[60] > 0.25
    assert brow[-1] < 0.02
    assert np.abs(np.diff(brow)).max() < 0.05
    with pytest.raises(ValueError, match="there are neutral, happy"):
        performer.feel(cast(Emotion, "angry"))


@pytest.mark.parametrize("act", ACTS)
def test_every_act_is_seen_and_passes(act):
    def show(does: bool) -> list[FaceState]:
        performer = Performer(seed=6)
        _states(performer, 25)
        if does:
            performer.act(act)
        return [performer.state(i) for i in range(25, 125)]

    done, idle = show(True), show(False)
    pose = np.degrees(_stack(done, "head_pose") - _stack(idle, "head_pose"))
    face = _stack(done, "blendshapes") - _stack(idle, "blendshapes")
    gaze = np.degrees(_stack(done, "gaze") - _stack(idle, "gaze"))
    assert max(np.abs(pose).max() / 2.0, np.abs(face).max() / 0.15, np.abs(gaze).max() / 5) > 1
    assert np.abs(pose[:1]).max() < 1.0  # it begins softly
    if not act.startswith("glance"):
        assert np.abs(pose[-5:]).max() < 0.3
        assert np.abs(face[-5:]).max() < 0.05
    axis = {"nod": 1, "shake": 0, "tilt": 2}.get(act)
    if axis is not None:
        assert np.abs(pose[:, axis]).max() > 2.0
    if act == "nod":
        assert pose[:, 1].max() > 2.0  # down, twice
        assert (np.diff(np.sign(np.diff(pose[:30, 1]))) < 0).sum() >= 2


def test_an_unknown_act_is_refused():
    with pytest.raises(ValueError, match="there are nod, shake"):
        Performer().act(cast(Act, "dance"))


def test_a_glance_without_a_side_goes_to_the_card():
    looks = {}
    for card in ("down", "right"):
        performer = Performer(seed=2, card=card)
        performer.act("glance")
        looks[card] = np.degrees(_stack(_states(performer, 20), "gaze")[8:])
    assert looks["down"][:, 1].mean() > 4
    assert looks["right"][:, 0].mean() > 6


def test_product_names_and_prices_are_stressed():
    text = "This is the Aurora lamp for $49 here"
    words = [
        Word(i, i + len(w), 0.2 + 0.4 * n)
        for n, (i, w) in enumerate((text.index(w), w) for w in text.split())
    ]

    def nods(stressed) -> np.ndarray:
        performer = Performer(seed=8)
        performer.begin(0.2, text, stressed=stressed)
        performer.feed((), words)
        performer.end(4.0)
        return np.degrees(_stack(_states(performer, 90), "head_pose")[:, 1])

    plain, named = nods(()), nods([(12, 23)])
    at = round((0.2 + 0.2 + 0.4 * 3) * FPS)
    assert (named - plain)[at : at + 8].max() > 1.2


def _autocorrelation(signal: np.ndarray, shortest: int) -> float:
    """The strongest likeness of a signal with itself, shifted by at least ``shortest`` frames."""
    centred = signal - signal.mean()
    size = 2 * len(centred)
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    overlap = len(centred) - np.arange(len(centred))
    curve = np.fft.irfft(power)[: len(centred)] / overlap
    curve /= curve[0]
    # With little overlap anything resembles anything.
    return float(curve[shortest : len(centred) // 2].max())


@pytest.fixture(scope="module")
def long_idle():
    return _states(Performer(seed=11), round(4 * 60 * FPS))


@pytest.mark.parametrize("part", ["yaw", "pitch", "roll", "blink", "gaze", "smile"])
def test_two_minutes_of_idle_are_no_loop(long_idle, part):
    blend = _stack(long_idle, "blendshapes")
    pose = _stack(long_idle, "head_pose")
    signal = {
        "yaw": pose[:, 0],
        "pitch": pose[:, 1],
        "roll": pose[:, 2],
        "blink": blend[:, ARKIT_INDEX["eyeBlinkLeft"]],
        "gaze": _stack(long_idle, "gaze")[:, 0] + pose[:, 0],
        "smile": blend[:, ARKIT_INDEX["mouthSmileLeft"]],
    }[part]
    window = round(120 * FPS)
    for begin in (0, window // 2, window):
        assert _autocorrelation(signal[begin : begin + window], round(6 * FPS)) < 0.5


def test_a_loop_would_be_noticed(long_idle):
    looped = np.tile(_stack(long_idle, "head_pose")[:500, 0], 6)
    assert _autocorrelation(looped, round(6 * FPS)) > 0.9


def test_idle_moments_differ_and_are_not_empty(long_idle):
    blend = _stack(long_idle, "blendshapes")
    pose = np.degrees(_stack(long_idle, "head_pose"))
    press = blend[:, ARKIT_INDEX["mouthPressLeft"]]
    assert ((press[1:] > 0.05) & (press[:-1] <= 0.05)).sum() >= 2
    quarters = np.array_split(pose, 8)
    spreads = np.array([quarter.std(axis=0) for quarter in quarters])
    assert spreads.min() > 0.1
