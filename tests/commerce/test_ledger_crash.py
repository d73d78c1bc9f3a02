"""The process is killed at every third write; told the same again, the ledger ends the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.ledgers import SqliteTemplate

ROOT = Path(__file__).resolve().parents[2]

# One program that dies at the nth write, and is run again until it lives: what an outbox and a
# supervisor do. Each life is a fork, so that the interpreter starts once.
PROGRAM = '''
import asyncio, json, os, shutil, sys
sys.path.insert(0, {root!r})
from sqlalchemy import event
from commerce.errors import PayoutError
from commerce.models.referrals import Referral
from tests.support.ledgers import Clock, START, delivered, ledger_house, paid, refunded
from datetime import timedelta

class Bank:
    """Pays out of process: what it did survives the one who asked."""
    name, is_test = "bank", False
    def __init__(self, path): self.path = path
    async def pay(self, payout):
        done = json.load(open(self.path)) if os.path.exists(self.path) else {{}}
        done.setdefault(payout.key, payout.amount.minor)
        json.dump(done, open(self.path, "w"))
        return "tr_" + payout.key
    async def take_back(self, payout, amount, key):
        raise AssertionError("nothing is owed")

async def life(url, bank, die_at):
    writes = [0]
    clock = Clock()
    async with ledger_house(url, clock) as house:
        def count(conn, cursor, statement, *_):
            if statement.split()[0] in ("INSERT", "UPDATE", "DELETE"):
                writes[0] += 1
                if writes[0] == die_at:
                    os._exit(9)
        def commit(conn):
            writes[0] += 1
            if writes[0] == die_at:
                os._exit(9)
        engine = house.database._engine.sync_engine
        event.listen(engine, "before_cursor_execute", count)
        event.listen(engine, "commit", commit)
        ledger = house.ledger
        at = START - timedelta(days=1)
        # The letterbox's own record says whether it told this touch already.
        if (await ledger.audit()).touches == 0:
            await ledger.touch(kind="click", actor="visitor:bob", recommender="chat:line:ann",
                               occurred_at=at)
        await ledger.book(paid("o1", START, keys=("email_hash:b",), goods=(9_999, 501), fee=70))
        await ledger.book(refunded("o1", START, 3_333))
        await ledger.book(delivered("o1", START))
        clock.pass_(days=31)
        await ledger.settle()
        await ledger.pay(Bank(bank))
        event.remove(engine, "before_cursor_execute", count)
        event.remove(engine, "commit", commit)
        audit = await ledger.audit()
        assert audit.problems == (), audit.problems
        paid_out = json.load(open(bank))
        said = await house.projection()
        return writes[0], json.dumps([said, paid_out], sort_keys=True)

def forked(url, bank, die_at):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        answer = asyncio.run(life(url, bank, die_at))
        os.write(writer, json.dumps(answer).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        answer = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 9), status
    return json.loads(answer) if status == 0 else None

folder, urls, stride = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
writes, wanted = forked(urls.pop(), folder + "/bank-0.json", -1)
deaths = 0
for die_at in range(1, writes + 1, stride):
    url, bank = urls.pop(), f"{{folder}}/bank-{{die_at}}.json"
    assert forked(url, bank, die_at) is None, die_at
    deaths += 1
    answer = forked(url, bank, -1)
    assert answer is not None and answer[1] == wanted, (die_at, answer, wanted)
print(json.dumps({{"writes": writes, "deaths": deaths}}))
'''


def killed_everywhere(urls, folder, stride):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(root=str(ROOT)), str(folder), json.dumps(urls),
         str(stride)],
        capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_killed_between_steps_on_sqlite(tmp_path):
    template = SqliteTemplate(tmp_path)
    done = killed_everywhere([template.fresh() for _ in range(80)], tmp_path, 3)
    assert done["writes"] > 60
    assert done["deaths"] >= done["writes"] // 3


def test_killed_between_steps_on_postgresql(postgres, tmp_path):
    done = killed_everywhere([postgres.fresh_url() for _ in range(12)], tmp_path, 13)
    assert done["deaths"] >= 5
