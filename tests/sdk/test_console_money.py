"""Sales, commissions, orders and stock over the console's API, on a real shop and sandbox till."""

import asyncio
import csv
import io
import json
import subprocess
import sys
from datetime import timedelta

import pytest

from commerce.models.buying import Coupon
from commerce.shop.ledger import Ledger
from tests.support.consoles import API, console
from tests.support.shops import NOON

pytestmark = pytest.mark.asyncio


async def test_sales_are_what_the_ledger_reports(tmp_path):
    async with console(tmp_path) as c:
        await c.sold("mug")
        await c.sold("lamp", friend="12")
        await c.bought("tea", buyer="visitor:nobody-sent-me", email="tea@b.example")
        for group in ("recommender", "group", "product", "channel", "session"):
            for model in ("paid", "first", "linear", "time_decay", "markov", "shapley"):
                shown = await c.get("/sales", group_by=group, model=model)
                report = await c.till.shop.ledger.report(group, model=model)
                assert [row["key"] for row in shown["rows"]] == [row.key for row in report.rows]
                assert [row["goods"]["minor"] for row in shown["rows"]] == [
                    row.goods.minor for row in report.rows
                ]
                assert shown["orders"] == 3
                assert shown["totals"][0]["goods"]["minor"] == 1200 + 4990 + 750
        assert shown["is_test"] is True
        paid = await c.get("/sales")
        assert paid["rows"][-1]["key"] == "(none)"
        assert paid["totals"][0]["commission"]["minor"] == 60 + 250
        part = await c.get("/sales", limit=1, offset=1)
        assert (len(part["rows"]), part["row_count"], part["next_offset"]) == (1, 3, 2)
        # A period has a beginning and an end.
        later = (NOON + timedelta(hours=1, minutes=30)).isoformat()
        assert (await c.get("/sales", since=later))["orders"] == 2
        assert (await c.get("/sales", until=later))["orders"] == 1
        bad = await c.client.get(f"{API}/sales", params={"since": "2026-05-01T00:00:00"})
        assert bad.status_code == 422
        assert (await c.client.get(f"{API}/sales?group_by=star")).status_code == 422


async def test_the_csv_file_has_every_row_and_no_formula(tmp_path):
    async with console(tmp_path) as c:
        order = await c.till.buy("mug", session="=HYPERLINK(1)")
        await c.till.pay(order)
        await c.till.settle()
        answer = await c.client.get(f"{API}/sales.csv", params={"group_by": "session"})
        assert answer.headers["content-type"].startswith("text/csv")
        assert "attachment" in answer.headers["content-disposition"]
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert rows[0][0] == "session"
        assert rows[1] == ["'=HYPERLINK(1)", "paid", "1", "USD", "12.00", "0.00", "0.00", "1"]


async def test_days_add_up_to_the_report(tmp_path):
    async with console(tmp_path) as c:
        await c.sold("mug")
        c.till.clock.turn(days=2)
        await c.sold("mug", friend="12")
        await c.sold("lamp", friend="12")
        days = await c.get("/sales/days")
        assert [(one["day"], one["orders"], one["goods"]["minor"]) for one in days["items"]] == [
            ("2026-05-01", 1, 1200), ("2026-05-03", 2, 6190)
        ]  # fmt: skip
        assert days["is_test"] is True
        since = (NOON + timedelta(days=1)).isoformat()
        assert len((await c.get("/sales/days", since=since))["items"]) == 1


