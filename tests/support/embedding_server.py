"""An embeddings endpoint on loopback: speaks the real protocol, and misbehaves when told to.

Its model is a short list of what words have to do with each other, so that what is near is known.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MEANINGS = (
    {"cold", "winter", "warm", "wool", "coat", "scarf", "mitten", "freezing"},
    {"light", "lamp", "bright", "dark", "read"},
    {"drink", "tea", "coffee", "mug", "thirsty", "cup"},
    {"music", "headphones", "listen", "sound"},
)


def vector(text: str, dimensions: int = len(MEANINGS) + 1) -> list[float]:
    """How much of each meaning a text has; a little of nothing in particular."""
    words = re.findall(r"[a-z]+", text.lower())
    counts = [sum(word.rstrip("s") in {m.rstrip("s") for m in group} for word in words)
              for group in MEANINGS]  # fmt: skip
    return [*map(float, counts), 0.1][:dimensions]


@dataclass
class EmbeddingServer:
    """A running endpoint.

    Attributes:
        asked: Every text it was sent, call by call.
        broken: What it answers instead of vectors: ``""`` for nothing wrong.
        keys: The Authorization headers it saw.
    """

    url: str = ""
    asked: list[list[str]] = field(default_factory=list)
    broken: str = ""
    keys: list[str] = field(default_factory=list)

    def answer(self, body: dict[str, object]) -> tuple[int, bytes]:
        """Status and content for a request."""
        texts = body["input"]
        assert isinstance(texts, list)
        assert body["model"] == "toy"
        self.asked.append(texts)
        entries = [
            {
                "object": "embedding",
                "index": place,
                "embedding": [7 * part for part in vector(text)],
            }
            for place, text in enumerate(texts)
        ]
        entries.reverse()  # the index says which is which, not the order
        match self.broken:
            case "status":
                return 500, b"{}"
            case "text":
                return 200, b"<html>"
            case "few":
                entries = entries[1:]
            case "zero":
                entries[0]["embedding"] = [0.0] * 5
            case "ragged":
                entries[0]["embedding"] = [1.0]
        return 200, json.dumps({"object": "list", "model": "toy", "data": entries}).encode()


@contextmanager
def embedding_server() -> Iterator[EmbeddingServer]:
    """Serve while the block runs."""
    state = EmbeddingServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert self.path == "/v1/embeddings"
            state.keys.append(self.headers.get("authorization", ""))
            status, content = state.answer(body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()
