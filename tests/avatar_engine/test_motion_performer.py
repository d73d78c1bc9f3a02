"""A face that lives: repeatable, never still, never seasick, shut when told to stop."""

import time
from itertools import pairwise

import numpy as np
import pytest

from avatar_engine.motion import CANCEL_S, LOOKAHEAD_S, Performer, perform
from avatar_engine.motion.emphasis import EmphasisReader
from avatar_engine.motion.loudness import LoudnessTrack
from avatar_engine.speech import open_voice
from avatar_engine.types.arkit import ARKIT, ARKIT_INDEX
from avatar_engine.types.motion import FaceState
from avatar_engine.types.speech import Phoneme, Word

TEXT = (
    "Hello everyone, welcome back! This serum costs $49.90 today, and only twelve are left. "
    "It smells wonderful. Would you like to try it? We ship to every country in Europe."
)
MOUTH = [
    i
    for i, name in enumerate(ARKIT)
    if name.startswith(("jaw", "mouth")) and "Smile" not in name and "Dimple" not in name
]
BLINK = ARKIT_INDEX["eyeBlinkLeft"]


@pytest.fixture(scope="module")
def chunks():
    voice = open_voice("espeak:en-us")
    spoken = list(voice.speak(TEXT))
    voice.close()
    return spoken


@pytest.fixture(scope="module")
def idle():
    performer = Performer(seed=5)
    return [performer.state(i) for i in range(25 * 240)]


def _stack(states, name):
    return np.array([getattr(state, name) for state in states])


def _stream(performer, chunks, *, start_s=0.0, frames, batch=1):
    """Feed as the engine does: just ahead of each frame, ``batch`` chunks at a time."""
    performer.begin(start_s, TEXT)
    waiting = list(chunks)
    states = []
    for i in range(frames):
        while waiting and waiting[0].start_s < i / 25 - start_s + LOOKAHEAD_S + 0.08:
            for chunk in waiting[:batch]:
                performer.feed(chunk.phonemes, chunk.words, chunk.pcm)
                if chunk.is_last:
                    performer.end(start_s + chunk.start_s + len(chunk.pcm) / 48_000)
            del waiting[:batch]
        states.append(performer.state(i))
    return states


def _assert_same(one: FaceState, other: FaceState):
    for name in ("blendshapes", "head_pose", "head_shift", "gaze"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-6)


def test_shapes_and_ranges(chunks):
    motion = perform(chunks, text=TEXT, seed=1)
    count = len(motion)
    assert motion.blendshapes.shape == (count, 52)
    assert motion.head_pose.shape == motion.head_shift.shape == (count, 3)
    assert motion.gaze.shape == (count, 2)
    for values in (motion.blendshapes, motion.head_pose, motion.head_shift, motion.gaze):
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
    assert motion.blendshapes.min() >= 0.0
    assert motion.blendshapes.max() <= 1.0


def test_the_same_seed_gives_the_same_frames_and_another_does_not(chunks):
    first, again, other = (perform(chunks, text=TEXT, seed=s) for s in (7, 7, 8))
    assert np.array_equal(first.blendshapes, again.blendshapes)
    assert np.array_equal(first.head_pose, again.head_pose)
    assert not np.allclose(first.head_pose, other.head_pose, atol=0.01)


@pytest.mark.parametrize("batch", [1, 3, 7])
def test_streaming_gives_what_the_offline_twin_gives(chunks, batch):
    twin = perform(chunks, text=TEXT, seed=3)
    streamed = _stream(Performer(seed=3), chunks, frames=len(twin), batch=batch)
    for i, state in enumerate(streamed):
        _assert_same(state, twin[i])


def test_the_mouth_is_the_same_wherever_the_utterance_begins(chunks):
    """Only life differs; lips depend on the time since the utterance's start alone."""
    early = _stream(Performer(seed=3), chunks, start_s=0.4, frames=160)
    later = _stream(Performer(seed=3), chunks, start_s=2.4, frames=210)
    one = _stack(early, "blendshapes")[:, MOUTH]
    two = _stack(later[50:], "blendshapes")[:, MOUTH]
    np.testing.assert_allclose(one, two, atol=1e-5)


