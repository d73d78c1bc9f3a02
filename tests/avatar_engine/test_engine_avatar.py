"""The engine with its real voice and muscles, and a synthetic head before the real CPU renderer."""

from collections.abc import Iterator

import numpy as np
import pytest

from avatar_engine.engine.avatar import LEAD_IN_S, AvatarEngine
from avatar_engine.engine.label import PresenterLabel
from avatar_engine.motion import Performer
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.speech import open_voice
from avatar_engine.types import ARKIT_INDEX, AvatarFrame, SpeechChunk, take_marks
from tests.support.synthetic_head import synthetic_head


@pytest.fixture
def engine() -> Iterator[AvatarEngine]:
    maps, plates, camera = synthetic_head()
    made = AvatarEngine(
        renderer=open_renderer("cpu", maps, plates, camera, RenderConfig(128, 128, "i420")),
        voice=open_voice("espeak:en-us"),
        performer=Performer(fps=25.0, seed=1),
        label=PresenterLabel(128, 128, "i420"),
    )
    yield made
    made.close()


def _loud(frame: AvatarFrame) -> bool:
    return int(np.abs(frame.audio.astype(np.int32)).max()) > 200


def _until_ended(engine: AvatarEngine, limit: int = 400) -> list[AvatarFrame]:
    frames = []
    while len(frames) < limit:
        frames.append(engine.step())
        if any(cue.kind == "ended" for cue in frames[-1].cues):
            return frames
    raise AssertionError("the line never ended")


