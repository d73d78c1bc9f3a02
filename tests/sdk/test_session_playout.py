"""The playout clock: on time, in order, never in a burst, silent at once."""

import threading
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from avatar_engine.errors import VoiceError
from sdk.session.clock import MachineClock, VirtualClock
from sdk.session.playout import Playout, PlayoutConfig
from tests.support.fake_engine import FakeEngine
from tests.support.fake_stage import Sink


class TimedSink(Sink):
    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self.clock = clock
        self.moments: list[float] = []

    def publish(self, frame) -> None:
        super().publish(frame)
        self.moments.append(self.clock.now())


class SlowEngine(FakeEngine):
    """Takes ``step_s`` of virtual time for a step; ``stalls`` maps frames to longer ones."""

    def __init__(
        self,
        clock: VirtualClock,
        step_s: float,
        stalls: dict[int, float],
        undrawn_s: float = 0.001,
    ) -> None:
        super().__init__()
        self.undrawn_s = undrawn_s
        self.clock = clock
        self.step_s = step_s
        self.stalls = stalls

    def step(self, *, is_drawn: bool = True):
        frame = super().step(is_drawn=is_drawn)
        self.clock.advance(
            self.stalls.get(frame.index, self.step_s if is_drawn else self.undrawn_s)
        )
        return frame


def playout_of(engine, sink, clock, **hooks) -> Playout:
    calls = {
        "on_frame": lambda frame: None,
        "on_pulse": lambda: None,
        "on_voice_error": lambda error: None,
    }
    return Playout(engine, sink, clock, **{**calls, **hooks})


def run(step_s: float, stalls: dict[int, float], frames: int) -> tuple[TimedSink, Playout]:
    clock = VirtualClock()
    sink = TimedSink(clock)
    playout = playout_of(SlowEngine(clock, step_s, stalls), sink, clock)
    for _ in range(frames):
        playout.tick()
    return sink, playout


def test_frames_leave_exactly_at_their_moment_whatever_a_step_costs():
    sink, playout = run(0.011, {7: 0.016, 8: 0.004}, 50)
    assert np.diff(sink.moments) == pytest.approx([0.04] * 49, abs=1e-6)
    assert playout.figures.rebases == 0


def test_a_step_begins_late_so_that_new_words_are_in_the_next_frame():
    clock = VirtualClock()
    engine = SlowEngine(clock, 0.008, {})
    began: list[float] = []
    step = engine.step

    def watched(**drawn):
        began.append(clock.now())
        return step(**drawn)

    engine.step = watched
    sink = TimedSink(clock)
    playout = playout_of(engine, sink, clock)
    for _ in range(100):
        playout.tick()
    waits = np.array(sink.moments[50:]) - np.array(began[50:])
    assert waits.max() < 0.020  # of the 40 ms between two frames


def test_after_a_stall_the_clock_moves_and_nothing_is_sent_in_a_burst():
    sink, playout = run(0.010, {20: 0.500}, 60)
    gaps = np.diff(sink.moments)
    assert gaps.max() == pytest.approx(0.5, abs=0.04)
    assert gaps.min() > 0.03
    assert playout.figures.rebases == 1
    assert playout.figures.lost_s == pytest.approx(0.47, abs=0.03)
    assert [frame.index for frame in sink.frames] == list(range(60))


@pytest.mark.parametrize("step_s", [0.050, 0.070, 0.095])
def test_a_machine_that_is_too_slow_loses_pictures_and_never_sound(step_s):
    sink, playout = run(step_s, {}, 250)
    took = sink.moments[-1] - sink.moments[0]
    assert took == pytest.approx(249 * 0.04, rel=0.01)
    assert playout.figures.rebases == 0
    drawn = 250 - playout.figures.repeated
    assert drawn * step_s > 0.6 * took  # it draws as much as it can
    assert [frame.index for frame in sink.frames] == list(range(250))


def test_one_hiccup_does_not_cost_pictures_afterwards():
    _, playout = run(0.012, {30: 0.075, 60: 0.090}, 200)
    assert playout.figures.repeated <= 4


def test_however_slow_the_machine_the_picture_still_moves():
    clock = VirtualClock()
    sink = TimedSink(clock)
    playout = playout_of(SlowEngine(clock, 0.045, {}, undrawn_s=0.0402), sink, clock)
    for _ in range(100):
        playout.tick()
    stills = "".join("s" if a.video is b.video else " " for a, b in pairwise(sink.frames))
    assert max(map(len, stills.split())) == PlayoutConfig().longest_still


