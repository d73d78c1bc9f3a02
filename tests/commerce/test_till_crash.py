"""The process is killed between every two steps of a sale; the next run finishes it exactly."""

import json
import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from tests.support.till_crash import KILLED, live

# Every step that the sale and its refund pass, in order; a test proves that there are no more.
STEPS = [
    ("held", 1),
    ("opened page", 1),
    ("did open_page", 1),
    ("received event", 1),
    ("received event", 3),
    ("took provider_event", 1),
    ("applied page", 1),
    ("did provider_event", 1),
    ("took news", 1),
    ("booked", 1),
    ("did news", 1),
    ("asked refund", 1),
    ("took refund", 1),
    ("sent refund", 1),
    ("did refund", 1),
    ("booked", 2),
    ("applied refund", 1),
]


def run(folder: Path, step: str, nth: int) -> int:
    # A server that has imported everything once forks the runs: each is a process of its own.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.till_crash"])
    child = context.Process(target=live, args=(str(folder), step, nth))
    child.start()
    child.join(timeout=60)
    assert child.exitcode in (0, KILLED)
    return child.exitcode or 0


def outcome(folder: Path) -> dict[str, object]:
    database = sqlite3.connect(f"file:{folder / 'shop.db'}?mode=ro", uri=True)
    ask = database.execute
    found = {
        "orders": ask(
            "SELECT status, total_minor, refunded_minor FROM order_ WHERE status != 'released'"
        ).fetchall(),
        "stock": ask("SELECT on_hand, reserved FROM variant").fetchall(),
        "unfinished": ask("SELECT kind FROM outbox WHERE state != 'done'").fetchall(),
        "charges": ask("SELECT count(*) FROM sandbox_object WHERE kind = 'charge'").fetchone(),
        "refunds": ask("SELECT count(*) FROM sandbox_object WHERE kind = 'refund'").fetchone(),
    }
    database.close()
    booked = json.loads((folder / "book.json").read_text())
    return {**found, "booked": [row[1:] for row in booked]}


EXPECTED = {
    "orders": [("paid", 1200, 400)],
    "stock": [(4, 0)],
    "unfinished": [],
    "charges": (1,),
    "refunds": (1,),
    "booked": [["OrderPaid", 1200], ["OrderRefunded", 400]],
}


def test_the_list_of_steps_is_complete(tmp_path):
    assert run(tmp_path, "", 1) == 0
    assert outcome(tmp_path) == EXPECTED
    passed = set((tmp_path / "steps").read_text().splitlines())
    assert passed == {step for step, _ in STEPS}


@pytest.mark.parametrize(("step", "nth"), STEPS)
def test_killed_at_any_step_and_finished_by_the_next_run(tmp_path, step, nth):
    assert run(tmp_path, step, nth) == KILLED
    assert run(tmp_path, "", 1) == 0
    assert outcome(tmp_path) == EXPECTED