def test_every_frame_has_exactly_its_share_of_sound(engine):
    engine.say("Good morning.", utterance_id=1)
    frames = [engine.step() for _ in range(30)]
    assert [frame.index for frame in frames] == list(range(30))
    assert all(frame.audio.shape == (1920,) for frame in frames)
    assert all(frame.video.shape == (128 * 128 * 3 // 2,) for frame in frames)


def test_a_line_starts_sounds_names_its_words_and_ends(engine):
    text = "Two lamps cost $40 today."
    engine.say(text, utterance_id=9)
    frames = _until_ended(engine)
    cues = [cue for frame in frames for cue in frame.cues]
    assert cues[0].kind == "started"
    assert cues[-1].kind == "ended"
    assert {cue.utterance_id for cue in cues} == {9}
    words = [text[cue.start : cue.end].strip(".") for cue in cues if cue.kind == "word"]
    assert words == ["Two", "lamps", "cost", "$40", "today"]
    assert any(_loud(frame) for frame in frames)
    assert not any(_loud(engine.step()) for _ in range(5))


def test_sound_follows_at_once_and_the_mouth_goes_first(engine):
    for _ in range(5):
        assert not _loud(engine.step())
    engine.say("Hello!", utterance_id=1)
    frames = [engine.step() for _ in range(12)]
    started = next(i for i, f in enumerate(frames) if any(c.kind == "started" for c in f.cues))
    assert started == round(LEAD_IN_S * engine.fps)
    assert any(_loud(frame) for frame in frames[started : started + 5])


def test_lines_follow_each_other_without_a_hole(engine):
    engine.say("First line.", utterance_id=1)
    engine.say("Second line.", utterance_id=2)
    first = _until_ended(engine)
    assert any(c.kind == "started" and c.utterance_id == 2 for c in first[-1].cues)


def test_an_interruption_is_silent_from_the_next_frame_and_fenced(engine):
    engine.say("This is a long sentence that nobody will ever hear the end of.", utterance_id=1)
    engine.say("Nor this one.", utterance_id=2)
    frames = [engine.step() for _ in range(20)]
    assert _loud(frames[-1]) or _loud(frames[-2])
    generation = engine.interrupt()
    after = [engine.step() for _ in range(30)]
    assert all(frame.generation == generation for frame in after)
    assert int(np.abs(after[0].audio[480:].astype(np.int32)).max()) == 0
    assert not any(_loud(frame) for frame in after[1:])
    assert not any(frame.cues for frame in after)
    assert engine.backlog_s == 0
    engine.say("But this one.", utterance_id=3)
    assert any(_loud(frame) for frame in _until_ended(engine))


def test_marks_fire_when_their_place_sounds(engine):
    text, marks = take_marks('Look <act name="nod"/> at the lamp.')
    engine.say(text, utterance_id=4, marks=marks)
    order = [c.name or c.kind for f in _until_ended(engine) for c in f.cues]
    assert order.index("act:nod") > order.index("word")
    assert order[-1] == "ended"


def test_text_is_never_searched_for_marks(engine):
    engine.say('Look <act name="nod"/> at the lamp.', utterance_id=4)
    cues = [cue for frame in _until_ended(engine) for cue in frame.cues]
    assert not any(cue.kind == "mark" for cue in cues)
    assert len([cue for cue in cues if cue.kind == "word"]) == 4  # and it is not read out either


def _states(engine: AvatarEngine, frames: int) -> np.ndarray:
    faces = []
    for _ in range(frames):
        frame = engine.step()
        faces.append(engine._performer.state(frame.index).blendshapes)
    return np.array(faces)


def test_a_feeling_lasts_as_long_as_its_line_and_fades_after_the_last(engine):
    text, marks = take_marks('<emotion name="serious"/>Please listen to this, it matters a lot.')
    engine.say(text, utterance_id=1, marks=marks)
    brow = _states(engine, 160)[:, ARKIT_INDEX["browDownLeft"]]
    assert brow[:3].max() < 0.1
    assert brow[40:60].min() > 0.3
    assert brow[-5:].max() < 0.15


def test_the_next_line_without_a_feeling_is_the_performers_own(engine):
    text, marks = take_marks('<emotion name="serious"/>One moment please.')
    engine.say(text, utterance_id=1, marks=marks)
    engine.say(
        "And now to something else that is rather long, so that we can look.", utterance_id=2
    )
    brow = _states(engine, 110)[:, ARKIT_INDEX["browDownLeft"]]
    assert brow.max() > 0.3
    assert np.median(brow[-25:]) < 0.15


def test_nothing_to_say_still_starts_and_ends(engine):
    engine.say("", utterance_id=5)
    cues = [cue.kind for frame in _until_ended(engine) for cue in frame.cues]
    assert cues == ["started", "ended"]


def test_the_same_seed_makes_the_same_show():
    def show() -> list[AvatarFrame]:
        maps, plates, camera = synthetic_head()
        made = AvatarEngine(
            renderer=open_renderer("cpu", maps, plates, camera, RenderConfig(64, 64, "i420")),
            voice=open_voice("espeak:en-us"),
            performer=Performer(fps=25.0, seed=5),
            label=None,
        )
        made.say("Same again.", utterance_id=1)
        frames = [made.step() for _ in range(40)]
        made.close()
        return frames

    for one, other in zip(show(), show(), strict=True):
        assert np.array_equal(one.video, other.video)
        assert np.array_equal(one.audio, other.audio)


def test_an_undrawn_frame_repeats_the_picture_and_keeps_its_sound(engine):
    engine.say("Good morning, and welcome.", utterance_id=1)
    drawn = [engine.step() for _ in range(10)]
    repeated = [engine.step(is_drawn=False) for _ in range(5)]
    assert all(np.array_equal(frame.video, drawn[-1].video) for frame in repeated)
    assert any(_loud(frame) for frame in repeated)
    assert not np.array_equal(engine.step().video, drawn[-1].video)
    assert [frame.index for frame in repeated] == list(range(10, 15))


class _Halting:
    """The embedded voice, whose sound stops coming for a while in the middle."""

    def __init__(self, *, after: int, asks: int) -> None:
        self.name, self.language = "halting", "en-us"
        self._voice = open_voice("espeak:en-us")
        self._after, self._asks = after, asks
        self.prepared: list[str] = []

    def prepare(self, text: str) -> None:
        self.prepared.append(text)

    def speak(self, text: str) -> Iterator[SpeechChunk]:
        for i, chunk in enumerate(self._voice.speak(text)):
            if i == self._after:
                for _ in range(self._asks):
                    yield SpeechChunk(np.zeros(0, np.int16), 48_000, chunk.start_s)
            yield chunk

    def close(self) -> None:
        self._voice.close()


def _played(voice) -> tuple[list[AvatarFrame], np.ndarray]:
    maps, plates, camera = synthetic_head()
    made = AvatarEngine(
        renderer=open_renderer("cpu", maps, plates, camera, RenderConfig(64, 64, "i420")),
        voice=voice,
        performer=Performer(fps=25.0, seed=5),
        label=None,
    )
    made.say("Bob may map a large banana.", utterance_id=1)
    frames = _until_ended(made)
    faces = np.array([made._performer.state(f.index).blendshapes for f in frames[-16:]])
    made.close()
    return frames, faces


@pytest.mark.parametrize("after", [0, 14])
def test_a_slow_voice_halts_the_line_and_not_the_show(after):
    steady, _ = _played(_Halting(after=10_000, asks=0))
    voice = _Halting(after=after, asks=30)
    halting, _ = _played(voice)
    assert voice.prepared == ["Bob may map a large banana."]
    late = len(halting) - len(steady)
    assert 20 <= late <= 32  # as long as nothing came, less what was buffered

    def sound(frames: list[AvatarFrame]) -> np.ndarray:
        pcm = np.concatenate([frame.audio for frame in frames])
        return pcm[pcm != 0]

    assert np.array_equal(sound(steady), sound(halting))  # nothing lost, nothing twice
    starts = [
        next(f.index for f in frames for c in f.cues if c.kind == "started")
        for frames in (steady, halting)
    ]
    assert starts[1] - starts[0] == (late if after == 0 else 0)


def test_lips_stay_with_the_sound_after_a_halt():
    _, steady = _played(_Halting(after=10_000, asks=0))
    _, halting = _played(_Halting(after=14, asks=30))
    lips = [ARKIT_INDEX[name] for name in ("jawOpen", "mouthClose", "mouthPucker")]
    assert np.abs(steady[:, lips] - halting[:, lips]).max() < 0.03
