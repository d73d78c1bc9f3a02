"""Measures reports over a million touches and fifty thousand orders.

    python benchmarks/bench_attribution.py [--touches 1000000] [--orders 50000] [--database FILE]

The journeys are written straight into a SQLite file (with their hash chain), since booking one
order after the other is measured by itself. Each report runs in a process of its own, so that its
memory is its own too.
"""

import argparse
import asyncio
import json
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.report import write_result
from commerce.attribution.chain import link
from commerce.database import Database
from commerce.models.happenings import OrderPaid, SoldLine
from commerce.money import Money
from commerce.shop.context import Context
from commerce.shop.ledger import Ledger

START = datetime(2026, 1, 1, tzinfo=UTC)
RECOMMENDERS, GROUPS, PEOPLE = 600, 400, 120_000
CHANNELS = ("telegram", "whatsapp", "line", "wecom", "discord")
RUNS = 3


async def fill(path: str, touches: int, orders: int) -> float:
    """A shop of 60 days; how long writing and chaining took."""
    began = time.perf_counter()
    await (await Database.open(path)).aclose()
    chance = np.random.default_rng(7)
    base = int(START.timestamp() * 1e6)
    span = 60 * 86_400 * 10**6
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    first_person = RECOMMENDERS + GROUPS + 1
    names = [(i, f"chat:telegram:{i}", "chat") for i in range(1, RECOMMENDERS + 1)]
    names += [(i, f"group:telegram:{i}", "group")
              for i in range(RECOMMENDERS + 1, first_person)]  # fmt: skip
    names += [(i, f"visitor:{i}", "visitor") for i in range(first_person, first_person + PEOPLE)]
    connection.executemany("INSERT INTO identity_node (id, node, kind) VALUES (?, ?, ?)", names)
    person = first_person + (PEOPLE * chance.random(touches) ** 2).astype(int)
    at = np.sort(base + (span * chance.random(touches)).astype(np.int64))
    # Few recommenders bring most.
    recommender = 1 + (RECOMMENDERS * chance.random(touches) ** 3).astype(int)
    is_direct = chance.random(touches) < 0.3
    kind = chance.choice(["click", "view", "live"], touches, p=[0.5, 0.4, 0.1])
    channel = chance.integers(0, len(CHANNELS), touches)
    last = ""
    rows = []
    for i in range(touches):
        row = {
            "id": i + 1, "kind": str(kind[i]), "actor_id": int(person[i]),
            "group_id": RECOMMENDERS + 1 + int(recommender[i]) % GROUPS,
            "recommender_id": None if is_direct[i] else int(recommender[i]), "sku": None,
            "session": None, "token_id": None, "channel": CHANNELS[channel[i]],
            "occurred_us": int(at[i]), "recorded_us": int(at[i]),
        }  # fmt: skip
        last = link(last, row)
        rows.append((*row.values(), last))
    connection.executemany(
        "INSERT INTO touch (id, kind, actor_id, group_id, recommender_id, sku, session, token_id,"
        " channel, occurred_us, recorded_us, hash) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        rows,
    )
    connection.execute("UPDATE chain SET length = ?, hash = ? WHERE name = 'touch'",
                       (touches, last))  # fmt: skip
    chosen = chance.choice(touches, orders, replace=False)
    sales = []
    for number, touch in enumerate(sorted(chosen), start=1):
        paid_us = int(at[touch]) + int(chance.integers(60, 5 * 86_400)) * 10**6
        goods = int(chance.integers(500, 50_000))
        sales.append((f"o{number}", number, int(person[touch]), "USD", paid_us, goods, 0, goods, 0,
                      0, 0, 0, "stripe", "[]", 0))  # fmt: skip
    connection.executemany(
        "INSERT INTO sale (order_public_id, number, buyer_id, currency, paid_us, goods_minor,"
        " goods_back_minor, total_minor, refunded_minor, is_disputed, is_lost, is_test, source,"
        " signals, is_held) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        sales,
    )
    connection.commit()
    connection.close()
    return time.perf_counter() - began


async def timed_report(path: str, group_by: str, model: str) -> dict[str, float]:
    """One report in this process."""
    database = await Database.open(path)
    context = Context(database, lambda: START + timedelta(days=70), "USD", lambda changes: None)
    wall, cpu = time.perf_counter(), time.process_time()
    report = await Ledger(context).report(group_by, model=model)  # type: ignore[arg-type]
    figures = {
        "wall_s": round(time.perf_counter() - wall, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
        "peak_mb": _peak_mb(),
        "rows": len(report.rows),
        "orders": report.orders,
    }
    await database.aclose()
    return figures


async def bookings(count: int) -> dict[str, float]:
    """How fast touches and orders are written down one by one, durable each."""
    with tempfile.TemporaryDirectory() as folder:
        now = [START]
        database = await Database.open(f"{folder}/book.db")
        ledger = Ledger(Context(database, lambda: now[0], "USD", lambda changes: None))
        cpu = time.process_time()
        for i in range(count):
            await ledger.touch(
                kind="click", actor=f"visitor:{i}", recommender=f"chat:line:{i % 50}"
            )
        touched = time.process_time() - cpu
        now[0] += timedelta(hours=1)
        cpu = time.process_time()
        for i in range(count):
            price = Money(1_999, "USD")
            nothing = Money(0, "USD")
            line = SoldLine("mug", "mug", "Mug", 1, price, "list")
            await ledger.book(OrderPaid(f"o{i}", now[0], (line,), nothing, nothing, price, nothing,
                                        f"visitor:{i}", is_test=False))  # fmt: skip
        booked = time.process_time() - cpu
        await database.aclose()
    return {"touch_cpu_ms": round(1e3 * touched / count, 2),
            "order_cpu_ms": round(1e3 * booked / count, 2)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--touches", type=int, default=1_000_000)
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--database", type=Path, help="Kept and used again when it exists.")
    parser.add_argument("--report", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, help="Write here instead of benchmarks/results.")
    arguments = parser.parse_args()
    if arguments.report:
        group_by, model = arguments.report
        print(json.dumps(asyncio.run(timed_report(str(arguments.database), group_by, model))))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.database or Path(folder) / "ledger.db"
        fill_s = None
        if not path.exists():
            fill_s = round(asyncio.run(fill(str(path), arguments.touches, arguments.orders)), 1)
        results: dict[str, object] = {
            "touches": arguments.touches, "orders": arguments.orders, "fill_s": fill_s,
        }  # fmt: skip
        for model in ("last", "linear", "time_decay", "shapley", "markov"):
            runs = [_in_a_process(path, "recommender", model) for _ in range(RUNS)]
            middle = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
            results[model] = middle
            print(f"{model:12} {middle['wall_s']:6.2f} s wall {middle['cpu_s']:6.2f} s cpu"
                  f" {middle['peak_mb']:5.0f} MB")  # fmt: skip
        results["one_by_one"] = asyncio.run(bookings(300))
        print(results["one_by_one"])
    write_result(
        "attribution",
        results,
        method=f"reports by recommender over SQLite, median of {RUNS} processes each, from an open"
        " database to finished rows; one_by_one: CPU time of durable single calls",
        path=arguments.json,
    )


def _peak_mb() -> int:
    """Of this process alone; ``ru_maxrss`` would remember the parent's."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return round(int(match[1]) / 1024) if match else 0


def _in_a_process(path: Path, group_by: str, model: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.bench_attribution", "--database", str(path),
               "--report", group_by, model]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
