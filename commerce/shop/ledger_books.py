"""The ledger's hand: news booked, commission held, released and paid out."""

import dataclasses
from collections.abc import Collection

from commerce.attribution import payouts as paying
from commerce.attribution.bookkeeping import Turn, restate, rule_at
from commerce.attribution.fraud import crowd_signals
from commerce.attribution.news import micros, told
from commerce.attribution.repository import chains, people, sales, standing
from commerce.attribution.repository.crowd import crowd_facts
from commerce.attribution.rule import CommissionRule
from commerce.errors import LedgerError, PayoutError, UnknownOrderError
from commerce.models.earnings import Balance, HeldOrder, Payout, PayoutRail, Settled, Signal
from commerce.models.happenings import Happening, OrderPaid
from commerce.models.ledger import ReferralToken, Sale
from commerce.money import Money
from commerce.shop.ledger_people import LedgerPeople, token_digest

_SETTLED_AT_ONCE = 200
_DAY_US = 86_400_000_000
_HINTS = {"address": "same_address", "card": "same_card"}


class LedgerBooks(LedgerPeople):
    """News, maturity, holds and payouts."""

    async def book(self, happening: Happening) -> None:
        """Bring the books to what happened; told twice, late or out of order, they end the same.

        Raises:
            LedgerError: An amount in another currency than the order's, or a text that is no node.
        """
        news = told(happening)
        async with self._turn() as turn:
            if await sales.is_known(turn.session, news.key):
                return
            payload, buyer, token = news.payload, None, None
            if isinstance(happening, OrderPaid):
                skus = [line["product"] for line in payload["lines"]]
                shelves = await sales.categories_of(turn.session, skus)
                # As it is today: moving a product to another shelf changes no old commission.
                lines = [
                    {**line, "category": shelves.get(line["product"])} for line in payload["lines"]
                ]
                payload = {**payload, "lines": lines}
                buyer, token = await self._meet_buyer(turn, happening)
            await sales.add_news(
                turn.session,
                {
                    "order": happening.order,
                    "kind": news.kind,
                    "key": news.key,
                    "payload": payload,
                    "buyer_id": buyer,
                    "token_id": token,
                    "recorded_at": turn.now,
                },
            )
            await restate(turn, happening.order, news.key)

    async def declare(self, rule: CommissionRule) -> None:
        """From now on orders earn commission by this rule; orders paid before keep theirs."""
        async with self._turn() as turn:
            await sales.add_rule(turn.session, rule.to_json(), micros(turn.now))

    async def rule(self) -> CommissionRule:
        """The rule in force now."""
        async with self._context.database.reading() as session:
            return await rule_at(session, micros(self._context.clock()))

    async def settle(self) -> Settled:
        """Make commission payable whose return window is over; run it daily, or before payouts.

        Looks at each such order once more among all others; what looks wrong is held.
        """
        matured = held = 0
        async with self._context.database.reading() as session:
            due = await sales.due_orders(session, micros(self._context.clock()))
        for start in range(0, len(due), _SETTLED_AT_ONCE):
            async with self._turn() as turn:
                for sale in due[start : start + _SETTLED_AT_ONCE]:
                    now = await self._settle_one(turn, sale)
                    matured += now is not None and not now.is_held
                    held += now is not None and now.is_held
        return Settled(matured, held)

    async def holds(self) -> list[HeldOrder]:
        """Orders whose commission waits for a person, oldest first."""
        async with self._context.database.reading() as session:
            rows = await standing.held_sales(session)
            found = []
            for sale in rows:
                shares = await sales.credits_of(session, sale.run_id)
                names = await people.names_of(session, [s.recommender_id for s in shares])
                amount = sum(share.commission_minor for share in shares)
                found.append(
                    HeldOrder(
                        sale.order,
                        Money(amount, sale.currency),
                        tuple(dict.fromkeys(names[s.recommender_id] for s in shares)),
                        tuple(
                            Signal(s["code"], s["is_strong"], s["explanation"])
                            for s in sale.signals
                        ),
                    )
                )
        return found

    async def release(self, order: str, *, by: str, note: str) -> None:
        """A person looked, and the commission is earned.

        Raises:
            UnknownOrderError: Nothing was paid under that id.
            LedgerError: Nobody's name, or no reason.
        """
        await self._decide(order, "release", by, note)

    async def deny(self, order: str, *, by: str, note: str) -> None:
        """A person looked, and the order earns nobody a commission; see ``release``."""
        await self._decide(order, "deny", by, note)

    async def balances(self, recommender: str | None = None) -> list[Balance]:
        """What recommenders have with the shop, one row for each currency."""
        async with self._context.database.reading() as session:
            owners = None
            if recommender is not None:
                found = await people.ids_of(session, [recommender])
                owners = [n for node in found.values() for n in await people.members(session, node)]
            return await paying.balances(session, owners)

    async def pay(
        self,
        rail: PayoutRail | None = None,
        *,
        minimum: Money | None = None,
        only: Collection[str] | None = None,
        but_not: Collection[str] = (),
    ) -> list[Payout]:
        """Pay out everything payable, and finish what a crash left unfinished.

        Args:
            rail: Moves the money. Without one the payouts are only listed: pay them yourself, and
                say so with ``confirm_payout``; they are not paid by this software.
            minimum: Smaller balances of its currency wait; what is carried below zero always does.
            only: These recommenders, by node; all of them when None.
            but_not: Not these recommenders.

        Returns:
            The payouts begun or finished now; failed ones carry their problem.
        """
        name = rail.name if rail is not None else paying.BY_HAND
        is_test = rail is not None and rail.is_test
        async with self._turn() as turn:
            await paying.begin(
                turn, name, is_test=is_test, minimum=minimum, only=only, but_not=but_not
            )
        async with self._context.database.reading() as session:
            started = await paying.listed(session, state="started", rail=name)
        if rail is None:
            return started
        return [await self._pay_one(rail, payout) for payout in started]

    async def recover(self, rail: PayoutRail) -> list[Payout]:
        """Take back, as far as possible, what was paid out and is no longer earned.

        What cannot be taken back stays below zero and is carried against later earnings.
        """
        async with self._context.database.reading() as session:
            owing = await paying.recoverable(session, rail.name, is_test=rail.is_test)
        taken = []
        for payout, wanted, key in owing:
            got = await rail.take_back(payout, wanted, key)
            if got.minor > 0:
                async with self._turn() as turn:
                    await paying.took_back(turn, payout.key, got, key)
                taken.append(dataclasses.replace(payout, amount=got))
        return taken

    async def donate(self, recommender: str, group: str, amount: Money) -> None:
        """Give payable commission to a group, for coupons there, instead of taking it.

        Raises:
            LedgerError: More than is payable, or nothing.
        """
        async with self._turn() as turn:
            ids = await people.intern(turn.session, [recommender, group])
            await paying.donate(turn, ids[recommender], ids[group], amount)

    async def payouts(self) -> list[Payout]:
        """Every payout, oldest first."""
        async with self._context.database.reading() as session:
            return await paying.listed(session)

    async def confirm_payout(self, key: str, reference: str) -> Payout:
        """The money of a payout arrived.

        Args:
            key: Of the payout.
            reference: The bank's or the provider's id, for finding it again.

        Raises:
            LedgerError: No such payout, or one that failed.
        """
        async with self._turn() as turn:
            return await paying.finish(turn, key, reference)

    async def fail_payout(self, key: str, problem: str) -> Payout:
        """The money of a payout did not go out: it becomes payable again; see the problem."""
        async with self._turn() as turn:
            return await paying.fail(turn, key, problem)

    # -----------------------------------------------------------------------------------------

    async def _pay_one(self, rail: PayoutRail, payout: Payout) -> Payout:
        try:
            reference = await rail.pay(payout)
        except PayoutError as error:
            return await self.fail_payout(payout.key, str(error))
        return await self.confirm_payout(payout.key, reference)

    async def _meet_buyer(self, turn: Turn, paid: OrderPaid) -> tuple[int, int | None]:
        """Join what the checkout proved to be one person, and note the link it carried."""
        order_node = f"order:{paid.order}"
        nodes = [paid.buyer, *paid.buyer_keys, order_node]
        ids = await people.intern(turn.session, nodes)
        for key in [*paid.buyer_keys, order_node]:
            evidence = _HINTS.get(people.node_kind(key), "checkout")
            await self._join(turn, paid.buyer, key, evidence, is_withdrawal=False)
        token = None
        if paid.referral is not None:
            row = await sales.token_row(turn.session, token_digest(paid.referral))
            if row is not None:
                token = row.id
                if row.expires_at > paid.occurred_at and row.recommender_id is not None:
                    await self._note_code(turn, ids[paid.buyer], row, paid)
        return ids[paid.buyer], token

    async def _note_code(self, turn: Turn, buyer: int, row: ReferralToken, paid: OrderPaid) -> None:
        await chains.append_touches(
            turn.session,
            turn.heads["touch"],
            [
                {
                    "kind": "code",
                    "actor_id": buyer,
                    "group_id": row.group_id,
                    "recommender_id": row.recommender_id,
                    "sku": row.sku,
                    "session": row.session,
                    "token_id": row.id,
                    "channel": row.channel,
                    "occurred_us": micros(paid.occurred_at),
                    "recorded_us": micros(turn.now),
                }
            ],
        )

    async def _settle_one(self, turn: Turn, due: Sale) -> Sale | None:
        sale = await sales.sale_of(turn.session, due.order)
        if sale is None or sale.matured_us is not None or sale.delivered_us is None:
            return None
        rule = await rule_at(turn.session, sale.paid_us)
        now_us = micros(turn.now)
        if sale.delivered_us + rule.hold_days * _DAY_US > now_us:
            return None
        crowd: dict[str, Signal] = {}
        for share in await sales.credits_of(turn.session, sale.run_id):
            circle = await people.members(turn.session, share.recommender_id)
            facts = await crowd_facts(turn.session, sale, circle, share.touch_id)
            for signal in crowd_signals(facts):
                crowd.setdefault(signal.code, signal)
        return await restate(
            turn, sale.order, "settled", matured_us=now_us, crowd=list(crowd.values())
        )

    async def _decide(self, order: str, verdict: str, by: str, note: str) -> None:
        if not by.strip() or not note.strip():
            raise LedgerError(f"{verdict} of {order}: say who decides and why")
        async with self._turn() as turn:
            if await sales.sale_of(turn.session, order) is None:
                raise UnknownOrderError(f"no order {order!r} was paid here; check the id")
            await sales.add_verdict(
                turn.session,
                {
                    "order": order,
                    "verdict": verdict,
                    "by": by.strip()[:100],
                    "note": note.strip(),
                    "decided_at": turn.now,
                },
            )
            await restate(turn, order, f"decision: {verdict}")
