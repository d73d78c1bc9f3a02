"""What one more viewer costs the sender: CPU cores per viewer, direct RTP and aiortc's tracks.

    python benchmarks/bench_fanout.py [--seconds 8] [--viewers 1 16 64]

The sender is this process; the viewers live in another one, do ICE, DTLS and RTCP for real and
throw media packets away at the socket, so that they leave the sender its core. Writes
benchmarks/results/fanout.json.
"""

import argparse
import asyncio
import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aioice.ice
import httpx
import numpy as np
import uvicorn
from fastapi import FastAPI

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from avatar_engine.types import AvatarFrame  # noqa: E402
from benchmarks.report import write_result  # noqa: E402
from sdk.media import Broadcaster, MediaConfig  # noqa: E402
from sdk.signalling import WhepConfig, whep_router  # noqa: E402
from tests.support.webrtc_viewer import WebRtcViewer  # noqa: E402

SIZE = 512
LOOP = 50  # distinct pictures


class NoisySource:
    """25 prepared pictures per second that need the whole bit rate; next to no CPU itself."""

    def __init__(self, caster: Broadcaster) -> None:
        rng = np.random.default_rng(0)
        ramp = np.linspace(60, 190, SIZE)
        self._videos = []
        for i in range(LOOP):
            luma = ramp + rng.normal(0, 9, (SIZE, SIZE))
            luma = np.roll(luma, 2 * i, axis=1)
            video = np.full(SIZE * SIZE * 3 // 2, 128, np.uint8)
            video[: SIZE * SIZE] = luma.clip(0, 255).astype(np.uint8).ravel()
            self._videos.append(video)
        self._audio = rng.normal(0, 2000, 1920).astype(np.int16)
        self._caster = caster
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "NoisySource":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        start, index = time.monotonic(), 0
        while not self._stop.wait(max(0.0, start + index / 25 - time.monotonic())):
            video = self._videos[index % LOOP]
            self._caster.publish(AvatarFrame(index, video, self._audio, 0, None))
            index += 1


@contextlib.asynccontextmanager
async def sending(*, is_direct: bool) -> AsyncIterator[tuple[str, Broadcaster]]:
    """A server on a free port of 127.0.0.1 with a running source."""
    caster = Broadcaster(SIZE, SIZE, 25, MediaConfig(is_direct=is_direct))
    app = FastAPI()
    # These viewers see no packets, so they report none and would be taken for gone.
    config = WhepConfig(host_addresses=("127.0.0.1",), max_viewers=1000, silence_timeout_s=600)
    app.include_router(whep_router({"main": caster}.get, config=config))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        serving = asyncio.ensure_future(server.serve([listener]))
        try:
            with NoisySource(caster):
                yield f"http://127.0.0.1:{listener.getsockname()[1]}", caster
        finally:
            server.should_exit = True
            await serving
            await caster.aclose()


async def measure(viewers: int, seconds: float, *, is_direct: bool) -> dict[str, Any]:
    """Sender's CPU with so many viewers."""
    async with sending(is_direct=is_direct) as (url, caster):
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, __file__, "--watch", url, str(viewers), str(seconds)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert child.stdout is not None
        assert (await child.stdout.readline()).strip() == b"connected"
        before, cpu, began = caster.stats(), time.process_time(), time.monotonic()
        told = json.loads(await child.stdout.readline())
        cpu, took = time.process_time() - cpu, time.monotonic() - began
        after = caster.stats()
        connected, drops = after.viewers, after.viewer_drops - before.viewer_drops
        assert connected == viewers, f"{connected} of {viewers} viewers are left"
        await child.wait()
    rate = (after.video_bytes - before.video_bytes + after.audio_bytes - before.audio_bytes) / took
    return {
        "viewers": viewers,
        "sender_core": round(cpu / took, 4),
        "kbit_per_s_encoded": round(rate * 8 / 1000),
        "packets_per_s_per_viewer": round(told["packets"] / told["seconds"] / viewers, 1),
        "fps": round((after.frames - before.frames) / took, 1),
        "dropped_packets": drops,
        "keyframes": after.keyframes - before.keyframes,
    }


async def watch(url: str, viewers: int, seconds: float) -> None:
    """The other process: connect, then count datagrams at the socket."""
    count = {"packets": 0}
    receive = aioice.ice.StunProtocol.datagram_received

    def count_media(self: Any, data: Any, addr: Any) -> None:
        if 127 < data[0] < 192 and not 192 <= data[1] <= 223:
            count["packets"] += 1
        else:
            receive(self, data, addr)

    aioice.ice.StunProtocol.datagram_received = count_media  # type: ignore[method-assign]
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        crowd = [WebRtcViewer(http, "/whep/main") for _ in range(viewers)]
        for group in range(0, viewers, 8):
            await asyncio.gather(*(viewer.connect() for viewer in crowd[group : group + 8]))
        # Connections have no event that could be awaited together.
        while any(v.connection.connectionState != "connected" for v in crowd):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        await asyncio.sleep(1.5)
        print("connected", flush=True)
        before, began = count["packets"], time.monotonic()
        await asyncio.sleep(seconds)
        packets, took = count["packets"] - before, time.monotonic() - began
        print(json.dumps({"packets": packets, "seconds": took}), flush=True)
        await asyncio.gather(*(viewer.aclose() for viewer in crowd))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--watch", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.watch:
        url, viewers, seconds = options.watch
        await watch(url, int(viewers), float(seconds))
        return
    result: dict[str, Any] = {}
    for name, is_direct in {"direct": True, "tracks": False}.items():
        rows = []
        for viewers in options.viewers:
            rows.append(await measure(viewers, options.seconds, is_direct=is_direct))
            print(name, rows[-1])
        # A crowd that lost packets did not cost what it should have.
        served = [row for row in rows if row["dropped_packets"] == 0]
        few, many = served[0], served[-1]
        more = (many["sender_core"] - few["sender_core"]) / (many["viewers"] - few["viewers"])
        result[name] = {
            "core_per_viewer": round(more, 5),
            "viewers_per_core": round(1 / more),
            "rows": rows,
        }
        print(name, "core per viewer", result[name]["core_per_viewer"])
    write_result(
        "fanout",
        result,
        method=(
            f"{SIZE} x {SIZE}, 25 fps, H.264 at 1 Mb/s and Opus at 48 kb/s over loopback; process"
            " CPU time of the sender (encoding and source included) over the window; the marginal"
            " figure is the slope between the smallest crowd and the largest that lost nothing."
        ),
    )


if __name__ == "__main__":
    asyncio.run(main())
