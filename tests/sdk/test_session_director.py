"""Who speaks next. The stage below plays frames out on a virtual clock, one call per frame."""

import pytest

from sdk.errors import QueueFullError, SessionError
from sdk.session.clock import VirtualClock
from sdk.session.director import Director, DirectorConfig
from sdk.session.events import EventHub
from sdk.session.playout import Playout
from sdk.types.session import Asker, Priority, Utterance, ViewerId
from tests.support.fake_engine import FakeEngine
from tests.support.fake_stage import Sink

SCRIPT = "First line here. Second line here. Third line here."


class Stage:
    def __init__(self, config: DirectorConfig | None = None) -> None:
        self.engine = FakeEngine()
        self.clock = VirtualClock()
        self.hub = EventHub()
        self.news = self.hub.subscribe()
        self.sink = Sink()
        self.pinned: list[str] = []
        self.director = Director(
            self.engine,
            self.hub,
            now=self.clock.now,
            on_product=lambda sku, speech: self.pinned.append(sku),
            config=config or DirectorConfig(),
        )
        self.playout = Playout(
            self.engine,
            self.sink,
            self.clock,
            on_frame=self._heard,
            on_pulse=self.director.feed,
            on_voice_error=lambda error: self.director.voice_failed(),
        )

    def _heard(self, frame) -> None:
        for cue in frame.cues:
            self.director.heard(cue, generation=frame.generation)

    def play(self, seconds: float) -> None:
        for _ in range(round(seconds * self.engine.fps)):
            self.playout.tick()

    def play_out(self, limit_s: float = 60.0) -> None:
        for _ in range(round(limit_s * self.engine.fps)):
            self.playout.tick()
            if self.director.current is None and not self.director.waiting:
                return
        raise AssertionError(f"still speaking after {limit_s} s: {self.engine.said}")

    def events(self, *types: str):
        happened = list(self.news._waiting)
        return [e for e in happened if not types or e.type in types]


def script(text: str = SCRIPT) -> Utterance:
    return Utterance(text, priority=Priority.SCRIPT, is_resumable=True)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_answer_waits_for_one_sentence_and_script_resumes_with_the_next(stage: Stage):
    show = stage.director.submit(script())
    stage.play(0.3)
    answer = stage.director.submit(Utterance("An answer.", priority=Priority.ANSWER))
    stage.play_out()
    assert stage.engine.said == [
        "First line here.",
        "An answer.",
        "Second line here.",
        "Third line here.",
    ]
    assert not answer.interrupted
    assert not show.interrupted
    assert show.heard == SCRIPT


def test_interruption_cuts_the_word_and_the_cut_sentence_is_said_again(stage: Stage):
    stage.director.submit(script())
    stage.play(1.6)  # in the second sentence
    urgent = stage.director.submit(Utterance("Stop!", priority=Priority.INTERRUPTION))
    stage.play_out()
    assert stage.engine.said == [
        "First line here.",
        "Second line here.",
        "Stop!",
        "Second line here.",
        "Third line here.",
    ]
    assert not urgent.interrupted


def test_interrupt_is_silent_at_once_and_the_script_pauses(stage: Stage):
    stage.director.submit(script())
    line = stage.director.submit(Utterance("Said by the seller.", priority=Priority.SELLER))
    stage.play(0.4)
    stage.director.interrupt()
    before = len(stage.sink.frames)
    stage.play(3.5)
    quiet = stage.sink.frames[before:]
    assert all(not frame.audio.any() for frame in quiet)
    assert {frame.generation for frame in quiet} == {1}
    assert line.is_over
    assert line.interrupted
    stage.play_out()
    assert stage.engine.said[-3:] == SCRIPT.replace(". ", ".|").split("|")


def test_what_is_more_urgent_goes_first_whatever_the_order_of_arrival(stage: Stage):
    order = [
        Priority.IDLE,
        Priority.SCRIPT,
        Priority.FLASH_DEAL,
        Priority.PITCH,
        Priority.SELLER,
        Priority.ANSWER,
    ]
    stage.director.submit(Utterance("Now.", priority=Priority.SCRIPT))
    for priority in order:
        stage.director.submit(Utterance(f"Line {priority.name}.", priority=priority))
    stage.play_out()
    assert stage.engine.said == ["Now."] + [f"Line {p.name}." for p in reversed(order)]


def test_equals_go_in_order_of_arrival(stage: Stage):
    for number in range(4):
        stage.director.submit(Utterance(f"Line {number}."))
    stage.play_out()
    assert stage.engine.said == [f"Line {n}." for n in range(4)]


def test_an_old_cue_after_an_interruption_changes_nothing(stage: Stage):
    speech = stage.director.submit(Utterance("One. Two."))
    stage.play(0.1)
    stale = stage.engine.step()  # rendered, not yet given out
    stage.director.interrupt()
    told = len(stage.events())
    for cue in stale.cues:
        stage.director.heard(cue, generation=stale.generation)
    assert len(stage.events()) == told
    assert speech.interrupted


