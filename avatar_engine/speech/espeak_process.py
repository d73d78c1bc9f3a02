"""Our end of the pipe to the espeak worker: starting, waiting with a limit, restarting, closing."""

import contextlib
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import espeakng_loader

from avatar_engine.errors import VoiceError

REPLY_LIMIT_S = 5.0
"""Longest silence on the pipe before the worker counts as hung; a sentence takes milliseconds."""

_WORKER = Path(__file__).with_name("espeak_worker.py")
_SPEAK = struct.Struct("<IHHHBB")
_EVENT = struct.Struct("<cIIHB")


class WorkerLost(Exception):  # noqa: N818 - not an error for callers: the voice restarts the worker
    """The worker died or hung in the middle of an exchange."""


@dataclass(frozen=True, slots=True)
class SpeakRequest:
    """One sentence for the worker.

    Attributes:
        voice: espeak's name, with an optional ``+variant``.
        text: Spoken text, one sentence.
        words_per_minute: 80 to 450.
        pitch: 0 to 99, 50 is the voice's own.
        pitch_range: 0 (monotone) to 99.
        has_pause: Ends with the pause between two sentences.
    """

    voice: str
    text: str
    words_per_minute: int
    pitch: int
    pitch_range: int
    has_pause: bool


@dataclass(frozen=True, slots=True)
class Event:
    """A word (``is_word``) or a phoneme that begins at ``sample``; ``position`` counts from 0."""

    is_word: bool
    sample: int
    position: int
    length: int
    symbol: str


@dataclass(frozen=True, slots=True)
class Sound:
    """Little-endian int16 ``pcm`` at the worker's rate, and the events that begin in it."""

    pcm: bytes
    events: tuple[Event, ...]


class EspeakProcess:
    """A running worker. Not thread-safe; raises :class:`WorkerLost` when it is no longer usable."""

    def __init__(self, *, reply_limit_s: float = REPLY_LIMIT_S) -> None:
        self._reply_limit_s = reply_limit_s
        self._utterance = 0
        self._is_speaking = False
        self._buffer = bytearray()
        # By path and isolated (-I -S): independent of the working directory, of environment
        # variables and of start-up files, and twice as fast to start.
        command = [sys.executable, "-I", "-S", str(_WORKER)]
        try:
            paths = [espeakng_loader.get_library_path(), espeakng_loader.get_data_path()]
            self._process = subprocess.Popen(
                [*command, *paths],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
        except (OSError, RuntimeError) as problem:
            message = f"the espeak process cannot be started ({problem}); reinstall espeakng-loader"
            raise VoiceError(message) from problem
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to_worker, self._from_worker = self._process.stdin, self._process.stdout
        try:
            kind, payload = self._receive()
        except WorkerLost as problem:
            self.close()
            raise VoiceError("the espeak process ended while starting") from problem
        if kind != b"R":
            self.close()
            raise VoiceError(f"espeak cannot run here: {payload.decode(errors='replace')}")
        self.sample_rate_hz: int = struct.unpack_from("<I", payload)[0]

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    def speak(self, request: SpeakRequest) -> Iterator[Sound]:
        """Speak one sentence; stops whatever was being spoken.

        Raises:
            WorkerLost: The process died or hung.
            VoiceError: espeak refuses the voice or the text.
        """
        self.stop()
        self._utterance = (self._utterance + 1) & 0xFFFFFFFF
        name = request.voice.encode()
        head = _SPEAK.pack(
            self._utterance,
            request.words_per_minute,
            request.pitch,
            request.pitch_range,
            request.has_pause,
            len(name),
        )
        # NUL ends a C string, so the rest of the text would be lost.
        self._send(b"S", head + name + request.text.replace("\0", " ").encode())
        self._is_speaking = True
        utterance = self._utterance
        while self._is_speaking and utterance == self._utterance:
            kind, payload = self._receive()
            if kind == b"A":
                yield _sound(payload)
            elif kind == b"E":
                self._is_speaking = False
            else:
                self._is_speaking = False
                raise VoiceError(payload.decode(errors="replace"))

    def stop(self) -> None:
        """Stop the sentence in progress and drop what is still in the pipe."""
        if not self._is_speaking:
            return
        self._is_speaking = False
        self._send(b"C", b"")
        while self._receive()[0] == b"A":
            pass

    def voices(self) -> list[tuple[str, str, str]]:
        """Language, name and identifier of all voices; the identifier is what ``speak`` takes."""
        self.stop()
        self._send(b"L", b"")
        _, payload = self._receive()
        rows = (line.split("\t") for line in payload.decode().splitlines())
        return [(language, name, identifier) for language, name, identifier in rows]

    def close(self) -> None:
        """End the worker and reap it; safe to call twice."""
        for pipe in (self._to_worker, self._from_worker):
            with contextlib.suppress(OSError):
                pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=0.5)
            return
        self._process.kill()
        self._process.wait(timeout=5)

    def _send(self, kind: bytes, payload: bytes) -> None:
        view = memoryview(struct.pack("<I", len(payload) + 1) + kind + payload)
        deadline = time.monotonic() + self._reply_limit_s
        try:
            while view:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([], [self._to_worker], [], left)[1]:
                    raise WorkerLost("the espeak process does not read")
                # Within PIPE_BUF a write to a ready pipe never blocks.
                view = view[os.write(self._to_worker.fileno(), view[:4096]) :]
        except (OSError, ValueError) as problem:
            raise WorkerLost(f"the espeak process is gone: {problem}") from problem

    def _receive(self) -> tuple[bytes, bytes]:
        (length,) = struct.unpack("<I", self._read_exactly(4))
        frame = self._read_exactly(length)
        return frame[:1], frame[1:]

    def _read_exactly(self, count: int) -> bytes:
        deadline = time.monotonic() + self._reply_limit_s
        while len(self._buffer) < count:
            left = deadline - time.monotonic()
            try:
                if left <= 0 or not select.select([self._from_worker], [], [], left)[0]:
                    raise WorkerLost(f"the espeak process said nothing for {self._reply_limit_s} s")
                piece = os.read(self._from_worker.fileno(), 1 << 16)
            except (OSError, ValueError) as problem:
                raise WorkerLost(f"the espeak process is gone: {problem}") from problem
            if not piece:
                raise WorkerLost("the espeak process is gone")
            self._buffer += piece
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data


def _sound(payload: bytes) -> Sound:
    _, count = struct.unpack_from("<IH", payload)
    at = 6
    events = []
    for _ in range(count):
        kind, sample, position, length, size = _EVENT.unpack_from(payload, at)
        at += _EVENT.size
        symbol = payload[at : at + size].decode("utf-8", "ignore")
        at += size
        # espeak counts characters from 1.
        events.append(Event(kind == b"w", sample, max(position - 1, 0), length, symbol))
    return Sound(payload[at:], tuple(events))
