"""What tests of buying in a browser share: links from chats, and the shop's own figures."""

import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from commerce.models.referrals import Referral
from commerce.shop import Shop
from tests.support.live_process import ROOT


def chat_link(folder: Path, friend: str = "4711", sku: str = "lamp-arc") -> str:
    """A link as a message in a chat carries it; its recommender earns."""

    async def issue() -> str:
        async with Shop.open(str(folder / "shop.db")) as shop:
            recommender = await shop.ledger.node("chat", "telegram", friend)
            group = await shop.ledger.node("group", "telegram", "-100")
            referral = Referral(
                recommender=recommender, group=group, channel="telegram", sku=sku, session="main"
            )
            return f"/r/{await shop.ledger.issue(referral)}"

    return in_a_thread(issue)


def in_a_thread(work):
    """What a coroutine function returns; a browser's own loop already runs in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


def commerce(folder: Path, *words: str):
    """What ``python -m commerce WORDS --json`` prints about the folder's shop."""
    command = [sys.executable, "-m", "commerce", *words, "--database", str(folder / "shop.db")]
    done = subprocess.run(
        [*command, "--json"], capture_output=True, text=True, timeout=60, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