async def test_a_hold_is_explained_and_released_by_a_person(tmp_path):
    async with console(tmp_path) as c:
        order = await c.sold("mug", wait_s=1)
        (hold,) = (await c.get("/holds"))["items"]
        assert (hold["order"], hold["commission"]["minor"]) == (order, 60)
        assert "after the click" in hold["signals"][0]["explanation"]
        await c.post(f"/holds/{order}/release", {"by": " ", "note": "fine"}, 422)
        await c.post(f"/holds/{order}/release", {"by": "Dana"}, 422)
        await c.post("/holds/order_0/release", {"by": "Dana", "note": "x"}, 404)
        done = await c.post(f"/holds/{order}/release", {"by": "Dana", "note": "they told us"})
        assert done == {"order": order, "verdict": "release"}
        assert (await c.get("/holds"))["items"] == []
        statement = await c.get(f"/statements/{order}")
        assert statement["statement"]["decision"]["by"] == "Dana"
        denied = await c.sold("mug", friend="12", wait_s=1)
        await c.post(f"/holds/{denied}/deny", {"by": "Dana", "note": "a trick"})
        assert (await c.get(f"/statements/{denied}"))["statement"]["state"] == "denied"


async def test_statements_verify_as_they_are_downloaded(tmp_path):
    async with console(tmp_path) as c:
        order = await c.sold("mug")
        document = await c.get(f"/statements/{order}")
        key = (await c.get(""))["public_key"]
        assert Ledger.verify_statement(document, key)["order"] == order
        assert (await c.client.get(f"{API}/statements/order_0")).status_code == 404
        path = tmp_path / "statement.json"
        path.write_text(json.dumps(document))
        # The command that the page tells people to use.
        command = [sys.executable, "-m", "commerce", "statement", "--verify", path, "--key", key]
        checked = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=60, check=False
        )
        assert "Verified" in checked.stdout, checked.stderr


async def test_commission_becomes_payable_and_is_paid_by_the_seller(tmp_path):
    async with console(tmp_path) as c:
        order = await c.sold("mug")
        await c.post(f"/orders/{order}/deliver")
        await c.till.settle()
        (balance,) = (await c.get("/balances"))["items"]
        assert (balance["held"]["minor"], balance["payable"]["minor"]) == (60, 0)
        assert balance["is_test"] is True
        c.till.clock.turn(days=31)
        assert await c.post("/payouts/settle") == {"matured": 1, "held": 0}
        (balance,) = (await c.get("/balances"))["items"]
        assert balance["payable"]["minor"] == 60
        # Test orders are never paid with real money.
        assert (await c.post("/payouts/begin"))["items"] == []
        assert (await c.get("/payouts"))["items"] == []
        await c.post("/payouts/none/confirm", {"text": "bank 1"}, 422)
        file = await c.client.get(f"{API}/payouts.csv")
        assert file.content.decode("utf-8-sig").strip() == "key,recommender,amount,currency"


async def test_orders_say_why_they_cost_what_they_cost(tmp_path):
    async with console(tmp_path) as c:
        await c.till.shop.till.add_coupon(Coupon("SPRING", percent=1000))
        order = await c.till.bought("mug", coupon="SPRING")
        await c.till.buy("lamp")
        for _ in range(2):
            await c.till.bought("tea", buyer="visitor:bob")
        shown = await c.get("/orders", limit=3)
        assert len(shown["items"]) == 3
        assert shown["next_offset"] == 3
        (first,) = (await c.get("/orders", limit=3, offset=3))["items"]
        assert first["order"] == order
        (line,) = first["lines"]
        assert line["mechanism"] == "coupon:SPRING"
        assert "10" in line["reason"]
        assert (line["list_price"]["text"], line["net"]["text"]) == ("$12", "$10.80")
        assert first["is_test"] is True
        assert "visitor" not in json.dumps(shown)
        waiting = await c.get("/orders", status="open")
        assert [one["lines"][0]["sku"] for one in waiting["items"]] == ["lamp"]
        assert (await c.client.get(f"{API}/orders/order_0")).status_code == 404


