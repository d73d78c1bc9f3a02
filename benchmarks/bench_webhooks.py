"""How many webhooks a second are durable before their 200, and how long each waits.

    python benchmarks/bench_webhooks.py [--seconds 8] [--connections 64] [--postgres URL]

Starts the real server with the real routes (Telegram and WhatsApp, signatures verified, bodies
encrypted, inbox on disk) and loads it from the same machine: with wrk and a Lua table of pre-signed
bodies where wrk is installed (Debian: apt-get install wrk), else with our own loader, which is
slower than the server. Every body is another event. Then counts the rows: what got a 200 must be
there. Writes benchmarks/results/webhooks.json.
"""

import argparse
import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.report import write_result  # noqa: E402

SECRET = "a-secret-of-some-length"
LUA = """
local file = io.open(os.getenv("BODIES"), "r")
local lines = {}
for line in file:lines() do lines[#lines + 1] = line end
file:close()
local thread_number = 0
function setup(thread) thread:set("number", thread_number); thread_number = thread_number + 1 end
local place = tonumber(os.getenv("FIRST"))
function request()
  place = place + 1
  local line = lines[(place - 1) % #lines + 1]
  local signature, body = line:match("^(%S+) (.*)$")
  local headers = {["Content-Type"] = "application/json", ["X-Hub-Signature-256"] = signature}
  return wrk.format("POST", "/hooks/whatsapp", headers, body)
end
function done(summary, latency, requests)
  io.write(string.format(
    "RESULT %d %d %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(95), latency:percentile(99),
    summary.errors.status + summary.errors.connect + summary.errors.timeout, latency.max))
end
"""


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--bodies", type=int, default=80_000)
    parser.add_argument("--postgres", default=os.environ.get("LIVEPITCH_BENCH_POSTGRES", ""))
    parser.add_argument("--serve", nargs=2, metavar=("DATABASE", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve[0], int(options.serve[1])))
        return
    result: dict[str, Any] = {"loader": "wrk" if shutil.which("wrk") else "own loader"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bodies = folder / "bodies.txt"
        write_bodies(bodies, options.bodies)
        where = {"sqlite": str(folder / "shop.db")}
        if options.postgres:
            where["postgresql"] = options.postgres
        for kind, database in where.items():
            result[kind] = measured(database, bodies, options.connections, options.seconds)
            print(kind, result[kind], file=sys.stderr)
    method = (
        f"{options.connections} connections for {options.seconds} s, one server process, loader on "
        "the same cores; WhatsApp bodies, HMAC verified, AES-256-GCM, commit before the 200"
    )
    write_result("webhooks", result, method=method)


def write_bodies(path: Path, count: int) -> None:
    """Signed bodies, each another message."""
    now = int(time.time())
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            message = {
                "from": f"4915{number % 5000:08}",
                "id": f"wamid.{number:012}",
                "timestamp": str(now),
                "type": "text",
                "text": {"body": f"any moisturizer for dry skin number {number}?"},
            }
            value = {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "1", "phone_number_id": "555"},
                "contacts": [{"profile": {"name": "Ana"}, "wa_id": message["from"]}],
                "messages": [message],
            }
            change = {"field": "messages", "value": value}
            body = json.dumps(
                {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
            )
            digest = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
            file.write(f"sha256={digest} {body}\n")


def measured(database: str, bodies: Path, connections: int, seconds: int) -> dict[str, Any]:
    """One database under load."""
    with served(database) as (url, pid):
        warm = load(url, bodies, connections, 1)  # caches warm, pages made
        before = asyncio.run(kept(database))
        cpu = cpu_s(pid)
        # wrk sends a few more than it counts.
        first = warm["webhooks"] + 2 * connections
        found = load(url, bodies, connections, seconds, first)
        found["server_cpu_ms_per_webhook"] = round(
            (cpu_s(pid) - cpu) / max(found["webhooks"], 1) * 1000, 3
        )
    rows = asyncio.run(kept(database))
    found["rows_kept_in_all"] = rows
    # Bodies repeat once the table is through; a repetition is no further row.
    found["every_200_has_its_row"] = rows >= min(before + found["webhooks"], count_of(bodies))
    return found


def load(url: str, bodies: Path, connections: int, seconds: int, first: int = 0) -> dict[str, Any]:
    """wrk's figures, or our own loader's."""
    if shutil.which("wrk") is None:
        return asyncio.run(own_load(url, bodies, connections, seconds, first))
    script = bodies.with_suffix(".lua")
    script.write_text(LUA)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url]
    env = {**os.environ, "BODIES": str(bodies), "FIRST": str(first)}
    done = subprocess.run(
        command, capture_output=True, text=True, env=env, timeout=seconds + 60, check=True
    )
    match = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", done.stdout)
    assert match is not None, done.stdout
    requests, duration_us, p50, p95, p99, errors, worst = map(int, match.groups())
    return {
        "webhooks": requests,
        "errors": errors,
        "per_s": round(requests / duration_us * 1e6),
        "p50_ms": round(p50 / 1000, 2),
        "p95_ms": round(p95 / 1000, 2),
        "p99_ms": round(p99 / 1000, 2),
        "max_ms": round(worst / 1000, 2),
    }


