"""The whole session over the fake engine: verbs, script, chat, products, events, closing."""

import asyncio
import contextlib

import pytest

from sdk.errors import QueueFullError, SessionError
from sdk.session import DirectorConfig, Parts, ScriptConfig, Session, SessionConfig
from sdk.types.session import ViewerId
from tests.support.fake_engine import FakeEngine
from tests.support.fake_stage import FakeCounter, Sink

QUICK = ScriptConfig(breath_s=0.02, rest_s=0.05, empty_s=0.05, rounds=2)


class Stage:
    """Parts that a test can look into. Speech runs about ten times as fast as life."""

    def __init__(self) -> None:
        self.engine = FakeEngine(fps=100, s_per_character=0.005)
        self.sink = Sink()
        self.counter = FakeCounter()

    @contextlib.asynccontextmanager
    async def parts(self):
        yield Parts(self.engine, self.sink, self.counter, presenter="Mara")

    def session(self, script: ScriptConfig | None = None) -> Session:
        return Session(self.parts, config=SessionConfig(script=script))


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def until(session: Session, *wanted: str):
    """The events up to and with the first of each wanted type."""
    missing, seen = set(wanted), []
    async with asyncio.timeout(20):
        async for event in session.events():
            seen.append(event)
            missing.discard(event.type)
            if not missing:
                break
    return seen


@pytest.mark.asyncio
async def test_the_twelve_lines(stage: Stage):
    async with stage.session() as session:
        assert session.state == "connected"
        speech = session.say("Hello everyone!", product="mug")
        await asyncio.wait_for(speech.wait_for_playout(), 20)
        assert not speech.interrupted
        assert speech.position > 0
        assert session.snapshot()["pinned"]["sku"] == "mug"
        session.pin("lamp")
        assert session.snapshot()["pinned"]["sku"] == "lamp"
        session.pin(None)
        assert session.snapshot()["pinned"] is None
        cut = session.say("This sentence will never be heard to its end, it is far too long.")
        await asyncio.sleep(0.05)
        await session.interrupt()
        await asyncio.wait_for(cut.wait_for_playout(), 20)
        assert cut.interrupted
        assert stage.sink.dropped_before == 1
    assert session.state == "disconnected"
    assert stage.engine.is_closed
    assert stage.sink.is_closed


@pytest.mark.asyncio
async def test_unknown_products_are_refused_by_name(stage: Stage):
    async with stage.session() as session:
        with pytest.raises(SessionError, match=r"'spoon'.*mug, lamp, scarf"):
            session.pin("spoon")
        with pytest.raises(SessionError, match="'spoon'"):
            session.say("A spoon.", product="spoon")


@pytest.mark.asyncio
async def test_a_session_that_is_not_open_says_how_to_open_it(stage: Stage):
    with pytest.raises(SessionError, match="async with"):
        stage.session().say("Hello.")


@pytest.mark.asyncio
async def test_the_script_walks_through_the_catalogue_and_skips_what_is_sold_out(stage: Stage):
    async with stage.session(QUICK) as session:
        events = session.events()
        pinned, rounds = [], 0
        async with asyncio.timeout(20):
            async for event in events:
                if event.type == "product.pinned":
                    pinned.append(event.data["product"]["sku"])
                if event.type == "avatar.transcription":
                    rounds += event.data["text"] == "That was our round."
                if rounds == 2:
                    break
    said = stage.engine.said
    assert said[:3] == ["Hello and welcome.", "I am an AI presenter.", "Look at the Stone Mug."]
    assert pinned[:2] == ["mug", "lamp"]
    assert "scarf" not in pinned
    assert "It is number 0." in said
    assert "It is number 1." in said  # the second round has other words
    assert said.count("Hello and welcome.") == 1


@pytest.mark.asyncio
async def test_a_product_that_sells_out_before_its_turn_is_skipped(stage: Stage):
    async with stage.session(QUICK):
        stage.counter.shelf["lamp"]["stock"] = 0
        await _wait_said(stage, "That was our round.")
    assert "Look at the Desk Lamp." not in stage.engine.said