def test_a_line_begun_without_notice_does_not_jump(chunks):
    performer = Performer(seed=3)
    before = performer.state(20).blendshapes[MOUTH]
    performer.begin(21 / 25)
    performer.feed([Phoneme("w", 0, 0.1), Phoneme("ˈaʊ", 0.1, 0.4), Phoneme("", 0.4, 0.6)])
    frames = [before] + [performer.state(i).blendshapes[MOUTH] for i in range(21, 40)]
    assert np.abs(np.diff(frames, axis=0)).max() < 0.45
    assert max(frame.max() for frame in frames[:4]) > 0.4, "it still speaks at once"


def test_cancel_shuts_the_mouth_in_time_and_the_next_line_speaks(chunks):
    performer = Performer(seed=3)
    states = _stream(performer, chunks, frames=60)
    assert _stack(states, "blendshapes")[:, MOUTH].max() > 0.2
    cancelled_s = 60 / 25
    performer.cancel(cancelled_s)
    after = [performer.state(i) for i in range(60, 120)]
    weights = _stack(after, "blendshapes")[:, MOUTH]
    shut = int(np.ceil(CANCEL_S * 25))
    assert weights[shut:].max() < 1e-6
    steps = np.abs(np.diff(np.vstack([states[-1].blendshapes[MOUTH], weights]), axis=0))
    assert steps.max() < 0.35, "it eases shut, it does not snap"
    performer.begin(120 / 25, TEXT)
    for chunk in chunks:
        performer.feed(chunk.phonemes, chunk.words, chunk.pcm)
    spoken = [performer.state(i).blendshapes[MOUTH].max() for i in range(120, 160)]
    assert max(spoken) > 0.2


def test_frames_are_kept_a_little_while_and_no_longer():
    performer = Performer()
    first = performer.state(10)
    assert performer.state(10) is first
    performer.state(40)
    with pytest.raises(ValueError, match="frame 10 is gone"):
        performer.state(10)


def test_phonemes_need_an_utterance():
    with pytest.raises(RuntimeError, match="begin"):
        Performer().feed([Phoneme("a", 0, 1)])


def test_idle_head_is_never_still_nor_seasick(idle):
    pose = np.degrees(_stack(idle, "head_pose"))
    assert np.all(np.abs(pose).max(axis=0) < [6, 4, 3.2])
    assert np.all(pose.std(axis=0) > [0.4, 0.2, 0.15])
    speed = np.abs(np.diff(pose, axis=0)) * 25
    assert speed.max() < 14  # degrees a second
    for second in range(0, len(pose) - 25, 25):
        assert np.ptp(pose[second : second + 25], axis=0).max() > 0.03, f"still at {second / 25} s"


def test_speaking_moves_the_head_more_within_limits(chunks, idle):
    states = [perform(chunks, text=TEXT, seed=seed) for seed in range(6)]
    pose = np.degrees(np.concatenate([motion.head_pose for motion in states]))
    assert np.all(np.abs(pose).max(axis=0) < [6, 4, 3.2])
    calm = np.degrees(_stack(idle, "head_pose"))
    assert np.abs(np.diff(pose, axis=0)).mean() > 1.3 * np.abs(np.diff(calm, axis=0)).mean()
    assert max(np.abs(np.diff(np.degrees(m.head_pose), axis=0)).max() for m in states) < 1.2


def test_blinks_are_human(idle):
    closed = _stack(idle, "blendshapes")[:, BLINK]
    begins = np.flatnonzero((closed[1:] > 0.5) & (closed[:-1] <= 0.5)) + 1
    minutes = len(idle) / 25 / 60
    assert 10 <= len(begins) / minutes <= 28
    gaps = np.diff(begins) / 25
    assert gaps.std() > 0.35 * gaps.mean(), "no metronome"
    for begin in begins[:-1]:
        blink = closed[begin - 5 : begin + 10]
        assert 2 <= (blink > 0.93).sum() <= 3
        peak = int(blink.argmax())
        down = int((blink[: peak + 1] > 0.05).sum())
        up = int((blink[peak:] > 0.05).sum())
        assert up > down, "lids fall faster than they rise"


