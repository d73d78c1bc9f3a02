"""What the rooms of the engine hand to each other: frozen data, no behaviour worth a room.

Units, axes and ranges are settled in ``avatar_engine/CONVENTIONS.md``.
"""

from avatar_engine.types.arkit import ARKIT, ARKIT_INDEX, weights_of
from avatar_engine.types.frame import AvatarFrame, Cue
from avatar_engine.types.head import CHARTS, Camera, Chart, HeadFit, HeadRig
from avatar_engine.types.maps import Drawable, HeadMaps, Plates
from avatar_engine.types.motion import FaceState, Motion
from avatar_engine.types.portrait import LabelKind, Portrait
from avatar_engine.types.speech import (
    HEARD_RATE_HZ,
    HEARD_SOUNDS,
    Heard,
    Phoneme,
    SpeechChunk,
    Word,
)

__all__ = [
    "ARKIT",
    "ARKIT_INDEX",
    "CHARTS",
    "HEARD_RATE_HZ",
    "HEARD_SOUNDS",
    "AvatarFrame",
    "Camera",
    "Chart",
    "Cue",
    "Drawable",
    "FaceState",
    "HeadFit",
    "HeadMaps",
    "HeadRig",
    "Heard",
    "LabelKind",
    "Motion",
    "Phoneme",
    "Plates",
    "Portrait",
    "SpeechChunk",
    "Word",
    "weights_of",
]
