"""What the rooms of the engine hand to each other: frozen data, no behaviour worth a room.

Units, axes and ranges are settled in ``avatar_engine/CONVENTIONS.md``.
"""

from avatar_engine.types.arkit import ARKIT, ARKIT_INDEX, weights_of
from avatar_engine.types.compensation import Compensation, Compensator, Drivers, SeenHead
from avatar_engine.types.frame import AvatarFrame, Cue
from avatar_engine.types.head import CHARTS, Camera, Chart, HeadFit, HeadRig
from avatar_engine.types.maps import Drawable, HeadMaps, Plates
from avatar_engine.types.marks import ACTS, EMOTIONS, Act, Emotion, Mark, take_marks
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
    "ACTS",
    "ARKIT",
    "ARKIT_INDEX",
    "CHARTS",
    "EMOTIONS",
    "HEARD_RATE_HZ",
    "HEARD_SOUNDS",
    "Act",
    "AvatarFrame",
    "Camera",
    "Chart",
    "Compensation",
    "Compensator",
    "Cue",
    "Drawable",
    "Drivers",
    "Emotion",
    "FaceState",
    "HeadFit",
    "HeadMaps",
    "HeadRig",
    "Heard",
    "LabelKind",
    "Mark",
    "Motion",
    "Phoneme",
    "Plates",
    "Portrait",
    "SeenHead",
    "SpeechChunk",
    "Word",
    "take_marks",
    "weights_of",
]
