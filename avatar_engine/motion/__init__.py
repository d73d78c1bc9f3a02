"""The muscles: speech to motion, idle, gaze, head pose."""

from avatar_engine.motion.coarticulation import LOOKAHEAD_S
from avatar_engine.motion.performance import perform
from avatar_engine.motion.performer import Performer
from avatar_engine.motion.utterance import CANCEL_S
from avatar_engine.motion.visemes import Viseme, visemes_of

__all__ = ["CANCEL_S", "LOOKAHEAD_S", "Performer", "Viseme", "perform", "visemes_of"]
