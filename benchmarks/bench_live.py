"""The whole live session as its users meet it: cost, memory, and how fast it reacts.

    python benchmarks/bench_live.py [--persona FILE] [--seconds 20] [--tries 20]

Lips: how far the mouth's opening lags behind the loudness of the sound, at the viewer (placed by
the sender reports) against the same line rendered offline.

Starts the real server (`python -m sdk.live`) twice, watches it as one WHEP viewer over loopback,
and measures CPU cores and memory of the server with its voice process, text to first sound and
first mouth movement, and interruption to silence. Times are taken at the viewer, after its
decoder: they contain the receiver's own jitter buffer. Writes benchmarks/results/live.json.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from report import write_result  # noqa: E402

from avatar_engine.engine import open_engine  # noqa: E402
from avatar_engine.engine.offline import speech_frames  # noqa: E402
from avatar_engine.persona import load_persona, open_persona  # noqa: E402
from tests.support.webrtc_viewer import WebRtcViewer  # noqa: E402

LOUD = 500
"""Peak of a block (int16) that counts as sound: -36 dBFS."""

LINES = (
    "Hello everyone, good to see you here.",
    "All of you asked about this lamp today.",
    "Yes, that is a very good question.",
    "After this, a short word about shipping.",
)
"""They begin with an open mouth: lips closed for an m have moved, but nobody can see it."""

LIP_LINE = (
    "Papa bought a bad map, and mama made a bomb of butter. Baba wants a papaya and a banana."
)


class Server:
    """`python -m sdk.live` on a free port, ended by its process id."""

    def __init__(self, persona: Path, *options: str) -> None:
        command = [sys.executable, "-m", "sdk.live", "--persona", str(persona), "--port", "0"]
        command += ["--no-browser", "--json", "--database", "memory", *options]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.url = json.loads(line)["url"].rstrip("/") if line else ""
        if not self.url:
            raise RuntimeError("the server did not start")

    def cpu_s(self) -> float:
        """CPU seconds of the server and its children so far."""
        ticks = os.sysconf("SC_CLK_TCK")
        total = 0.0
        for pid in self._family():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / ticks
        return total

    def memory_mb(self) -> float:
        """Resident memory, what is shared counted once per sharer's share (PSS)."""
        total = 0
        for pid in self._family():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total / 1024

    def _family(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        found = {self.process.pid, *map(int, children.split())}
        for task in tasks:
            found.update(map(int, (task / "children").read_text().split()))
        return sorted(found)

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


async def reactions(server: Server, mouth: tuple[int, int, int, int], tries: int) -> dict[str, Any]:
    """Text to sound, text to mouth movement, interruption to silence, in ms."""
    sound_ms, mouth_ms, silence_ms = [], [], []
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=10) as http,
        WebRtcViewer(http, "/whep/main") as viewer,
    ):
        await viewer.wait_for(pictures=50, sounds=100)
        for index in range(tries):
            rest = _mouth_rest(viewer, mouth)
            asked = time.monotonic()
            await _post(http, "say", {"text": LINES[index % len(LINES)]})
            await viewer.wait_for(pictures=25)
            heard = [s.arrived for s in viewer.sounds if s.arrived > asked and _is_loud(s.samples)]
            moved = [at for at, change in _changes(viewer, mouth) if at > asked and change > rest]
            sound_ms.append((heard[0] - asked) * 1e3)
            mouth_ms.append((moved[0] - asked) * 1e3 if moved else float("nan"))
            await viewer.wait_for(pictures=5 + index % 7)
            cut = time.monotonic()
            await _post(http, "interrupt", {})
            await viewer.wait_for(pictures=20)
            late = [s.arrived for s in viewer.sounds if s.arrived > cut and _is_loud(s.samples)]
            silence_ms.append((late[-1] - cut) * 1e3 if late else 0.0)
            await viewer.wait_for(pictures=15)
    return {
        "text_to_sound_ms": _spread(sound_ms),
        "text_to_mouth_ms": _spread(mouth_ms),
        "interruption_to_silence_ms": _spread(silence_ms),
        "tries": tries,
    }


async def lips(server: Server, mouth: tuple[int, int, int, int]) -> float:
    """Milliseconds by which the mouth lags behind the sound at the viewer."""
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=10) as http,
        WebRtcViewer(http, "/whep/main") as viewer,
    ):
        await viewer.wait_for(pictures=75, sounds=150)
        asked = time.monotonic()
        await _post(http, "say", {"text": LIP_LINE})
        await viewer.wait_for(pictures=225)
        pictures = [p for p in viewer.pictures if p.arrived > asked]
        sounds = [s for s in viewer.sounds if s.arrived > asked]
        seen = [(viewer.moment_s("video", p.pts), _openness(p.luma, mouth)) for p in pictures]
        heard = [(viewer.moment_s("audio", s.pts), s.samples) for s in sounds]
    return _lag_ms(seen, heard)


def offline_lips(persona: Path, mouth: tuple[int, int, int, int]) -> float:
    """The same, of the line rendered offline."""
    engine = open_engine(load_persona(persona))
    try:
        frames = list(speech_frames(engine, LIP_LINE))
    finally:
        engine.close()
    luma = [frame.video[: 512 * 512].reshape(512, 512) for frame in frames]
    seen = [(frame.index / 25, _openness(y, mouth)) for frame, y in zip(frames, luma, strict=True)]
    heard = [
        (frame.index / 25 + half * 0.02, frame.audio[half * 960 : (half + 1) * 960])
        for frame in frames
        for half in (0, 1)
    ]
    return _lag_ms(seen, heard)