def test_sentence_ends_invite_blinks(chunks):
    ends = [
        p.start_s
        for chunk in chunks
        for p in chunk.phonemes
        if not p.symbol and p.end_s - p.start_s > 0.14
    ]
    assert len(ends) >= 4
    near = far = 0
    for seed in range(12):
        closed = perform(chunks, text=TEXT, seed=seed).blendshapes[:, BLINK]
        begins = (np.flatnonzero((closed[1:] > 0.1) & (closed[:-1] <= 0.1)) + 1) / 25
        close = [min(abs(b - end) for end in ends) < 0.13 for b in begins]
        near += sum(close)
        far += len(close) - sum(close)
    length_s = chunks[-1].start_s
    expected = (near + far) * len(ends) * 0.26 / length_s
    assert near > 1.8 * expected


def test_gaze_holds_the_viewer_jumps_and_never_freezes(idle):
    world = _stack(idle, "gaze") + _stack(idle, "head_pose")[:, :2]  # the point looked at
    degrees = np.degrees(world)
    off = np.hypot(*degrees.T)
    assert 0.6 < (off < 2.5).mean() < 0.97, "mostly on the viewer, not always"
    assert off.max() < 12
    step = np.hypot(*np.diff(degrees, axis=0).T)
    saccades = (step > 1.0).sum() / (len(idle) / 25)
    micro = ((step > 0.05) & (step < 1.0)).sum() / (len(idle) / 25)
    assert 0.1 < saccades < 1.5
    assert 0.4 < micro < 4.0
    fixed = np.diff(np.flatnonzero(np.r_[True, step > 0.05, True])) / 25
    assert fixed.max() < 3.0


def test_lids_and_eye_weights_follow_the_gaze(idle):
    for state in idle[::50]:
        yaw, pitch = state.gaze
        weights = {name: state.blendshapes[i] for name, i in ARKIT_INDEX.items()}
        if weights["eyeBlinkLeft"] > 0.01:
            continue
        assert (weights["eyeLookOutLeft"] > 0) == (yaw > 0) or abs(yaw) < 1e-3
        assert weights["eyeLookOutLeft"] == pytest.approx(weights["eyeLookInRight"])
        assert weights["eyeLookInLeft"] == pytest.approx(weights["eyeLookOutRight"])
        assert (weights["eyeLookDownLeft"] > 0) == (pitch > 0) or abs(pitch) < 1e-3
        assert weights["eyeLookDownLeft"] * weights["eyeLookUpLeft"] == 0


def test_two_minutes_of_idle_are_no_loop(idle):
    """No shift of the head's motion by up to two minutes looks like itself."""
    pose = _stack(idle[: 25 * 240], "head_pose")[:, 0].astype(np.float64)
    window = pose[: 25 * 20] - pose[: 25 * 20].mean()
    scores = []
    for shift in range(25 * 10, len(pose) - len(window), 5):
        other = pose[shift : shift + len(window)]
        other = other - other.mean()
        norms = np.linalg.norm(window) * np.linalg.norm(other)
        scores.append(float(window @ other / norms))
    assert max(scores) < 0.9


def test_breathing_lifts_the_head_at_a_resting_rate(idle):
    lift = _stack(idle, "head_shift")[:, 1] + _stack(idle, "torso")[:, 1]
    middle = lift - lift.mean()
    breaths = ((middle[1:] > 0) & (middle[:-1] <= 0)).sum() / (len(idle) / 25 / 60)
    assert 10 < breaths < 20
    assert 0.05 < np.ptp(lift) < 0.3


