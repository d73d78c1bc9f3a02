"""A thousand buyers at once want a hundred units: how many get one, and how long it takes.

Run: ``python benchmarks/bench_till.py [DATABASE_URL]``; SQLite in a temporary folder by default.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import write_result
from commerce.errors import SoldOutError
from commerce.models.buying import CheckoutRequest, Wish
from commerce.settings import CommerceSettings
from commerce.shop import Shop
from commerce.shop.connecting import connected

BUYERS, UNITS = 1000, 100


async def measure(url: str, folder: Path) -> dict[str, float | int | str]:
    goods = folder / "goods.csv"
    goods.write_text(f"sku,title,price,stock\nmug,Mug,12.00,{UNITS}\n")
    waits: list[float] = []
    async with Shop.open(url) as shop:
        await shop.import_file(goods)

        async def want(number: int) -> bool:
            began = time.perf_counter()
            request = CheckoutRequest((Wish("mug"),), f"visitor:{number}", "http://x/{order}")
            try:
                await shop.till.checkout(request)
            except SoldOutError:
                return False
            finally:
                waits.append(time.perf_counter() - began)
            return True

        async with connected(shop.till, CommerceSettings(stripe_api_key=None)):
            cpu, wall = time.process_time(), time.perf_counter()
            got = await asyncio.gather(*(want(number) for number in range(BUYERS)))
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        card = await shop.product("mug")
        assert card is not None
        assert (sum(got), card.stock) == (UNITS, 0), "sold more or less than there was"
    return {
        "database": url.partition(":")[0],
        "buyers": BUYERS,
        "units": UNITS,
        "sold": sum(got),
        "wall_s": round(wall, 2),
        "cpu_s": round(cpu, 2),
        "buyers_per_s": round(BUYERS / wall, 1),
        "wait_p50_s": round(statistics.median(waits), 3),
        "wait_p99_s": round(sorted(waits)[int(0.99 * BUYERS)], 3),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{where / 'shop.db'}"
        found = asyncio.run(measure(url, where))
    print(found)
    method = "all buyers start at once in one process; the sandbox till in the same process"
    write_result(f"till_{found['database']}", found, method=method)


if __name__ == "__main__":
    main()
