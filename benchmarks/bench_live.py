"""The whole live session as its users meet it: cost, memory, and how fast it reacts.

    python benchmarks/bench_live.py [--persona FILE] [--seconds 20] [--tries 20]

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
from pathlib import Path
from typing import Any

import httpx
import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from report import write_result  # noqa: E402

from avatar_engine.persona import load_persona, open_persona  # noqa: E402
from tests.support.webrtc_viewer import WebRtcViewer  # noqa: E402

LOUD = 500
"""Peak of a block (int16) that counts as sound: -36 dBFS."""

LINES = (
    "Hello everyone, good to see you here.",
    "Many people asked about this lamp today.",
    "Peter, that is a very good question.",
    "Before we go on, a short word about shipping.",
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
            moved = [
                p.arrived
                for p in viewer.pictures
                if p.arrived > asked and _openness(p.luma, mouth) < rest
            ]
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


def _mouth_rest(viewer: WebRtcViewer, box: tuple[int, int, int, int]) -> float:
    seen = [_openness(p.luma, box) for p in list(viewer.pictures)[-15:]]
    return min(seen) - max(4.0, 2 * statistics.pstdev(seen))


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