def test_duplicate_questions_are_answered_once_to_both(stage: Stage):
    stage.director.submit(script())
    stage.play(0.2)

    def ask(viewer: str):
        asker = Asker(ViewerId(viewer), viewer, f"m-{viewer}")
        return stage.director.submit(
            Utterance("We have it.", priority=Priority.ANSWER, asker=asker, merge_key="have:mug")
        )

    assert ask("ana") is ask("ben")
    stage.play_out()
    assert stage.engine.said.count("We have it.") == 1
    started = [e for e in stage.events("avatar.speak_started") if e.data["viewers"]]
    assert [e.data["viewers"] for e in started] == [["ana", "ben"]]
    assert ask("cem").askers[0].name == "cem"  # said already: a later question is answered anew
    stage.play_out()
    assert stage.engine.said.count("We have it.") == 2


def test_a_full_queue_refuses_and_says_why():
    stage = Stage(DirectorConfig(queue_length=2))
    for number in range(3):  # one is being said, two wait
        stage.director.submit(Utterance(f"Line {number}."))
    with pytest.raises(QueueFullError, match="2 utterances are waiting"):
        stage.director.submit(Utterance("One too many."))
    urgent = stage.director.submit(Utterance("Fire!", priority=Priority.INTERRUPTION))
    stage.play(0.2)
    assert urgent.has_started


def test_text_without_words_is_refused(stage: Stage):
    with pytest.raises(SessionError, match="nothing to say"):
        stage.director.submit(Utterance(" … "))


def test_pin_happens_when_the_first_sentence_is_heard_not_when_it_is_queued(stage: Stage):
    stage.director.submit(Utterance("A long first sentence before it."))
    stage.director.submit(Utterance("The mug. It is blue.", product="mug"))
    stage.play(1.0)
    assert stage.pinned == []
    stage.play_out()
    assert stage.pinned == ["mug"]
    heard = [e.type for e in stage.events("avatar.speak_ended", "product.heard")]
    assert heard == ["avatar.speak_ended", "avatar.speak_ended", "product.heard"]


def test_a_pin_that_was_interrupted_before_it_was_heard_never_happens(stage: Stage):
    stage.director.submit(Utterance("A long first sentence before it."))
    stage.director.submit(Utterance("The mug.", product="mug"))
    stage.play(0.5)
    stage.director.interrupt()
    stage.play(5)
    assert stage.pinned == []


def test_captions_point_at_each_word_of_the_sentence(stage: Stage):
    text = 'Only 4.50 today! <act name="nod"/> Take it home.'
    stage.director.submit(Utterance(text))
    stage.play_out()
    lines = {e.data["sentence_id"]: e.data["text"] for e in stage.events("avatar.transcription")}
    words = [
        lines[e.data["sentence_id"]][e.data["start"] : e.data["end"]]
        for e in stage.events("avatar.word")
    ]
    spoken = [w for w in words if w.strip()]
    assert spoken == ["Only", "4.50", "today!", "Take", "it", "home."]


def test_position_and_heard_follow_the_voice(stage: Stage):
    speech = stage.director.submit(Utterance("Alpha beta gamma delta epsilon."))
    assert speech.position == 0.0
    stage.play(1.0)
    assert speech.position == pytest.approx(1.0, abs=0.09)
    assert speech.heard.startswith("Alpha beta")
    stage.director.interrupt()
    cut_at = speech.position
    stage.play(2.0)
    assert speech.position == cut_at
    assert speech.interrupted


def test_sentences_follow_each_other_without_a_hole(stage: Stage):
    stage.director.submit(Utterance("One two three. Four five six. Seven eight nine."))
    stage.play_out()
    speaking = [frame.utterance_id is not None for frame in stage.sink.frames]
    first, last = speaking.index(True), len(speaking) - speaking[::-1].index(True)
    assert all(speaking[first:last])


def test_states_turn_only_when_they_change(stage: Stage):
    stage.director.submit(Utterance("One. Two. Three."))
    stage.play_out()
    states = [e.data["state"] for e in stage.events("avatar.state_changed")]
    assert states == ["speaking", "idle"]


def test_close_releases_who_waits(stage: Stage):
    show = stage.director.submit(script())
    queued = stage.director.submit(Utterance("Later."))
    stage.director.close()
    assert show.is_over
    assert queued.is_over
    with pytest.raises(SessionError, match="closed"):
        stage.director.submit(Utterance("Too late."))


def test_every_speech_ends_exactly_once(stage: Stage):
    speeches = [stage.director.submit(Utterance(f"Line {n}. More.")) for n in range(3)]
    stage.play(0.5)
    stage.director.interrupt()
    speeches.append(stage.director.submit(Utterance("After.")))
    stage.play_out()
    ended = [e.data["speech_id"] for e in stage.events("avatar.speak_ended")]
    assert sorted(ended) == [s.speech_id for s in speeches]
