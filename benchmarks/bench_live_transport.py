"""From the session's frame to the viewer's eye and ear: delay, lip sync, time to first picture.

    python benchmarks/bench_live_transport.py [--seconds 40] [--joins 5] [--no-browser]

Frames with a burned number, and a 1 kHz burst in every tenth one, go through the real broadcaster
and WHEP endpoint over loopback to a viewer in Python and, where it is installed, to headless
Chromium. Writes benchmarks/results/live_transport.json.
"""

import argparse
import asyncio
import contextlib
import shutil
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import uvicorn
from fastapi import FastAPI
from fastapi.responses import FileResponse

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.report import write_result  # noqa: E402
from sdk.media import Broadcaster, MediaConfig  # noqa: E402
from sdk.signalling import WhepConfig, whep_router  # noqa: E402
from tests.support.media_source import MARKER_EVERY, PacedSource, read_index  # noqa: E402
from tests.support.webrtc_viewer import WebRtcViewer  # noqa: E402

SIZE = 512
SETTLING_S = 12  # Chromium shrinks the sound's first buffer and moves the picture in small steps
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


@contextlib.asynccontextmanager
async def live(media: MediaConfig) -> AsyncIterator[tuple[str, Broadcaster, PacedSource]]:
    """A server on a free port of 127.0.0.1 with a running source."""
    caster = Broadcaster(SIZE, SIZE, 25, media)
    app = FastAPI()
    app.include_router(
        whep_router({"main": caster}.get, config=WhepConfig(host_addresses=("127.0.0.1",)))
    )
    page = Path(__file__).with_name("live_transport.html")
    app.get("/")(lambda: FileResponse(page))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        serving = asyncio.ensure_future(server.serve([listener]))
        try:
            source = PacedSource(
                caster.publish, SIZE, SIZE, is_loud=lambda i: i % MARKER_EVERY == 0
            )
            with source:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}", caster, source
        finally:
            server.should_exit = True
            await serving
            await caster.aclose()


async def watch_in_python(media: MediaConfig, seconds: float, joins: int) -> dict[str, Any]:
    """Delay, transport lip sync and join time at aiortc's viewer."""
    async with live(media) as (url, _, source), httpx.AsyncClient(base_url=url) as http:
        first_ms = []
        for _ in range(joins):
            viewer = WebRtcViewer(http, "/whep/main")
            begun = time.monotonic()
            await viewer.connect()
            await viewer.wait_for(pictures=1)
            first_ms.append(1000 * (time.monotonic() - begun))
            await viewer.leave()
        async with WebRtcViewer(http, "/whep/main", keep=100_000) as viewer:
            await viewer.wait_for(pictures=1)
            cpu = time.process_time()
            await asyncio.sleep(seconds)
            cpu = (time.process_time() - cpu) / seconds
        numbers = [read_index(p.luma) for p in viewer.pictures]
        delays = [
            1000 * (p.arrived - source.sent[n])
            for p, n in zip(viewer.pictures, numbers, strict=True)
            if n in source.sent
        ]
        return {
            "join_to_first_picture_ms": summary(first_ms),
            "frame_to_decoded_ms": summary(delays[5:]),
            "sound_minus_picture_ms": summary(transport_offsets(viewer, numbers)),
            "pictures": len(numbers),
            "missing_pictures": numbers[-1] - numbers[0] + 1 - len(numbers),
            "cpu_core_sender_and_viewer": round(cpu, 3),
        }


def transport_offsets(viewer: WebRtcViewer, numbers: Sequence[int]) -> list[float]:
    """Marker against picture in milliseconds, by the pts and the sender reports."""
    heard = np.concatenate([s.samples for s in viewer.sounds]).astype(float)
    level = np.convolve(np.abs(heard), np.ones(48) / 48, "same") > 2000
    onsets = np.flatnonzero(level[1:] & ~level[:-1])
    first = viewer.sounds[0].pts
    shown = dict(zip(numbers, viewer.pictures, strict=True))
    marked = [
        viewer.moment_s("video", picture.pts)
        for number, picture in shown.items()
        if number % MARKER_EVERY == 0
    ]
    moments = [viewer.moment_s("audio", first + int(onset)) for onset in onsets]
    nearest = [1000 * min((t - m for m in marked), key=abs) for t in moments]
    return [offset for offset in nearest if abs(offset) < 20 * MARKER_EVERY]


