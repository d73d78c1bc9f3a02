"""The mirror: a video of a driving face becomes motion that any persona can make.

Nothing heavy is imported before the first name is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avatar_engine.tracking.driver import Driver
    from avatar_engine.tracking.likeness import Likeness
    from avatar_engine.tracking.observation import Observation
    from avatar_engine.tracking.retarget import Retarget
    from avatar_engine.tracking.tracker import FaceTracker
    from avatar_engine.tracking.video import DrivingVideo

__all__ = ["Driver", "DrivingVideo", "FaceTracker", "Likeness", "Observation", "Retarget"]

_HOMES = {
    "Driver": "driver",
    "DrivingVideo": "video",
    "FaceTracker": "tracker",
    "Likeness": "likeness",
    "Observation": "observation",
    "Retarget": "retarget",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
