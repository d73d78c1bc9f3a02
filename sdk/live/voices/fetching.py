"""One request to a speech endpoint, in a thread of its own: sound arrives in a queue, in pieces."""

import contextlib
import http.client
import io
import json
import queue
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from avatar_engine.errors import VoiceError
from sdk.live.voices.address import VoiceAddress

PCM_RATE_HZ = 24_000
"""Of raw PCM whose answer names no rate: what the protocol's inventor sends."""

_PIECE = 4_800  # bytes: 0.1 s of PCM
_MOST_S = 180.0  # of sound for one line
_QUEUED = 600


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server may take.

    Attributes:
        connect_s: To accept a connection.
        first_s: From the request to the first sound.
        stall_s: Between two pieces of sound.
    """

    connect_s: float = 3.0
    first_s: float = 6.0
    stall_s: float = 2.5


class RemoteError(VoiceError):
    """A speech endpoint did not give what was asked for.

    Attributes:
        is_final: Asking again would not help: the key or the name is wrong.
        retry_after_s: What the server asked us to wait.
    """

    def __init__(self, message: str, *, is_final: bool = False, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.is_final = is_final
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples [S] in [-1, 1]; None ends the sound."""

    samples: NDArray[np.float32] | None
    rate_hz: int = PCM_RATE_HZ