async def watch_in_chromium(media: MediaConfig, seconds: float, joins: int) -> dict[str, Any]:
    """Delay, lip sync as played and join time in headless Chromium."""
    from playwright.async_api import async_playwright  # a browser only where there is one

    first_ms: list[float] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=FLAGS, headless=True
        )
        try:
            for attempt in range(joins + 1):
                async with live(media) as (url, _, source):
                    page = await browser.new_page()
                    await page.goto(url)
                    await page.evaluate("join()")
                    await asyncio.sleep(seconds if attempt == joins else 2.0)
                    told = await page.evaluate("report()")
                    await page.close()
                    sent = dict(source.sent)
                first_ms.append(told["pictures"][0][2] - told["clicked"])
        finally:
            await browser.close()
    wall = 1000 * (time.time() - time.monotonic())
    start = told["pictures"][0][1]
    pictures = [p for p in told["pictures"] if p[1] > start + 1000 * SETTLING_S]
    offsets = played_offsets(told)
    settled = [o for t, o in offsets if t > start + 1000 * SETTLING_S]
    latency = told["output_latency_ms"]
    delays = [shown - 1000 * sent[n] - wall for n, shown, _ in pictures if n in sent]
    video, audio = told["found"]["video"], told["found"]["audio"]
    return {
        "join_to_first_picture_ms": summary(first_ms),
        "frame_to_shown_ms": summary(delays),
        "sound_minus_picture_ms": summary([o - latency for o in settled]),
        "sound_minus_picture_ms_with_output_latency": summary(settled),
        "sound_minus_picture_ms_first_3_s": summary(
            [o - latency for t, o in offsets if t < start + 3000]
        ),
        "sound_minus_picture_ms_as_chromium_estimates": round(
            video["playout"] - audio["playout"], 1
        ),
        "decoded": video["decoded"],
        "dropped": video["dropped"],
        "freezes": video["freezes"],
        "packets_lost": video["lost"] + audio["lost"],
        "buffer_ms": {"video": round(video["buffer_ms"], 1), "audio": round(audio["buffer_ms"], 1)},
        "audio_output_latency_ms": round(latency, 1),
    }


def played_offsets(told: dict[str, Any]) -> list[tuple[float, float]]:
    """(When, marker as it leaves the audio graph against its picture's presentation), in ms."""
    marked = [shown for n, shown, _ in told["pictures"] if n % MARKER_EVERY == 0]
    offsets, was_loud = [], True
    for moment, first, level in told["blocks"]:
        if first >= 0 and not was_loud and marked:
            onset = told["epoch"] + 1000 * (moment + first / 48_000)
            nearest = min((onset - shown for shown in marked), key=abs)
            if abs(nearest) < 20 * MARKER_EVERY:
                offsets.append((onset, nearest))
        was_loud = level > 0.02 or first >= 0
    return offsets


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median and tails; p95_abs is the one that a lip-sync target means."""
    if not values:
        return {"n": 0}
    return {
        "n": len(values),
        "p50": round(statistics.median(values), 1),
        "p05": round(float(np.percentile(values, 5)), 1),
        "p95": round(float(np.percentile(values, 95)), 1),
        "p95_abs": round(float(np.percentile(np.abs(values), 95)), 1),
    }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--joins", type=int, default=5)
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args()
    result: dict[str, Any] = {}
    for name, media in {"direct": MediaConfig(), "tracks": MediaConfig(is_direct=False)}.items():
        result[f"python_{name}"] = await watch_in_python(media, options.seconds, options.joins)
        print(f"python_{name}", result[f"python_{name}"])
    if not options.no_browser and shutil.which("chromium"):
        result["chromium"] = await watch_in_chromium(MediaConfig(), options.seconds, options.joins)
        print("chromium", result["chromium"])
    write_result(
        "live_transport",
        result,
        method=(
            f"{SIZE} x {SIZE}, 25 fps, H.264 and Opus, loopback, sender and viewer on the same"
            " machine (the Python viewer in the same process). Numbers burned into the pictures"
            " against a 1 kHz burst every 400 ms. Python: lip sync by pts and sender reports."
            " Chromium: presentation time of the picture (the compositor's, before the screen)"
            " against the burst in the audio graph (before the sound device, whose latency is"
            " given too), from the 12th second on. aiortc's viewer holds every picture for one"
            " frame."
        ),
    )


if __name__ == "__main__":
    asyncio.run(main())