def test_shoulders_breathe_more_than_the_head_and_come_after_it(idle):
    torso = _stack(idle, "torso")
    head = torso[:, 1] + _stack(idle, "head_shift")[:, 1]
    assert 0.2 < np.ptp(torso[:, 1]) < 0.6  # cm
    assert head.std() < 0.7 * torso[:, 1].std()
    yaw, aside = _stack(idle, "head_pose")[:, 0], torso[:, 0]
    lags = [np.corrcoef(yaw[: -lag or None], aside[lag:])[0, 1] for lag in range(25)]
    assert 3 <= int(np.argmax(lags)) <= 20  # frames
    assert max(lags) > 0.5


def test_the_resting_face_is_friendly_and_shut(idle):
    weights = _stack(idle, "blendshapes")
    smile = weights[:, ARKIT_INDEX["mouthSmileLeft"]]
    assert smile.min() > 0.02
    assert smile.max() < 0.3
    assert weights[:, ARKIT_INDEX["jawOpen"]].max() == 0


def test_a_glance_turns_the_eyes_then_comes_back():
    performer = Performer(seed=2)
    for i in range(50):
        performer.state(i)
    performer.glance("down-right", at_s=2.2)
    before = performer.state(54)
    during = [performer.state(i) for i in range(55, 75)]
    world = [np.degrees(state.gaze + state.head_pose[:2]) for state in during]
    assert max(point[0] for point in world) > 11, "the viewer's right is the subject's left"
    assert max(point[1] for point in world) > 7
    assert np.degrees(before.gaze + before.head_pose[:2])[0] < 10
    after = [performer.state(i) for i in range(75, 140)]
    assert min(np.degrees(abs((s.gaze + s.head_pose[:2])[0])) for s in after) < 3
    with pytest.raises(ValueError, match="sideways"):
        performer.glance("sideways")


def test_prices_are_stressed_with_head_and_brows(chunks):
    def raised(motion):
        return motion.blendshapes[:, ARKIT_INDEX["browOuterUpLeft"]]

    price = next(
        w.start_s for c in chunks for w in c.words if TEXT[w.start : w.end].startswith("$49")
    )
    frames = slice(int(price * 25), int((price + 0.6) * 25))
    gains = []
    for seed in range(8):
        with_text, without = perform(chunks, text=TEXT, seed=seed), perform([], seed=seed, tail_s=9)
        gains.append(raised(with_text)[frames].max() - raised(without)[frames].max())
    assert np.median(gains) > 0.1


def test_accents_prefer_prices_and_keep_apart():
    words, at = [], 0
    for i, word in enumerate(TEXT.split()):
        start = TEXT.index(word, at)
        at = start + len(word)
        words.append(Word(start, at, i * 0.4))
    accents = EmphasisReader(TEXT, np.random.default_rng(0)).read(words)
    times = [accent.time_s for accent in accents]
    price = next(w.start_s for w in words if TEXT[w.start] == "$")
    assert next(a for a in accents if a.time_s == price).strength == 1.0
    assert all(b - a >= 0.34 for a, b in pairwise(times))
    assert len(accents) < 0.6 * len(words)
    one_by_one = EmphasisReader(TEXT, np.random.default_rng(0))
    assert [a for word in words for a in one_by_one.read([word])] == accents


def test_loudness_does_not_depend_on_chunks():
    rng = np.random.default_rng(1)
    pcm = (rng.standard_normal(48_000) * np.linspace(100, 8000, 48_000)).astype(np.int16)
    whole, parts = LoudnessTrack(), LoudnessTrack()
    whole.feed(pcm, 48_000)
    for begin in range(0, len(pcm), 777):
        parts.feed(pcm[begin : begin + 777], 48_000)
    assert whole.relative(0.8) == pytest.approx(parts.relative(0.8))
    assert whole.relative(0.8) > 0


def test_a_frame_costs_less_than_a_millisecond(chunks):
    """A tripwire an order of magnitude above what is measured, in CPU time."""
    performer = Performer(seed=1)
    performer.begin(0.0, TEXT)
    for chunk in chunks:
        performer.feed(chunk.phonemes, chunk.words, chunk.pcm)
    costs = []
    for i in range(150):
        start = time.process_time()
        performer.state(i)
        costs.append(time.process_time() - start)
    assert np.median(costs) < 0.003