async def test_money_goes_back_in_part_and_then_all_of_it(tmp_path):
    async with console(tmp_path) as c:
        order = await c.till.bought("mug", 2)
        some = await c.post(f"/orders/{order}/refund", {"amount": "4.50", "reason": "a scratch"})
        assert (some["refunded"]["minor"], some["left"]["minor"]) == (450, 1950)
        await c.post(f"/orders/{order}/refund", {"amount": "400"}, 409)
        await c.post(f"/orders/{order}/refund", {"amount": "much"}, 422)
        await c.post(f"/orders/{order}/refund", {"amount": "1 EUR"}, 409)
        rest = await c.post(f"/orders/{order}/refund", {})
        assert (rest["refunded"]["minor"], rest["left"]["minor"]) == (2400, 0)
        unpaid = await c.till.buy("lamp")
        await c.post(f"/orders/{unpaid.order}/refund", {}, 409)
        await c.post(f"/orders/{unpaid.order}/deliver", None, 409)
        await c.post("/orders/order_0/refund", {}, 404)


GOODS = (
    "sku,title,price,stock\n"
    "mug,Mug &lt;img src=x onerror=alert(1)&gt;,12.00,5\n"
    "a/b,100% wool,49.90,3\ntea,Tea,7.50,\n"
)


async def test_stock_is_seen_searched_and_set(tmp_path):
    async with console(tmp_path, goods=GOODS) as c:
        shown = await c.get("/stock")
        assert [one["stock"] for one in shown["items"]] == [5, 3, None]
        assert shown["count"] == 3
        # What a percent sign means to the database is not what it means to a seller.
        assert [one["sku"] for one in (await c.get("/stock", text="100%"))["items"]] == ["a/b"]
        assert (await c.get("/stock", text="_"))["items"] == []
        part = await c.get("/stock", limit=1, offset=1)
        assert (part["items"][0]["sku"], part["next_offset"]) == ("a/b", 2)
        told = []
        c.till.shop.subscribe(told.append)
        done = await c.client.put(f"{API}/stock/a/b", json={"stock": 9})
        assert done.json()["stock"] == 9
        assert [change.stock for change in told] == [9]
        assert (await c.client.put(f"{API}/stock/cup", json={"stock": 1})).status_code == 404
        for bad in ({"stock": -1}, {"stock": "many"}, {"stock": 1.5}, {}, {"stock": 10**12}):
            assert (await c.client.put(f"{API}/stock/mug", json=bad)).status_code == 422, bad


ODD = (
    "%00", "%FF", "..%2f..", "x" * 5000, "9" * 40, "-1", "%F0%9F%92%A9", "%27%20OR%201%3D1", "%25",
)  # fmt: skip
ASKED = (
    "/orders/{}", "/orders?status={}", "/orders?offset={}", "/stock?text={}", "/statements/{}",
    "/sales?since={}", "/inbox?limit={}",
)  # fmt: skip
CHANGED = (
    ("POST", "/orders/{}/refund", {}),
    ("POST", "/orders/{}/deliver", {}),
    ("PUT", "/stock/{}", {"stock": 1}),
    ("PUT", "/accounts/{}", {"account": "x"}),
    ("POST", "/holds/{}/deny", {"by": "x", "note": "y"}),
    ("POST", "/payouts/{}/fail", {"text": "x"}),
    ("POST", "/dead-letters/{}/retry", {}),
    ("PATCH", "/groups/{}", {}),
)


async def test_nothing_odd_in_an_address_breaks_anything(tmp_path):
    async with console(tmp_path) as c:
        for odd in ODD:
            answers = [await c.client.get(API + path.format(odd)) for path in ASKED]
            answers += [
                await c.client.request(method, API + path.format(odd), json=body)
                for method, path, body in CHANGED
            ]
            for answer in answers:
                assert answer.status_code in (200, 404, 422), (answer.url, answer.text)
                assert len(answer.content) < 2000 or answer.status_code == 200
        for at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
            for path in ("/sales", "/sales/days", "/sales.csv"):
                answer = await c.client.get(API + path, params={"since": at})
                assert answer.status_code == 422
        for keys in ([-1], [2**70], ["one"], "all"):
            await c.post("/inbox/retry", {"keys": keys}, 422)
