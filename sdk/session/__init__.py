"""The show: what is said when, heard by whom, and what happens while it is heard."""

from sdk.session.chat import Chat
from sdk.session.clock import Clock, MachineClock, VirtualClock
from sdk.session.director import Director, DirectorConfig
from sdk.session.driving import Driving, FaceDriver, VideoTrack
from sdk.session.events import EventHub, Subscription
from sdk.session.playout import Playout, PlayoutConfig, PlayoutFigures
from sdk.session.protocols import Answer, Counter, Engine, Speaker, Transmitter
from sdk.session.script import Script, ScriptConfig
from sdk.session.session import Parts, Session, SessionConfig
from sdk.session.speech import Speech

__all__ = [
    "Answer",
    "Chat",
    "Clock",
    "Counter",
    "Director",
    "DirectorConfig",
    "Driving",
    "Engine",
    "EventHub",
    "FaceDriver",
    "MachineClock",
    "Parts",
    "Playout",
    "PlayoutConfig",
    "PlayoutFigures",
    "Script",
    "ScriptConfig",
    "Session",
    "SessionConfig",
    "Speaker",
    "Speech",
    "Subscription",
    "Transmitter",
    "VideoTrack",
    "VirtualClock",
]
