"""A recording in the place of a voice: the same person's mouth, somebody's own sound."""

from collections.abc import Iterator
from pathlib import Path

from avatar_engine.speech.audio import read_audio, speech_of
from avatar_engine.types import SpeechChunk


class Recording:
    """A voice that plays one recording, whatever text it is given; implements ``Voice``.

    Args:
        path: A sound file, or a video with sound.

    Raises:
        AudioError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.name = f"recording:{path.name}"
        self.language = "und"  # whatever it is
        self._pcm = read_audio(path)
        self.duration_s = len(self._pcm) / 48_000

    def speak(self, text: str) -> Iterator[SpeechChunk]:
        """The recording with the mouth shapes heard in it; ``text`` is not spoken."""
        yield from speech_of(self._pcm)

    def close(self) -> None:
        """Nothing to give back."""
