"""What a voice is, and how one is opened by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from avatar_engine.errors import VoiceError
from avatar_engine.types.speech import SpeechChunk


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """One entry of :func:`list_voices`.

    Attributes:
        name: What :func:`open_voice` takes.
        language: BCP 47 tag as the voice's maker writes it.
        description: For people.
    """

    name: str
    language: str
    description: str


class Voice(Protocol):
    """Text in, sound with timed phonemes and words out, while it is being made.

    A voice speaks one utterance at a time: a new ``speak`` ends the one before. Not thread-safe.
    """

    @property
    def name(self) -> str:
        """What :func:`open_voice` was given."""
        ...

    @property
    def language(self) -> str:
        """BCP 47 tag of what it speaks."""
        ...

    def speak(self, text: str) -> Iterator[SpeechChunk]:
        """Chunks in order, 48 kHz mono; leaving the iterator early stops the voice.

        Text with nothing to say gives no chunk. Word spans refer to ``text`` as given, whatever is
        read out for it ("$5" sounds as two words and is one). A voice that waits for somebody
        else gives, instead of making its caller wait, empty chunks that are not the last.

        Raises:
            VoiceError: The voice cannot go on (after its own attempts to recover).
        """
        ...

    def close(self) -> None:
        """Give back what the voice holds; safe to call twice."""
        ...


def open_voice(
    name: str = "espeak:en-us", *, speed: float = 1.0, pitch: float = 1.0, waits: bool = True
) -> Voice:
    """Open a voice ``SCHEME:NAME``.

    ``espeak:en-us`` or ``espeak:de+f3`` (a variant) is the embedded one; ``piper:FILE.onnx``, with
    an optional ``#speaker``, a file of your own.

    Args:
        name: Scheme and name; :func:`list_voices` knows them all.
        speed: 0.5 to 2; 1 is a calm presenter.
        pitch: 0.5 to 1.9; 1 is the voice's own. Piper voices have only that.
        waits: False gives empty chunks instead of making the caller wait for a slow voice.

    Raises:
        VoiceError: No such voice (the message lists near ones), or it cannot run here.
        ValueError: Speed or pitch outside its range.
    """
    scheme, colon, rest = name.partition(":")
    if scheme.lower() == "piper" and rest:
        from avatar_engine.speech.piper import PiperVoice

        return PiperVoice(rest, speed=speed, waits=waits)
    if scheme.lower() != "espeak" or not colon:
        raise VoiceError(
            f"unknown voice {name!r}: write espeak:LANGUAGE[+VARIANT] or piper:FILE.onnx[#SPEAKER]"
        )
    from avatar_engine.speech.espeak import EspeakVoice

    return EspeakVoice(rest, speed=speed, pitch=pitch)


def list_voices() -> tuple[VoiceInfo, ...]:
    """Every voice this installation can open, ordered by language.

    Raises:
        VoiceError: espeak cannot run here.
    """
    from avatar_engine.speech.espeak import espeak_voices

    return tuple(
        VoiceInfo(f"espeak:{voice.language}", voice.language, voice.description)
        for voice in espeak_voices()
    )
