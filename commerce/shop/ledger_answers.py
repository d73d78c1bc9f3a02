"""The ledger's mouth: statements, reports, trust, relations, exports, and forgetting."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete

from commerce.attribution import reports, stating
from commerce.attribution import statement as statements
from commerce.attribution.bookkeeping import rule_at
from commerce.attribution.news import micros, moment
from commerce.attribution.repository import booked, people, retention, sales, standing
from commerce.attribution.trust import endorsement, wilson_lower_bound
from commerce.errors import LedgerError, UnknownOrderError
from commerce.models.earnings import (
    Audit,
    DaySales,
    Document,
    Erased,
    GroupBy,
    ModelName,
    Purchase,
    Relation,
    Report,
    Retained,
    TrustEvidence,
)
from commerce.models.extras import THIRTEEN_MONTHS_US
from commerce.models.orders import PayoutAccount
from commerce.shop.ledger_books import LedgerBooks
from commerce.shop.ledger_people import token_digest

_END_OF_TIME_US = 2**62


class LedgerAnswers(LedgerBooks):
    """Statements, reports and what people may ask about themselves."""

    async def statement(self, order: str) -> Document:
        """Who earned what of an order, with everything it follows from, signed.

        Raises:
            UnknownOrderError: Nothing was paid under that id.
        """
        seed = await self._secret("signing")
        issued_at = self._context.clock().isoformat()
        async with self._context.database.reading() as session:
            body = await stating.statement(session, order, issued_at)
        return statements.signed(body, seed)

    async def public_key(self) -> str:
        """The key that this shop's statements verify with, base64; publish it."""
        return statements.public_key(await self._secret("signing"))

    @staticmethod
    def verify_statement(document: Any, key: str | None = None) -> Document:
        """Check a signed statement without any database.

        Args:
            document: As read from JSON.
            key: The shop's published key; without it the signature proves no origin.

        Raises:
            LedgerError: What is wrong with it.
        """
        return statements.verify(document, key)

    async def report(
        self,
        group_by: GroupBy,
        *,
        model: ModelName = "paid",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Report:
        """Who brought the sales.

        Args:
            group_by: What each line stands for.
            model: ``paid`` shows what the declared rule credited, with commission; every other
                model is analysis of the same journeys.
            since: Of orders paid from then on.
            until: Of orders paid before then.

        Raises:
            LedgerError: Too many different keys for a Markov model.
        """
        since_us = 0 if since is None else micros(since)
        until_us = _END_OF_TIME_US if until is None else micros(until)
        async with self._context.database.reading() as session:
            is_test = not await booked.has_real_sales(session)
            if model != "paid":
                rule = await rule_at(session, micros(self._context.clock()))
                rows, orders = await reports.analysed(
                    session, group_by, model, rule, since_us, until_us, is_test=is_test
                )
            elif group_by == "product":
                sums = await booked.products(session, since_us, until_us, None, is_test=is_test)
                rows = reports.rows_of(sums, has_commission=True)
                orders = await booked.order_count(session, since_us, until_us, is_test=is_test)
            else:
                sums, orders = await booked.credited(
                    session, group_by, since_us, until_us, is_test=is_test
                )
                rows = reports.rows_of(sums, has_commission=True)
        return Report(group_by, model, since, until, tuple(rows), orders, is_test)

    async def days(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[list[DaySales], bool]:
        """What was sold day by day, and whether it is of test orders, as in a report.

        Args:
            since: Of orders paid from then on.
            until: Of orders paid before then.
        """
        since_us = 0 if since is None else micros(since)
        until_us = _END_OF_TIME_US if until is None else micros(until)
        async with self._context.database.reading() as session:
            is_test = not await booked.has_real_sales(session)
            found = await booked.days(session, since_us, until_us, is_test=is_test)
        return found, is_test

    async def trust(self, recommender: str, category: str | None = None) -> TrustEvidence:
        """What became of the orders somebody's advice led to; test orders prove nothing."""
        async with self._context.database.reading() as session:
            ids = await self._circle(session, recommender)
            sold = await standing.credited_sales(session, ids, category)
        ended = [
            sale
            for sale in sold
            if not sale.is_test
            and (sale.delivered_us is not None or sale.goods_back_minor or sale.is_lost)
        ]
        disputed = sum(sale.is_lost for sale in ended)
        refunded = sum(sale.goods_back_minor > 0 and not sale.is_lost for sale in ended)
        kept = len(ended) - disputed - refunded
        return TrustEvidence(
            recommender,
            category,
            len(ended),
            kept,
            refunded,
            disputed,
            wilson_lower_bound(kept, len(ended)),
        )

    async def endorsement(
        self, recommender: str, category: str | None = None, language: str = "en"
    ) -> str | None:
        """A sentence about somebody's record; None without a real purchase behind it."""
        return endorsement(await self.trust(recommender, category), language)

    async def cut(self, recommender: str, buyer: str) -> None:
        """Either side ends it: no later order of the buyer credits the recommender."""
        async with self._turn() as turn:
            ids = await people.intern(turn.session, [recommender, buyer])
            row = {
                "recommender_id": ids[recommender],
                "buyer_id": ids[buyer],
                "group_id": None,
                "event": "cut",
                "order": f"cut:{micros(turn.now)}",
                "occurred_us": micros(turn.now),
            }
            await sales.add_relations(turn.session, [row])

    async def relations(self, node: str) -> list[Relation]:
        """Whom somebody recommends to, and who recommends to them, over all channels."""
        async with self._context.database.reading() as session:
            ids = await self._circle(session, node)
            pairs = await standing.credited_pairs(session, ids)
            cuts = await sales.relation_rows(session, ids, "cut")
            circles: dict[int, int] = {}
            for number in _people_in(pairs, cuts):
                circles[number] = min(await people.members(session, number))
            groups = {group for _, _, group, _, _ in pairs if group is not None}
            names = await people.names_of(session, {*circles, *circles.values(), *groups})
        ended = {(circles[row.recommender_id], circles[row.buyer_id]) for row in cuts}
        found: dict[tuple[int, int], list[tuple[int, str, int | None]]] = {
            pair: [] for pair in sorted(ended)
        }
        for recommender, buyer, group, paid_us, order in pairs:
            pair = (circles[recommender], circles[buyer])
            found.setdefault(pair, []).append((paid_us, order, group))
        return [
            Relation(
                names[recommender],
                names[buyer],
                len({order for _, order, _ in met}),
                tuple(sorted({names[group] for _, _, group in met if group is not None})),
                moment(min(at for at, _, _ in met)) if met else None,
                moment(max(at for at, _, _ in met)) if met else None,
                (recommender, buyer) in ended,
            )
            for (recommender, buyer), met in found.items()
        ]

    async def groups_of(self, tokens: Iterable[str]) -> frozenset[str]:
        """In which chat groups the links with these tokens stand."""
        digests = [token_digest(token) for token in tokens]
        async with self._context.database.reading() as session:
            ids = await sales.groups_of_tokens(session, digests)
            return frozenset((await people.names_of(session, ids)).values())

    async def liked(self, buyer: str, weigh: Callable[[Relation], float]) -> dict[str, float]:
        """What those sold and had kept whose advice somebody followed before, over all channels.

        Args:
            buyer: Their node.
            weigh: How much a relation counts, in [0, 1].

        Returns:
            By SKU, the weight of the relation that speaks for it most.
        """
        relations = await self.relations(buyer)
        found: dict[str, float] = {}
        async with self._context.database.reading() as session:
            circle = await self._circle(session, buyer)
            names = await people.names_of(session, circle)
            mine = {*names.values(), buyer}
            for relation in relations:
                weight = weigh(relation) if relation.buyer in mine else 0.0
                if weight <= 0:
                    continue
                theirs = await self._circle(session, relation.recommender)
                for sku in await standing.kept_skus(session, theirs):
                    found[sku] = max(weight, found.get(sku, 0.0))
        return found

    async def claim(self, order: str, node: str) -> Purchase:
        """Somebody showed what only an order's buyer has: from now on they are one person.

        Raises:
            UnknownOrderError: Nothing was paid under that id.
        """
        async with self._turn() as turn:
            sale = await sales.sale_of(turn.session, order)
            if sale is None:
                raise UnknownOrderError(f"no order {order[:80]!r} was paid here; check the id")
            names = await people.names_of(turn.session, {sale.buyer_id})
            await self._join(turn, node, names[sale.buyer_id], "checkout", is_withdrawal=False)
            lines = await sales.lines_of(turn.session, order)
        delivered = None if sale.delivered_us is None else moment(sale.delivered_us)
        return Purchase(order, tuple(dict.fromkeys(line.sku for line in lines)), delivered)

    async def show_purchase(self, order: str, group: str) -> None:
        """The buyer lets a group see what they bought; otherwise nobody there ever does.

        Raises:
            UnknownOrderError: Nothing was paid under that id.
        """
        async with self._turn() as turn:
            if await sales.sale_of(turn.session, order) is None:
                raise UnknownOrderError(f"no order {order!r} was paid here; check the id")
            ids = await people.intern(turn.session, [group])
            await standing.show(turn.session, order, ids[group], turn.now)

    async def hide_purchase(self, order: str) -> None:
        """The buyer changed their mind."""
        async with self._turn() as turn:
            await standing.hide(turn.session, order)

    async def friends_who_bought(self, group: str, product: str) -> list[str]:
        """Who in a group bought a product, kept it, and let the group see it."""
        async with self._context.database.reading() as session:
            found = await people.ids_of(session, [group])
            if group not in found:
                return []
            buyers = await standing.shown_buyers(session, found[group], product)
            names = await people.names_of(session, buyers)
        named = [names[buyer] for buyer in buyers]
        return [name for name in named if not name.startswith("forgotten:")]

    async def forget(self, node: str) -> Erased:
        """Forget a person: their keys die, their names go, the amounts stay.

        Everything that is the same person by firm evidence goes with it. What was earned or owed
        stays in the books under a number, since tax law keeps it there.

        Raises:
            LedgerError: Nobody is known by that node.
        """
        async with self._turn() as turn:
            found = await people.ids_of(turn.session, [node])
            if node not in found:
                raise LedgerError(f"nobody is known by {node[:60]!r}; nothing was forgotten")
            ids = await people.members(turn.session, found[node])
            names = await people.names_of(turn.session, ids)
            await turn.session.execute(
                delete(PayoutAccount).where(PayoutAccount.recommender.in_(list(names.values())))
            )
            nodes, keys = await people.forget(turn.session, found[node], turn.now)
            kept = {
                "touches": await standing.touch_count(turn.session, ids),
                "orders": len(await sales.orders_of_buyers(turn.session, ids)),
                "recommended orders": len(await standing.credited_sales(turn.session, ids, None)),
            }
        return Erased(nodes, keys, kept)

    async def retain(self, *, is_dry_run: bool = False) -> Retained:
        """Remove touches older than thirteen months, under a seal that the audit goes on from.

        Raises:
            LedgerError: The chain is broken already; a seal would hide it.
        """
        async with self._turn() as turn:
            now_us = micros(turn.now)
            before_us = now_us - THIRTEEN_MONTHS_US
            what = await retention.removable(turn.session, before_us)
            if what is not None and not is_dry_run:
                _, _, found = await stating.problems(turn.session)
                if found:
                    raise LedgerError(f"nothing was removed: {found[0]}; see: commerce audit")
                await retention.remove(turn.session, what, before_us, now_us)
        removed, kept = (what.removed, what.kept) if what is not None else (0, 0)
        return Retained(moment(before_us), removed, kept, is_dry_run)

    async def export(self, node: str) -> Document:
        """Everything kept about one person, for whoever they are to read."""
        async with self._context.database.reading() as session:
            return await stating.export(session, node)

    async def audit(self) -> Audit:
        """Check every link of both chains, and every order's books against what happened."""
        async with self._context.database.reading() as session:
            touches, entries, problems = await stating.problems(session)
        return Audit(touches, entries, tuple(problems))

    async def _circle(self, session: Any, node: str) -> list[int]:
        found = await people.ids_of(session, [node])
        return await people.members(session, found[node]) if node in found else []


def _people_in(pairs: Iterable[Any], cuts: Iterable[Any]) -> set[int]:
    found = {number for recommender, buyer, *_ in pairs for number in (recommender, buyer)}
    return found | {number for row in cuts for number in (row.recommender_id, row.buyer_id)}
