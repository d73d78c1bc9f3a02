"""A speech endpoint on loopback: speaks the real protocol, and misbehaves when it is told to."""

import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from avatar_engine.speech import open_voice, resample

RATE = 24_000


@lru_cache
def spoken(text: str) -> NDArray[np.int16]:
    """What the server's voice says: the embedded one at 24 kHz."""
    voice = open_voice("espeak:en-us+f3")
    try:
        pcm = np.concatenate([chunk.pcm for chunk in voice.speak(text)])
    finally:
        voice.close()
    return resample(pcm, 48_000, RATE)


def encoded(pcm: NDArray[np.int16], kind: str) -> bytes:
    """As a WAV, MP3, Opus or FLAC file."""
    return _encoded(pcm.tobytes(), kind)


@lru_cache
def _encoded(samples: bytes, kind: str) -> bytes:
    pcm = np.frombuffer(samples, np.int16)
    formats = {"wav": ("wav", "pcm_s16le"), "mp3": ("mp3", "mp3"), "flac": ("flac", "flac")}
    formats |= {"opus": ("ogg", "libopus")}
    container_name, codec = formats[kind]
    rate = 48_000 if kind == "opus" else RATE
    content = io.BytesIO()
    with av.open(content, "w", format=container_name) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = "mono"
        resampler = av.AudioResampler(
            format=stream.format.name,
            layout="mono",
            rate=rate,
            frame_size=stream.frame_size or 1024,
        )
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return content.getvalue()


@dataclass
class SpeechServer:
    """How the server behaves, and what it was asked.

    Attributes:
        url: Base address.
        status: Of every answer.
        headers: Added to every answer.
        kind: ``pcm`` or a file format; ``json`` answers with words.
        first_s: Silence before the first byte.
        stall_after: Bytes after which it says nothing more, and keeps the line open.
        cut_after: Bytes after which it hangs up.
        is_chunked: Without a length, in chunks.
    """

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "pcm"
    first_s: float = 0.0
    stall_after: int | None = None
    cut_after: int | None = None
    is_chunked: bool = True
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    plan: SpeechServer

    def do_POST(self) -> None:
        plan = self.plan
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        plan.asked.append(body | {"path": self.path})
        plan.keys.append(self.headers.get("Authorization"))
        plan.is_over.wait(plan.first_s)
        if plan.status != 200:
            self._fail()
            return
        pcm = spoken(body["input"])
        content = pcm.astype("<i2").tobytes() if plan.kind == "pcm" else b'{"error": "no"}'
        if plan.kind not in ("pcm", "json"):
            content = encoded(pcm, plan.kind)
        self.send_response(200)
        kind = "application/json" if plan.kind == "json" else "application/octet-stream"
        self.send_header("Content-Type", kind)
        for name, value in plan.headers.items():
            self.send_header(name, value)
        if plan.is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self._send(content)

    def _send(self, content: bytes) -> None:
        plan = self.plan
        sent = 0
        ends = [end for end in (plan.stall_after, plan.cut_after) if end is not None]
        end = min([*ends, len(content)])
        try:
            while sent < end:
                piece = content[sent : min(sent + 4096, end)]
                head = f"{len(piece):x}\r\n".encode() if plan.is_chunked else b""
                self.wfile.write(head + piece + (b"\r\n" if plan.is_chunked else b""))
                sent += len(piece)
            if plan.stall_after is not None and end == plan.stall_after:
                plan.is_over.wait(30)
            elif plan.cut_after is None and plan.is_chunked:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            pass  # whoever asked hung up
        if ends:
            self.close_connection = True

    def _fail(self) -> None:
        content = b'{"error": {"message": "no"}}'
        self.send_response(self.plan.status)
        for name, value in self.plan.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *about: object) -> None:
        pass


@contextmanager
def speech_server(**plan: Any) -> Iterator[SpeechServer]:
    """A server with this plan, which may be changed while it runs."""
    made = SpeechServer(**plan)
    handler = type("Handler", (_Handler,), {"plan": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    made.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.is_over.set()
        server.shutdown()
        server.server_close()
        thread.join(timeout=2)


def drained(limit_s: float = 1.0) -> None:
    """Wait until the threads of cancelled requests are gone."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if not any(thread.name == "speech endpoint" for thread in threading.enumerate()):
            return
        time.sleep(0.01)
