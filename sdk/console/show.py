"""``/api/console``: the show as the seller steers it."""

from typing import Any

from fastapi import APIRouter

from avatar_engine.types import ACTS, EMOTIONS
from sdk.console.desk import Desk, refusing
from sdk.console.wire import Perform, Switch
from sdk.session import Speech
from sdk.types.answers import problems
from sdk.types.desk_answers import Performed, ScriptState, ShowView, Welcome


def show_routes(desk: Desk) -> APIRouter:
    """The routes of the tab "Now"."""
    router = APIRouter(prefix="/api/console", tags=["console"])
    session, till = desk.session, desk.shop.till

    @router.get("", response_model=Welcome, responses=problems(503))
    async def welcome() -> dict[str, Any]:
        """What the console needs first: names, rights, and whether money is real."""
        with refusing():
            key = await desk.shop.ledger.public_key()
        return {
            "session": session.session_id,
            "presenter": session.parts.presenter,
            "consent": session.parts.consent,
            "ticket": desk.ticket(),
            "is_guarded": desk.is_guarded,
            "is_test": till.is_test,
            "till": till.gateway.provider if till.gateway is not None else None,
            "acts": ACTS,
            "emotions": EMOTIONS,
            "public_key": key,
        }

    @router.get("/show", response_model=ShowView, responses=problems(409))
    async def show() -> dict[str, Any]:
        """What is being said, what waits, who watches, what is pinned."""
        with refusing():
            director, driving = session.director, session.driving
            figures = session.playout.figures
        return {
            "state": session.state,
            "avatar_state": director.state,
            "caption": director.caption,
            "viewers": desk.viewers(),
            "pinned": session.shelf.pinned_product,
            "queue": [
                {
                    "speech_id": speech.speech_id,
                    "text": _rest(speech),
                    "priority": speech.utterance.priority.name.lower(),
                    "product": speech.utterance.product,
                }
                for speech in director.waiting
            ],
            "script": _script(desk) if session.has_script else "none",
            "driver": {
                "is_active": driving is not None,
                "is_following": driving is not None and driving.is_following,
                "frames": driving.frames if driving is not None else 0,
                "dropped": driving.dropped if driving is not None else 0,
            },
            "frames": figures.frames,
            "stalls": figures.rebases,
        }

    @router.post("/show/script", response_model=ScriptState, responses=problems(409, 422))
    async def script(body: Switch) -> dict[str, Any]:
        """Have the script wait after its sentence, or go on with the very next one."""
        with refusing():
            session.switch_script(is_on=body.is_on)
        return {"script": _script(desk)}

    @router.post("/show/perform", response_model=Performed, responses=problems(409, 422))
    async def perform(body: Perform) -> dict[str, Any]:
        """Have the face do something, without a word."""
        with refusing():
            if body.kind == "act":
                session.act(body.name)
            else:
                session.feel(body.name)
        return {"kind": body.kind, "name": body.name}

    return router


def _rest(speech: Speech) -> str:
    """What of it the voice does not have yet."""
    left = speech.sentences[speech.progress.cursor :]
    return " ".join(word for sentence in left for word in sentence.text.split())


def _script(desk: Desk) -> str:
    return "off" if desk.session.director.is_script_held else "on"
