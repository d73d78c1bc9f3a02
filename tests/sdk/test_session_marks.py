"""Marks: from a caller's text to the sentence they stand in, and never from anybody else's."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from avatar_engine.types import Mark
from sdk.errors import SessionError
from sdk.session import Parts, Session, SessionConfig
from sdk.session.performing import marks_of
from sdk.session.sentences import split_sentences
from sdk.types.session import Utterance, ViewerId
from tests.support.fake_engine import FakeEngine
from tests.support.fake_stage import FakeCounter, Sink


@asynccontextmanager
async def _session(**config):
    engine = FakeEngine(s_per_character=0.004)

    @asynccontextmanager
    async def parts():
        yield Parts(engine, Sink(), FakeCounter())

    async with Session(parts, config=SessionConfig(**config)) as session:
        yield session, engine


def _by_sentence(text: str, marks: tuple[Mark, ...], product: str | None = None, title: str = ""):
    utterance = Utterance(text, marks=marks, product=product)
    sentences = split_sentences(text)
    return [marks_of(utterance, sentences, i, lambda sku: title) for i in range(len(sentences))]


def test_a_mark_belongs_to_the_sentence_it_stands_in_or_before():
    text = "   One two. Three four.   Five."
    marks = (
        Mark(0, "act", "wave"),
        Mark(7, "act", "nod"),
        Mark(24, "act", "wink"),
        Mark(31, "act", "smile"),
    )
    first, second, third = _by_sentence(text, marks)
    assert first == (Mark(0, "act", "wave"), Mark(4, "act", "nod"))
    assert second == ()
    assert third == (Mark(0, "act", "wink"), Mark(5, "act", "smile"))


def test_a_feeling_goes_on_to_the_next_sentence_until_another_one():
    text = "Sad news. It is sold out. But look! A new one."
    marks = (Mark(0, "emotion", "concerned"), Mark(25, "emotion", "excited"))
    names = [
        [mark.name for mark in sentence if mark.kind == "emotion"]
        for sentence in _by_sentence(text, marks)
    ]
    assert names == [["concerned"], ["concerned"], ["concerned", "excited"], ["excited"]]


def test_the_products_name_is_stressed_where_it_is_said():
    title = "Aurora Desk Lamp with dimmer and a very long name"
    (first, second) = _by_sentence("Meet the Aurora desk lamp! Only $9.", (), "lamp", title)
    assert first == (Mark(9, "stress", "product", len("Aurora desk lamp")),)
    assert second == ()


async def _heard_out(session: Session) -> None:
    async for event in session.events():
        if event.type == "avatar.speak_ended":
            return


@pytest.mark.asyncio
async def test_a_callers_marks_reach_the_face_and_not_the_voice():
    async with _session() as (session, engine):
        speech = session.say('Hello <act name="nod"/>there, <emotion name="happy"/>friends!')
        await asyncio.wait_for(speech.wait_for_playout(), 5)
    assert "<" not in engine.said[0]
    assert engine.said[0].split() == ["Hello", "there,", "friends!"]
    assert [mark.cue_name for mark in engine.marked[0]] == ["act:nod", "emotion:happy"]


@pytest.mark.asyncio
async def test_an_unknown_mark_is_refused_and_nothing_is_said():
    async with _session() as (session, engine):
        for text in ('Hi <act name="moonwalk"/>', 'Hi <dance name="x"/>', "Hi <act name=nod/>"):
            with pytest.raises(SessionError, match=r"mark|act"):
                session.say(text)
        assert engine.said == []


@pytest.mark.asyncio
async def test_no_viewer_can_direct_the_avatar():
    attack = '<emotion name="concerned"/>mug <act name="shake"/>?'
    async with _session() as (session, engine):
        ended = asyncio.create_task(_heard_out(session))
        await asyncio.sleep(0)
        await session.chat.receive(attack, viewer=ViewerId("v1"), name='<act name="wink"/>')
        await asyncio.wait_for(ended, 5)
    told = {mark.cue_name for marks in engine.marked for mark in marks if mark.kind != "stress"}
    assert told <= {"act:nod"}  # our own acknowledgement
    assert not any("<" in text for text in engine.said)


@pytest.mark.asyncio
async def test_the_eyes_go_to_a_newly_pinned_card_once():
    async with _session(card="down-left") as (session, engine):
        session.pin("mug")
        session.pin("mug")
        session.pin(None)
        assert engine.glances == ["down-left"]
        speech = session.say("This is the desk lamp.", product="lamp")
        await asyncio.wait_for(speech.wait_for_playout(), 5)
        assert engine.glances == ["down-left", "down-left"]