async def own_load(
    url: str, bodies: Path, connections: int, seconds: int, first: int
) -> dict[str, Any]:
    """Keep-alive connections that post one body after the other."""
    lines = iter(bodies.read_text().splitlines()[first:])  # noqa: ASYNC240
    waits: list[float] = []
    errors = 0
    deadline = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=connections)

    async def sender(http: httpx.AsyncClient) -> None:
        nonlocal errors
        while time.monotonic() < deadline and (line := next(lines, None)) is not None:
            signature, _, body = line.partition(" ")
            began = time.monotonic()
            headers = {"X-Hub-Signature-256": signature}
            answer = await http.post(f"{url}/hooks/whatsapp", content=body, headers=headers)
            waits.append(time.monotonic() - began)
            errors += answer.status_code != 200

    began = time.monotonic()
    async with httpx.AsyncClient(limits=limits) as http:
        await asyncio.gather(*[sender(http) for _ in range(connections)])
    took = time.monotonic() - began
    waits.sort()
    at = {share: waits[int(len(waits) * share)] * 1000 for share in (0.5, 0.95, 0.99)}
    return {
        "webhooks": len(waits),
        "errors": errors,
        "per_s": round(len(waits) / took),
        "p50_ms": round(at[0.5], 2),
        "p95_ms": round(at[0.95], 2),
        "p99_ms": round(at[0.99], 2),
        "max_ms": round(waits[-1] * 1000, 2),
    }


@contextlib.contextmanager
def served(database: str) -> Any:
    """The server as a process of its own: its address, and its id."""
    command = [sys.executable, __file__, "--serve", database, "0"]
    env = {**os.environ, "LIVEPITCH_LETTERBOX_KEY": "a key for measuring"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


async def serve(database: str, port: int) -> None:
    """The letterbox alone, as the live server serves it; nobody works on what is kept."""
    from fastapi import FastAPI

    from commerce.shop import Shop
    from sdk.live.access import Access
    from sdk.live.gate import Gate
    from sdk.live.server import LiveServer, address_of, listen
    from sdk.live.show import leave_alone_what_lasts
    from sdk.messaging.channels.whatsapp import WhatsApp
    from sdk.messaging.routes import messaging_routes

    async with Shop.open(database) as shop, httpx.AsyncClient() as client:
        channel = WhatsApp(SECRET, "verify", "access", "555", client)
        app = FastAPI()
        app.include_router(messaging_routes([channel], shop.letterbox.inbox))
        listener = listen("127.0.0.1", port)
        server = LiveServer(Gate(app, Access("127.0.0.1")), listener)
        serving = asyncio.create_task(server.serve())
        await server.started()
        leave_alone_what_lasts()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
        print(address_of(listener, "127.0.0.1"), flush=True)
        await serving


async def kept(database: str) -> int:
    """Rows in the inbox."""
    from commerce.shop import Shop

    async with Shop.open(database) as shop:
        return sum((await shop.letterbox.inbox.counts()).values())


def count_of(bodies: Path) -> int:
    """How many bodies there are."""
    with bodies.open(encoding="utf-8") as file:
        return sum(1 for _ in file)


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