def _lag_ms(seen: list[tuple[float, float]], heard: list[tuple[float, np.ndarray]]) -> float:
    """Where the correlation of mouth opening and loudness peaks, between samples by a parabola."""
    start = max(seen[0][0], heard[0][0])
    end = min(seen[-1][0], heard[-1][0])
    grid = np.arange(start, end, 0.005)
    opening = -np.interp(grid, *np.array(seen).T)
    loudness = [(when + 0.01, float(np.sqrt(np.mean(s.astype(float) ** 2)))) for when, s in heard]
    envelope = np.interp(grid, *np.array(loudness).T)
    envelope = np.convolve(np.log1p(envelope / 300), np.hanning(25) / 12, "same")
    opening, envelope = opening - opening.mean(), envelope - envelope.mean()
    lags = np.arange(-50, 51)
    score = [
        float(np.dot(opening[50 + lag : len(opening) - 50 + lag], envelope[50:-50])) for lag in lags
    ]
    best = int(np.clip(np.argmax(score), 1, len(score) - 2))
    left, top, right = score[best - 1 : best + 2]
    bend = left - 2 * top + right
    shift = 0.5 * (left - right) / bend if bend else 0.0
    return float((lags[best] + shift) * 5.0)


async def cost(server: Server, seconds: float) -> dict[str, Any]:
    """Cores and memory of the show with one viewer."""
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=10) as http,
        WebRtcViewer(http, "/whep/main", keep=50) as viewer,
    ):
        await viewer.wait_for(pictures=50, sounds=100)
        cpu, began = server.cpu_s(), time.monotonic()
        pictures = 0
        while time.monotonic() - began < seconds:
            await viewer.wait_for(pictures=25)
            pictures += 25
        elapsed = time.monotonic() - began
        used = server.cpu_s() - cpu
    return {
        "cores": round(used / elapsed, 3),
        "cpu_ms_per_frame": round(used / pictures * 1e3, 2),
        "frames_per_s_at_viewer": round(pictures / elapsed, 2),
        "memory_mb": round(server.memory_mb()),
        "seconds": round(elapsed, 1),
    }


def mouth_box(persona: Path, size: int = 512) -> tuple[int, int, int, int]:
    """x0, x1, y0, y1 of the mouth in the picture at rest."""
    made = load_persona(persona)
    maps = made.maps
    lips = maps.positions[np.concatenate([maps.lip_upper, maps.lip_lower])]
    world = lips @ maps.placement[:, :3].T + maps.placement[:, 3]
    xy = made.camera.framed(size, size).project(world)[:, :2]
    (x0, y0), (x1, y1) = xy.min(0), xy.max(0)
    height = 0.35 * (x1 - x0)
    return int(x0), int(x1), int(y0 - 0.3 * height), int(y1 + height)


def _openness(luma: np.ndarray, box: tuple[int, int, int, int]) -> float:
    # An open mouth shows its dark inside.
    x0, x1, y0, y1 = box
    return float(np.percentile(luma[y0:y1, x0:x1], 4))


def _changes(viewer: WebRtcViewer, box: tuple[int, int, int, int]) -> list[tuple[float, float]]:
    """When each picture arrived, and how much the mouth changed in it (luma levels)."""
    x0, x1, y0, y1 = box
    mouths = [(p.arrived, p.luma[y0:y1, x0:x1].astype(np.int16)) for p in list(viewer.pictures)]
    return [(at, float(np.abs(b - a).mean())) for (_, a), (at, b) in pairwise(mouths)]


def _mouth_rest(viewer: WebRtcViewer, box: tuple[int, int, int, int]) -> float:
    """More change than this is no swaying of an idle head."""
    seen = [change for _, change in _changes(viewer, box)[-25:]]
    return max(seen) + max(0.5, 2 * statistics.pstdev(seen))


def _is_loud(samples: np.ndarray) -> bool:
    return int(np.abs(samples.astype(np.int32)).max()) > LOUD


async def _post(http: httpx.AsyncClient, verb: str, body: dict[str, Any]) -> None:
    response = await http.post(f"/api/sessions/main/{verb}", json=body)
    response.raise_for_status()


def _spread(values: list[float]) -> dict[str, float]:
    good = [v for v in values if np.isfinite(v)]
    return {
        "p50": round(float(np.percentile(good, 50)), 1),
        "p95": round(float(np.percentile(good, 95)), 1),
        "worst": round(max(good), 1),
        "seen": len(good),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--persona", type=Path, default=ROOT / "examples" / "face.png")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--tries", type=int, default=20)
    options = parser.parse_args()
    persona = options.persona
    if persona.suffix != ".persona":
        made = open_persona(persona)
        persona = Path(os.environ.get("TMPDIR", "/tmp")) / "bench_live.persona"
        made.save(persona)
    figures: dict[str, Any] = {}
    server = Server(persona, "--no-script")
    try:
        figures["reactions"] = asyncio.run(reactions(server, mouth_box(persona), options.tries))
        offline = offline_lips(persona, mouth_box(persona))
        live = [asyncio.run(lips(server, mouth_box(persona))) for _ in range(3)]
        figures["lips_lag_ms"] = {
            "offline": round(offline, 1),
            "live": [round(v, 1) for v in live],
            "worst_difference": round(max(abs(v - offline) for v in live), 1),
        }
    finally:
        server.close()
    server = Server(persona, "--catalogue", str(ROOT / "examples" / "catalogue.csv"))
    try:
        figures["cost_with_one_viewer"] = asyncio.run(cost(server, options.seconds))
    finally:
        server.close()
    print(json.dumps(figures, indent=1))
    write_result(
        "live",
        figures,
        method="the real server as a process; one aiortc viewer over loopback on the same two "
        "cores; arrival after the viewer's jitter buffer and decoder; CPU from /proc of the server "
        "and its voice process; memory is PSS",
    )


if __name__ == "__main__":
    main()
