"""A voice of an OpenAI-compatible speech endpoint; lips are heard from its sound."""

import queue
import threading
import time
from collections.abc import Iterator

import numpy as np

from avatar_engine.speech import Dubbing, Voice, in_original, open_voice, plain, read_silently
from avatar_engine.speech.dubbing import Reading
from avatar_engine.types import SpeechChunk
from sdk.live.voices.address import VoiceAddress
from sdk.live.voices.fetching import Fetch, Patience, RemoteError

_SHORTEST_SHARE = 0.35  # of what the embedded voice takes: less is no whole answer
_RATE_HZ = 48_000


class RemoteVoice:
    """A :class:`~avatar_engine.speech.Voice` that asks a server for every line.

    Args:
        address: Of the voice.
        key: Bearer token, or None.
        speed: 1 is the voice's own.
        waits: False gives empty chunks while the server is silent, as a live show needs it.
        patience: Limits.

    Raises:
        VoiceError: The embedded voice does not know the language.
    """

    def __init__(
        self,
        address: VoiceAddress,
        *,
        key: str | None,
        speed: float = 1.0,
        waits: bool = True,
        patience: Patience = Patience(),  # frozen
    ) -> None:
        self.name = f"openai:{address.label}"
        self.language = address.language
        self._address = address
        self._key = key
        self._speed = speed
        self._waits = waits
        self._patience = patience
        self._reader: Voice = open_voice(f"espeak:{address.language}")
        self._pace = 1.0 / speed
        self._utterance = 0
        self._prepared: list[Fetch] = []
        self._lock = threading.Lock()

    def prepare(self, text: str) -> None:
        """Ask for a line that will be spoken soon; any thread."""
        spoken = plain(text)
        if len(spoken):
            with self._lock:
                self._prepared.append(self._ask(spoken.text))

    def speak(self, text: str) -> Iterator[SpeechChunk]:
        """See :meth:`avatar_engine.speech.Voice.speak`.

        Raises:
            RemoteError: The server refuses, is too slow, or its answer is not whole.
        """
        self._utterance += 1
        utterance = self._utterance
        spoken = plain(text)
        if len(spoken) == 0:
            return
        fetch = self._taken(spoken.text)
        try:
            heard = read_silently(self._reader, spoken.text)
            reading = Reading(in_original(heard.words, spoken), (), heard.length_s)
            dubbing: Dubbing | None = None
            for piece in self._pieces(fetch):
                if utterance != self._utterance:
                    return
                if piece is None:
                    at_s = dubbing.emitted_s if dubbing else 0.0
                    yield SpeechChunk(np.zeros(0, np.int16), _RATE_HZ, at_s)
                    continue
                samples, rate_hz = piece
                dubbing = dubbing or Dubbing(rate_hz, reading, pace=self._pace)
                yield from dubbing.add_sound(samples)
            received_s = dubbing.received_s if dubbing else 0.0
            if dubbing is None or received_s < _SHORTEST_SHARE * reading.length_s / self._speed:
                raise RemoteError(
                    f"{self._address.label}: only {received_s:.1f} s of sound for a line"
                )
            yield from dubbing.finish()
            self._pace = 0.5 * (self._pace + dubbing.pace())
        finally:
            fetch.cancel()

    def close(self) -> None:
        """Hang up."""
        self._utterance += 1
        with self._lock:
            for fetch in self._prepared:
                fetch.cancel()
            self._prepared.clear()
        self._reader.close()

    def _ask(self, text: str) -> Fetch:
        return Fetch(self._address, text, key=self._key, speed=self._speed, patience=self._patience)

    def _taken(self, text: str) -> Fetch:
        """The prepared request for a text, or a new one; requests before it are for nobody."""
        with self._lock:
            texts = [fetch.text for fetch in self._prepared]
            if text not in texts:
                passed, self._prepared = self._prepared, []
                found = None
            else:
                at = texts.index(text)
                passed, found = self._prepared[:at], self._prepared[at]
                self._prepared = self._prepared[at + 1 :]
        for fetch in passed:
            fetch.cancel()
        return found or self._ask(text)

    def _pieces(self, fetch: Fetch) -> Iterator[tuple[np.ndarray, int] | None]:
        """Sound as it arrives; None while there is none (unless the voice waits)."""
        limit = time.monotonic() + self._patience.connect_s + self._patience.first_s
        while True:
            try:
                piece = fetch.pieces.get(timeout=0.1) if self._waits else fetch.pieces.get_nowait()
            except queue.Empty:
                if time.monotonic() > limit:
                    raise RemoteError(f"{self._address.label}: no sound in time") from None
                if not self._waits:
                    yield None
                continue
            if isinstance(piece, RemoteError):
                raise piece
            if piece.samples is None:
                return
            limit = time.monotonic() + self._patience.stall_s
            yield piece.samples, piece.rate_hz