def test_a_short_delay_is_caught_up_without_moving_the_clock():
    sink, playout = run(0.010, {20: 0.070}, 40)
    assert playout.figures.rebases == 0
    assert sink.moments[-1] - sink.moments[0] == pytest.approx(39 * 0.04, abs=1e-6)


def test_sound_is_as_long_as_the_pictures():
    sink, _ = run(0.010, {}, 75)
    assert sum(len(frame.audio) for frame in sink.frames) == 3 * 48_000


def test_a_frame_that_an_interruption_overtook_keeps_its_place_and_loses_its_words():
    clock = VirtualClock()
    engine = FakeEngine()
    engine.say("A rather long sentence.", utterance_id=1)
    sink = Sink()
    playout = playout_of(engine, sink, clock)
    for _ in range(5):
        playout.tick()
    step = engine.step

    def overtaken(**drawn):
        frame = step(**drawn)
        engine.interrupt()
        return frame

    def fading(**drawn):
        frame = step(**drawn)
        frame.audio[:384] = 1000  # the engine's own fade of what it was saying
        return frame

    engine.step = overtaken
    playout.tick()
    engine.step = fading
    playout.tick()
    assert sink.frames[4].audio.any()
    faded = np.abs(sink.frames[5].audio)
    assert faded[:100].max() > 4 * faded[300:384].max() > 0  # no click
    assert not faded[384:].any()
    assert not sink.frames[6].audio.any()  # and no echo of the cut word
    assert sink.frames[5].cues == ()
    assert [frame.generation for frame in sink.frames[4:]] == [0, 1, 1]
    assert [frame.index for frame in sink.frames] == list(range(7))
    assert playout.figures.hushed == 1


def test_cues_are_told_when_the_frame_was_given_out_not_before():
    clock = VirtualClock()
    engine = FakeEngine()
    sink = Sink()
    told: list[tuple[str, int]] = []
    playout = playout_of(
        engine,
        sink,
        clock,
        on_frame=lambda frame: told.extend((cue.kind, len(sink.frames)) for cue in frame.cues),
    )
    engine.say("One two.", utterance_id=1)
    for _ in range(30):
        playout.tick()
    assert told[0] == ("started", 1)
    assert told[-1][0] == "ended"
    words = [frame_number for kind, frame_number in told if kind == "word"]
    assert words == [1, 6]  # "two" begins 4 characters, 0.22 s, into the line


def test_it_asks_for_more_before_the_voice_runs_dry():
    clock = VirtualClock()
    engine = FakeEngine()
    pulses: list[float] = []
    playout = playout_of(engine, Sink(), clock, on_pulse=lambda: pulses.append(engine.backlog_s))
    engine.say("One two three.", utterance_id=1)
    for _ in range(40):
        playout.tick()
    assert any(0 < backlog <= 0.12 for backlog in pulses)
    assert len(pulses) >= 8  # and a few times a second in any case


def test_a_lost_voice_is_reported_and_the_show_goes_on():
    engine = FakeEngine()
    step, errors, sink = engine.step, [], Sink()
    playout = playout_of(engine, sink, VirtualClock(), on_voice_error=errors.append)

    def broken(**drawn):
        if len(errors) == 2:  # the line that was said, and the one handed over behind it
            engine.step = step
        raise VoiceError("the voice's process ended")

    playout.tick()
    engine.step = broken
    playout.tick()
    playout.tick()
    assert [str(error) for error in errors] == ["the voice's process ended"] * 3
    assert [frame.index for frame in sink.frames] == [0, 1, 2]


def test_stop_ends_the_thread_within_a_frame():
    playout = playout_of(FakeEngine(), Sink(), MachineClock(), on_pulse=lambda: None)
    thread = threading.Thread(target=playout.run)
    thread.start()
    playout.stop()
    thread.join(timeout=20)
    assert not thread.is_alive()


def test_pulse_interval_is_configurable():
    pulses: list[int] = []
    playout = Playout(
        FakeEngine(),
        Sink(),
        VirtualClock(),
        on_frame=lambda frame: None,
        on_pulse=lambda: pulses.append(1),
        on_voice_error=lambda error: None,
        config=replace(PlayoutConfig(), pulse_frames=10),
    )
    for _ in range(100):
        playout.tick()
    assert len(pulses) == 10