@pytest.mark.asyncio
async def test_a_question_is_answered_pinned_and_the_script_resumes_at_the_exact_sentence(
    stage: Stage,
):
    async with stage.session(QUICK) as session:
        await _wait_said(stage, "Look at the Stone Mug.")
        news = asyncio.create_task(until(session, "chat.answered"))
        await asyncio.sleep(0)
        await session.chat.receive("Do you have the lamp?", viewer=ViewerId("v1"), name="Ana")
        events = await news
        await _wait_said(stage, "Take one home.")
    said = stage.engine.said
    answer = said.index("Hi Ana.")
    assert said.pop(answer + 1) == "Yes, we have the Desk Lamp."
    pitch = ["Look at the Stone Mug.", "It is number 0.", "You will love it.", "Take one home."]
    before, after = said[:answer], said[answer + 1 :]
    told = [s for s in before if s in pitch]
    assert told == pitch[: len(told)]
    assert after[: 4 - len(told)] == pitch[len(told) :]

    by_type = {event.type: event for event in events}
    assert by_type["product.pinned"].data["product"]["sku"] == "lamp"
    question, answered = by_type["chat.question"], by_type["chat.answered"]
    assert answered.source_event_id == question.event_id
    assert answered.data == {
        "message_id": question.data["message_id"],
        "viewer": "v1",
        "product": "lamp",
        "speech_id": question.data["speech_id"],
        "interrupted": False,
        "text": "Hi Ana. Yes, we have the Desk Lamp.",
    }
    turn = by_type["chat.message"].turn_id
    speaking = [e for e in events if e.type == "avatar.speak_started" and e.data["viewers"]]
    assert [e.turn_id for e in speaking] == [turn]
    assert speaking[0].data["viewers"] == ["v1"]


@pytest.mark.asyncio
async def test_chatter_is_shown_but_not_answered(stage: Stage):
    async with stage.session() as session:
        events = session.events()
        message = await session.chat.receive("lol, so true", viewer=ViewerId("v1"))
        assert message is not None
        await asyncio.sleep(0.1)
        assert stage.engine.said == []
        assert session.snapshot()["messages"][-1]["text"] == "lol, so true"
        events.close()
        types = [event.type async for event in events]
        assert types == ["chat.message"]


@pytest.mark.asyncio
async def test_the_same_question_of_two_viewers_is_answered_once(stage: Stage):
    async with stage.session() as session:
        blocker = session.say("A sentence that takes its time before the answer can come.")
        await asyncio.sleep(0.02)
        for viewer in ("v1", "v2"):
            await session.chat.receive("mug?", viewer=ViewerId(viewer))
        news = session.events()
        await blocker.wait_for_playout()
        answered = []
        async with asyncio.timeout(20):
            async for event in news:
                if event.type == "chat.answered":
                    answered.append(event.data["viewer"])
                if len(answered) == 2:
                    break
        late = [m for m in session.snapshot()["messages"] if m["viewer"] == "presenter"]
    assert sorted(answered) == ["v1", "v2"]
    assert [m["text"] for m in late] == ["Yes, we have the Stone Mug."]
    assert [line for line in stage.engine.said if "Mug" in line] == ["Yes, we have the Stone Mug."]


@pytest.mark.asyncio
async def test_live_stock_reaches_the_page(stage: Stage):
    async with Session(stage.parts, config=SessionConfig(stock_watch_s=0.02)) as session:
        session.pin("mug")
        news = asyncio.create_task(until(session, "product.changed"))
        await asyncio.sleep(0.05)
        stage.counter.shelf["mug"]["stock"] = 2
        events = await news
        assert events[-1].data["product"]["stock"] == 2
        assert session.snapshot()["pinned"]["stock"] == 2


