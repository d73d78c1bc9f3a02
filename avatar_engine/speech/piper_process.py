"""Our end of the pipe to a Piper voice: asked, and looked at again and again without waiting."""

import contextlib
import importlib.util
import os
import select
import struct
import subprocess
import sys
import time
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import VoiceError

START_LIMIT_S = 60.0
"""A large voice is read from a slow disk."""

ANSWER_LIMIT_S = 30.0
"""Longest time for one sentence."""

_WORKER = Path(__file__).with_name("piper_worker.py")
_HEAD = struct.Struct("<Ifffi")


@dataclass(frozen=True, slots=True)
class Made:
    """One sentence: ``sound`` [S] in [-1, 1]; ``durations`` of each id, empty where unknown."""

    sound: NDArray[np.float32]
    durations: NDArray[np.float32]


class PiperProcess:
    """A running worker; close it. Not thread-safe.

    Raises:
        VoiceError: onnxruntime is not installed, or the voice file is not one.
    """

    def __init__(self, voice: Path, *, threads: int) -> None:
        if importlib.util.find_spec("onnxruntime") is None:
            raise VoiceError("Piper voices need the extra: pip install 'livepitch[piper]'")
        self._name = voice.name
        self._process = subprocess.Popen(
            # Isolated, by path: independent of the working directory and of variables.
            [sys.executable, "-I", str(_WORKER), str(voice.resolve()), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to_worker, self._from_worker = self._process.stdin, self._process.stdout
        self._finalizer = weakref.finalize(self, _end, self._process)
        self._buffer = bytearray()
        self._request = 0
        self._asked_s = 0.0
        try:
            self.has_durations = self._next_frame(time.monotonic() + START_LIMIT_S) == b"\x01"
        except VoiceError:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    def ask(self, ids: NDArray[np.int64], scales: tuple[float, float, float], speaker: int) -> int:
        """Begin one sentence; the number of the request.

        Raises:
            VoiceError: The process is gone.
        """
        self._request = (self._request + 1) & 0xFFFFFFFF
        payload = _HEAD.pack(self._request, *scales, speaker) + ids.astype("<i8").tobytes()
        view = memoryview(struct.pack("<I", len(payload)) + payload)
        self._asked_s = time.monotonic()
        try:
            while view:
                view = view[os.write(self._to_worker.fileno(), view) :]
        except (OSError, ValueError) as problem:
            raise VoiceError(f"{self._name}: its process is gone; open the voice anew") from problem
        return self._request

    def answer(self, request: int, *, waits: bool) -> Made | None:
        """The sentence, or None while it is not there yet.

        Raises:
            VoiceError: The network failed, took too long, or its process is gone.
        """
        limit = self._asked_s + ANSWER_LIMIT_S
        while True:
            frame = self._next_frame(limit) if waits else self._frame_now(limit)
            if frame is None:
                return None
            number, samples = struct.unpack_from("<II", frame, 1)
            if number != request:
                continue  # of a sentence that was interrupted
            sound = np.frombuffer(frame, "<f4", samples, 9)
            durations = np.frombuffer(frame, "<f4", offset=9 + 4 * samples)
            return Made(np.nan_to_num(sound), durations)

    def close(self) -> None:
        """End the worker and reap it; safe to call twice."""
        self._finalizer()

    def _frame_now(self, limit: float) -> bytes | None:
        while select.select([self._from_worker], [], [], 0)[0]:
            if not self._read():
                break
            if (frame := self._taken()) is not None:
                return self._checked(frame)
        if time.monotonic() > limit:
            raise VoiceError(f"{self._name}: no sound within {ANSWER_LIMIT_S:.0f} s")
        return None

    def _next_frame(self, limit: float) -> bytes:
        while (frame := self._taken()) is None:
            left = limit - time.monotonic()
            if left <= 0 or not select.select([self._from_worker], [], [], left)[0]:
                raise VoiceError(f"{self._name}: its process says nothing; try a smaller voice")
            self._read()
        return self._checked(frame)

    def _read(self) -> bool:
        try:
            piece = os.read(self._from_worker.fileno(), 1 << 18)
        except (OSError, ValueError) as problem:
            raise VoiceError(f"{self._name}: its process is gone; open the voice anew") from problem
        if not piece:
            raise VoiceError(f"{self._name}: its process is gone; open the voice anew")
        self._buffer += piece
        return True

    def _taken(self) -> bytes | None:
        if len(self._buffer) < 4:
            return None
        (length,) = struct.unpack_from("<I", self._buffer)
        if len(self._buffer) < 4 + length:
            return None
        frame = bytes(self._buffer[4 : 4 + length])
        del self._buffer[: 4 + length]
        return frame

    def _checked(self, frame: bytes) -> bytes:
        if frame[:1] == b"X":
            words = " ".join(frame[1:].decode(errors="replace").split())
            raise VoiceError(f"{self._name}: cannot be run as a Piper voice ({words[:160]})")
        return frame


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=0.3)
        return
    process.kill()
    process.wait(timeout=5)
