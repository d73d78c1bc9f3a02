"""Everything the engine raises on purpose.

AvatarEngineError
├── PhotoError           the photo cannot become a persona; ``.reason`` is machine-readable
├── PersonaFileError     a ``.persona`` file is damaged, foreign or too new
├── WeightsError         shipped weights are missing, altered or of an unknown licence
├── VoiceError           a voice is unknown, or its process cannot be started
├── AudioError           a sound file cannot be read
├── MarkError            a mark in a text is unknown or not written in full
├── VideoError           a driving video cannot be read, or shows no face
├── RenderError          a renderer is unknown or cannot run on this machine
└── ShapeError           an array has the wrong shape; a programming mistake

RenderWarning (a UserWarning) says that a renderer goes on in another way than it began.
"""

from typing import Literal

PhotoReason = Literal[
    "not_found",
    "not_a_picture",
    "truncated",
    "too_large",
    "no_face",
    "several_faces",
    "face_too_small",
    "turned_away",
    "eyes_closed",
    "blurred",
    "mouth_covered",
]


class AvatarEngineError(Exception):
    """Root of the engine's errors; its text is one line that names the thing and the next step."""


class PhotoError(AvatarEngineError):
    """The photo cannot become a persona.

    Attributes:
        reason: Why, for programs.
    """

    def __init__(self, reason: PhotoReason, message: str) -> None:
        super().__init__(message)
        self.reason: PhotoReason = reason


class PersonaFileError(AvatarEngineError):
    """A ``.persona`` file is damaged, not ours, or written by a newer version."""


class WeightsError(AvatarEngineError):
    """Shipped weights are missing, altered, or of a licence that forbids sale."""


class VoiceError(AvatarEngineError):
    """A voice is unknown, or its process cannot be started."""


class AudioError(AvatarEngineError):
    """A sound file or stream cannot be read."""


class VideoError(AvatarEngineError):
    """A driving video cannot be read, or shows no face."""


class MarkError(AvatarEngineError):
    """A mark in a text, such as ``<act name="nod"/>``, is unknown or not written in full."""


class RenderError(AvatarEngineError):
    """A renderer is unknown or cannot run on this machine."""


class ShapeError(AvatarEngineError):
    """An array has the wrong shape."""


class RenderWarning(UserWarning):
    """A renderer goes on in another way than it began; the pictures are right."""