@pytest.mark.asyncio
async def test_an_engine_that_breaks_is_told_and_the_session_still_closes(stage: Stage):
    def broken(**drawn):
        raise RuntimeError("no more pictures")

    async with stage.session() as session:
        news = asyncio.create_task(until(session, "session.disconnected"))
        await asyncio.sleep(0.02)
        stage.engine.step = broken
        with pytest.raises(RuntimeError, match="no more pictures"):
            await asyncio.wait_for(session.wait_failed(), 20)
        await news
    assert stage.engine.is_closed


@pytest.mark.asyncio
async def test_a_script_waits_while_questions_fill_the_queue(stage: Stage):
    config = SessionConfig(script=QUICK, director=DirectorConfig(queue_length=1))
    opening = stage.counter.opening

    async def crowded(*, seed: int) -> str:
        for number in range(2):  # one is being said, one waits
            session.say(f"Answer {number}.")
        with pytest.raises(QueueFullError):
            session.say("One too many.")
        return await opening(seed=seed)

    stage.counter.opening = crowded
    async with Session(stage.parts, config=config) as session:
        await _wait_said(stage, "Look at the Stone Mug.")
        assert session.state == "connected"
    assert stage.engine.said[:3] == ["Answer 0.", "Answer 1.", "Hello and welcome."]


@pytest.mark.asyncio
async def test_a_shop_that_cannot_be_asked_ends_neither_the_show_nor_a_chat(stage: Stage):
    failures = 0

    async def locked(*args, **kwargs):
        nonlocal failures
        failures += 1
        raise SessionError("the shop cannot be asked now: it is locked")

    config = SessionConfig(script=QUICK, stock_watch_s=0.02)
    async with Session(stage.parts, config=config) as session:
        session.pin("mug")
        stage.counter.product = stage.counter.answer = locked
        news = asyncio.create_task(until(session, "chat.question"))
        await asyncio.sleep(0)
        await session.chat.receive("Is the mug there?", viewer=ViewerId("v1"))
        assert (await news)[-1].data["state"] == "busy"
        async with asyncio.timeout(20):
            while failures < 3:  # noqa: ASYNC110  # the question, the stock, the script
                await asyncio.sleep(0.005)
        del stage.counter.product, stage.counter.answer
        await _wait_said(stage, "Look at the Desk Lamp.")
        assert session.state == "connected"


@pytest.mark.asyncio
async def test_parts_that_cannot_be_opened_leave_nothing_behind():
    closed = []

    @contextlib.asynccontextmanager
    async def parts():
        try:
            raise SessionError("no face in it")
            yield
        finally:
            closed.append(True)

    session = Session(parts)
    with pytest.raises(SessionError, match="no face"):
        async with session:
            raise AssertionError("must not open")
    assert closed == [True]
    assert session.state == "disconnected"


@pytest.mark.asyncio
async def test_events_end_when_the_session_closes(stage: Stage):
    async with stage.session() as session:
        events = session.events()
    async with asyncio.timeout(20):
        states = [e.data["state"] async for e in events if e.type == "session.state_changed"]
    assert states == ["disconnecting", "disconnected"]


@pytest.mark.asyncio
async def test_events_are_numbered_and_ready_for_the_wire(stage: Stage):
    async with stage.session() as session:
        news = asyncio.create_task(until(session, "avatar.speak_ended"))
        await asyncio.sleep(0)
        session.say("Hello there.")
        events = await news
    ids = [event.event_id for event in events]
    assert ids == sorted(set(ids))
    wire = events[-1].to_wire()
    assert wire["v"] == 1
    assert wire["type"] == "avatar.speak_ended"
    assert wire["ts"].endswith("+00:00")
    assert wire["data"]["interrupted"] is False


async def _wait_said(stage: Stage, text: str) -> None:
    async with asyncio.timeout(20):
        while text not in stage.engine.said:  # noqa: ASYNC110  # polled: another thread says it
            await asyncio.sleep(0.005)
