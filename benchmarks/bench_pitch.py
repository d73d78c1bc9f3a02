"""From a webhook to the first spoken sound: a signed Telegram update against the real live server.

    python benchmarks/bench_pitch.py [--persona FILE] [--tries 20]

Starts `python -m sdk.live` with a persona made from a photo, a catalogue with a moisturiser and a
Telegram bot whose API is a stand-in on loopback; watches it as a WHEP viewer; posts signed updates
of different members in different groups to /hooks/telegram and measures until the first spoken
sound of the pitch arrives at the viewer (after its decoder and jitter buffer), and until the reply
with the tracked link is sent. A second time the avatar is speaking its script when the question
comes, and the moment is the socket's avatar.speak_started, since sound is in the air already.
Writes benchmarks/results/pitch.json.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import websockets

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from bench_live import Server, _is_loud  # noqa: E402

from benchmarks.report import write_result  # noqa: E402
from tests.support.chat_service import ChatService, chat_service  # noqa: E402
from tests.support.chats import (  # noqa: E402
    TELEGRAM_TOKEN,
    dumped,
    telegram_headers,
    telegram_update,
)
from tests.support.webrtc_viewer import WebRtcViewer  # noqa: E402

ASKS = (
    "@shop any moisturizer for dry skin?",
    "@shop do you have a desk lamp?",
    "@shop a thermos for hiking?",
    "@shop which headphones do you have?",
)


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persona", type=Path, default=ROOT / "examples" / "face.png")
    parser.add_argument("--catalogue", type=Path, default=ROOT / "examples" / "catalogue.csv")
    parser.add_argument("--tries", type=int, default=20)
    options = parser.parse_args()
    result = {
        "silent_before": asyncio.run(measured(options, has_script=False)),
        "in_the_middle_of_the_script": asyncio.run(measured(options, has_script=True)),
        "tries": options.tries,
    }
    method = (
        "POST to /hooks/telegram until the first loud block of sound at a WHEP viewer (silent "
        "before), or until avatar.speak_started of the pitch (during the script); one group each"
    )
    write_result("pitch", result, method=method)


async def measured(options: argparse.Namespace, *, has_script: bool) -> dict[str, Any]:
    """One server, and a question at a time."""
    async with chat_service() as telegram:
        os.environ |= {
            "LIVEPITCH_TELEGRAM_TOKEN": TELEGRAM_TOKEN,
            "LIVEPITCH_TELEGRAM_API": telegram.url,
            "LIVEPITCH_TELEGRAM_NAME": "shop",
        }
        extra = [] if has_script else ["--no-script"]
        server = await asyncio.to_thread(
            Server, options.persona, "--catalogue", str(options.catalogue), *extra
        )
        try:
            return await asked(server, telegram, options.tries, has_script=has_script)
        finally:
            await asyncio.to_thread(server.close)


async def asked(
    server: Server, telegram: ChatService, tries: int, *, has_script: bool
) -> dict[str, Any]:
    """Milliseconds from each POST."""
    sound_ms, event_ms, reply_ms, accepted_ms = [], [], [], []
    socket_url = server.url.replace("http", "ws", 1) + "/ws/main"
    async with (
        httpx.AsyncClient(timeout=10) as http,
        httpx.AsyncClient(base_url=server.url, timeout=10) as watching,
        WebRtcViewer(watching, "/whep/main") as viewer,
        websockets.connect(socket_url) as socket,
    ):
        await viewer.wait_for(pictures=50, sounds=100)
        for number in range(tries):
            update = telegram_update(
                ASKS[number % len(ASKS)], update=number, message=number + 1,
                chat=-1000 - number, member=500 + number,
            )  # fmt: skip
            waiting = asyncio.create_task(spoken(socket))
            before = len(telegram.calls("/sendMessage"))
            began = time.monotonic()
            answer = await http.post(
                f"{server.url}/hooks/telegram", content=dumped(update), headers=telegram_headers()
            )
            accepted_ms.append((time.monotonic() - began) * 1e3)
            answer.raise_for_status()
            event_ms.append((await asyncio.wait_for(waiting, 20) - began) * 1e3)
            if not has_script:
                await viewer.wait_for(pictures=12)
                loud = (s.arrived for s in viewer.sounds if _is_loud(s.samples))
                sound_ms.append((next(at for at in loud if at > began) - began) * 1e3)
            await telegram.wait_for("/sendMessage", before + 1)
            reply_ms.append((telegram.calls("/sendMessage")[before].at - began) * 1e3)
            await http.post(f"{server.url}/api/sessions/main/interrupt", json={})
            await viewer.wait_for(pictures=40 if not has_script else 130)
    found = {
        "post_to_200_ms": spread(accepted_ms),
        "post_to_speak_started_ms": spread(event_ms),
        "post_to_reply_sent_ms": spread(reply_ms),
    }
    return {"post_to_first_sound_at_viewer_ms": spread(sound_ms), **found} if sound_ms else found


async def spoken(socket: websockets.ClientConnection) -> float:
    """When the pitch's first sentence began to be heard."""
    async for raw in socket:
        event = json.loads(raw)
        if event["type"] == "avatar.speak_started" and "chat group" in event["data"]["text"]:
            return time.monotonic()
    raise RuntimeError("the socket closed")


def spread(values: list[float]) -> dict[str, float]:
    """p50, p95 and the worst."""
    ordered = sorted(values)
    return {
        "p50": round(statistics.median(ordered), 1),
        "p95": round(ordered[min(len(ordered) - 1, round(len(ordered) * 0.95))], 1),
        "max": round(ordered[-1], 1),
    }


if __name__ == "__main__":
    main()