class Fetch:
    """Asks at once; ``pieces`` fills while the answer streams in. Cancel it when nobody listens.

    Args:
        address: Where.
        text: What to say.
        key: Bearer token, or None.
        speed: 1 is the voice's own.
        patience: Limits.
    """

    def __init__(
        self,
        address: VoiceAddress,
        text: str,
        *,
        key: str | None,
        speed: float,
        patience: Patience,
    ) -> None:
        self.text = text
        self.pieces: queue.Queue[Piece | RemoteError] = queue.Queue(_QUEUED)
        self._address = address
        self._patience = patience
        self._is_cancelled = threading.Event()
        self._connection = self._connect()
        body = {
            "model": address.model,
            "input": text,
            "voice": address.voice,
            "response_format": "pcm",
            "speed": speed,
        }
        headers = {"Content-Type": "application/json", "Accept": "audio/*"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self._request = (json.dumps(body).encode(), headers)
        thread = threading.Thread(target=self._run, name="speech endpoint", daemon=True)
        thread.start()

    def cancel(self) -> None:
        """Nobody listens any more; the connection is closed."""
        self._is_cancelled.set()
        sock = self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(2)  # wakes the thread, which closes it

    def _connect(self) -> http.client.HTTPConnection:
        where = self._address
        if where.is_encrypted:
            return http.client.HTTPSConnection(
                where.host,
                where.port,
                timeout=self._patience.connect_s,
                context=ssl.create_default_context(),
            )
        return http.client.HTTPConnection(where.host, where.port, timeout=self._patience.connect_s)

    def _run(self) -> None:
        try:
            for piece in self._answer():
                self._put(piece)
            self._put(Piece(None))
        except RemoteError as error:
            self._put(error)
        except TimeoutError:
            self._put(RemoteError(f"{self._address.label}: no sound in time"))
        except (OSError, http.client.HTTPException, FFmpegError, ValueError) as error:
            words = " ".join(str(error).split())[:120] or type(error).__name__
            self._put(RemoteError(f"{self._address.label}: {words}"))
        finally:
            self._connection.close()

    def _put(self, what: Piece | RemoteError) -> None:
        while not self._is_cancelled.is_set():
            with contextlib.suppress(queue.Full):
                self.pieces.put(what, timeout=0.2)
                return

    def _answer(self) -> Iterator[Piece]:
        body, headers = self._request
        connection = self._connection
        connection.connect()
        assert connection.sock is not None
        connection.sock.settimeout(self._patience.first_s)
        connection.request("POST", self._address.path, body, headers)
        response = connection.getresponse()
        if response.status != 200:
            raise _refusal(self._address.label, response)
        stream = _Stream(response, connection, self._patience)
        kind = (response.getheader("Content-Type") or "").lower()
        first = stream.peek(12)
        if _is_container(first):
            yield from _decoded(stream)
        elif kind.startswith(("text/", "application/json")):
            raise RemoteError(f"{self._address.label}: answered with text instead of sound")
        else:
            yield from _raw(stream, _rate_of(kind))
        stream.check_whole(self._address.label)


class _Stream(io.RawIOBase):
    """A response as a file that FFmpeg can read, with a short fuse after its first byte."""

    def __init__(
        self,
        response: http.client.HTTPResponse,
        connection: http.client.HTTPConnection,
        patience: Patience,
    ) -> None:
        self._response = response
        self._sock = connection.sock
        self._patience = patience
        self._head = b""
        self._count = 0
        self._announced = response.length

    def peek(self, count: int) -> bytes:
        while len(self._head) < count and (piece := self._next(count - len(self._head))):
            self._head += piece
        if self._sock is not None:
            self._sock.settimeout(self._patience.stall_s)
        return self._head

    def read(self, size: int = -1) -> bytes:
        if self._head:
            size = len(self._head) if size < 0 else size
            head, self._head = self._head[:size], self._head[size:]
            return head
        return self._next(size if size > 0 else _PIECE)

    def readable(self) -> bool:
        return True

    def check_whole(self, label: str) -> None:
        if self._announced is not None and self._count < self._announced:
            raise RemoteError(f"{label}: the answer was cut off")

    def _next(self, size: int) -> bytes:
        piece = self._response.read1(size)
        self._count += len(piece)
        return piece


def _raw(stream: _Stream, rate_hz: int) -> Iterator[Piece]:
    """Little-endian int16 mono."""
    odd, total = b"", 0
    while data := stream.read(_PIECE):
        data = odd + data
        odd = data[len(data) - len(data) % 2 :]
        samples = np.frombuffer(data[: len(data) - len(odd)], "<i2")
        total += len(samples)
        if total > _MOST_S * rate_hz:
            raise RemoteError(f"more than {_MOST_S:.0f} s of sound for one line")
        if len(samples):
            yield Piece(samples.astype(np.float32) / 32768.0, rate_hz)


def _decoded(stream: _Stream) -> Iterator[Piece]:
    """WAV, MP3, Ogg, FLAC…: whatever FFmpeg reads, as it arrives."""
    total = 0.0
    with av.open(stream, mode="r", buffer_size=4096) as container:
        resampler = av.AudioResampler(format="flt", layout="mono")
        for frame in container.decode(audio=0):
            for converted in resampler.resample(frame):
                samples = converted.to_ndarray().reshape(-1).astype(np.float32, copy=False)
                total += len(samples) / converted.sample_rate
                if total > _MOST_S:
                    raise RemoteError(f"more than {_MOST_S:.0f} s of sound for one line")
                yield Piece(samples, converted.sample_rate)


def _is_container(head: bytes) -> bool:
    is_mp3 = head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2)
    return is_mp3 or head[:4] in (b"RIFF", b"OggS", b"fLaC", b"\x1aE\xdf\xa3")


def _rate_of(kind: str) -> int:
    """``audio/L16; rate=16000``."""
    for part in kind.split(";")[1:]:
        name, _, value = part.strip().partition("=")
        if name == "rate" and value.isdigit() and 8_000 <= int(value) <= 96_000:
            return int(value)
    return PCM_RATE_HZ


def _refusal(label: str, response: http.client.HTTPResponse) -> RemoteError:
    status = response.status
    asked = response.getheader("Retry-After") or ""
    retry_after_s = min(float(asked), 600.0) if asked.isdigit() else 0.0
    if status in (401, 403):
        why = "refuses the key; set LIVEPITCH_SPEECH_KEY"
    elif status == 404:
        why = "knows no such endpoint, model or voice"
    elif status == 429:
        why = "is asked too much"
    elif 300 <= status < 400:
        why = "wants us elsewhere; write that address"  # following would hand the key on
    else:
        why = "cannot speak now"
    is_final = status in (400, 401, 403, 404, 405, 422) or 300 <= status < 400
    return RemoteError(f"{label} {why} ({status})", is_final=is_final, retry_after_s=retry_after_s)
