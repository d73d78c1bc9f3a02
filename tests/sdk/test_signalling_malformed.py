"""Whatever somebody POSTs: an answer or a clear refusal, never a traceback."""

import asyncio

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdk.errors import SignallingError
from sdk.signalling.fragment import read_fragment
from sdk.signalling.offer import read_offer
from tests.support.webrtc_viewer import WebRtcViewer
from tests.support.whep_house import whep_house


@pytest.fixture(scope="module")
def offer():
    async def make():
        async with httpx.AsyncClient() as http:
            viewer = WebRtcViewer(http, "/whep/main")
            text = await viewer.offer()
            await viewer.aclose()
            return text

    return asyncio.run(make())


@st.composite
def damage(draw):
    """A list of edits: (line, what to do, with what)."""
    return draw(
        st.lists(
            st.tuples(
                st.integers(0, 200),
                st.sampled_from(["drop", "double", "cut", "replace", "swap", "insert"]),
                st.text(max_size=12)
                | st.sampled_from(["a=rtpmap:", "m=video", "-1", "a=mid:", ":"]),
            ),
            min_size=1,
            max_size=4,
        )
    )


def damaged(text, edits):
    lines = text.split("\r\n")
    for at, what, text_in in edits:
        i = at % len(lines)
        if what == "drop":
            lines[i : i + 1] = []
        elif what == "double":
            lines[i:i] = [lines[i]]
        elif what == "cut":
            lines[i] = lines[i][: at % 17]
        elif what == "replace":
            lines[i] = lines[i][:2] + text_in
        elif what == "swap":
            lines[i], lines[-1 - i] = lines[-1 - i], lines[i]
        else:
            lines[i] = lines[i][: at % 9] + text_in + lines[i][at % 9 :]
        lines = lines or [""]
    return "\r\n".join(lines)


def status_of(read):
    try:
        read()
    except SignallingError as error:
        return error.status
    return 201


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(edits=damage())
def test_reading_an_offer_never_trips(offer, edits):
    assert status_of(lambda: read_offer(damaged(offer, edits))) in (201, 400, 406, 422)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(edits=damage())
def test_the_endpoint_never_trips(offer, edits):
    async def story():
        async with whep_house(max_viewers=1) as house:
            response = await house.http.post(
                "/whep/main",
                content=damaged(offer, edits).encode("utf-8", "replace"),
                headers={"Content-Type": "application/sdp"},
            )
            assert response.status_code in (201, 400, 406, 422), response.text
            if response.status_code == 201:
                await house.http.delete(response.headers["Location"])
            assert house.caster.stats().viewers == 0

    asyncio.run(story())


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=200) | st.text("a=candidate:1 udp.\r\nmid", max_size=120))
def test_reading_a_fragment_never_trips(text):
    assert status_of(lambda: read_fragment(text)) in (201, 400)
