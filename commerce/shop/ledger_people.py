"""The ledger's ear: who met whom, by which link, and who is the same person."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from sqlalchemy.ext.asyncio import AsyncSession

from commerce.attribution import identity
from commerce.attribution.bookkeeping import Turn, restate, rule_at
from commerce.attribution.disclosure import disclosure
from commerce.attribution.news import micros
from commerce.attribution.repository import chains, people, sales
from commerce.errors import LedgerError
from commerce.models.ledger import ReferralToken
from commerce.models.referrals import TOUCH_KINDS, Destination, Evidence, Referral, TouchKind
from commerce.settings import read_settings
from commerce.shop.context import Context

_TOKEN_BYTES = 16
_LINK_LIFE = timedelta(days=30)
_MOST_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Contact:
    """One touch to be written; the fields are those of ``Ledger.touch``."""

    kind: TouchKind
    actor: str
    group: str | None = None
    recommender: str | None = None
    sku: str | None = None
    session: str | None = None
    token: str | None = None
    channel: str | None = None
    occurred_at: datetime | None = None


class LedgerPeople:
    """Touches, links and identities."""

    def __init__(
        self, context: Context, entropy: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._context = context
        self._entropy = entropy
        self._secrets: dict[str, bytes] = {}

    async def node(self, kind: str, *parts: str) -> str:
        """The pseudonym of somebody or something, such as of ``"chat", "telegram", "4711"``.

        The same parts give the same node until it is forgotten; nothing leads back from the node
        to the parts without the shop's secrets.

        Raises:
            LedgerError: An unknown kind, or empty parts.
        """
        tag = identity.tag(await self._secret("pepper"), kind, parts)
        async with self._context.database.reading() as session:
            found = await people.node_of_tag(session, tag)
        if found is not None:
            return found
        async with self._turn() as turn:
            found = await people.node_of_tag(turn.session, tag)
            if found is None:
                key = self._entropy(identity.KEY_BYTES)
                found = identity.pseudonym(key, kind, parts)
                await people.keep_subject(turn.session, tag, key, found, turn.now)
        return found

    async def touch(
        self,
        *,
        kind: TouchKind,
        actor: str,
        group: str | None = None,
        recommender: str | None = None,
        sku: str | None = None,
        session: str | None = None,
        token: str | None = None,
        channel: str | None = None,
        occurred_at: datetime | None = None,
    ) -> int:
        """Write down a contact; one that is told late still counts until its order is locked.

        Args:
            kind: What happened.
            actor: Node of who did it, or to whom it was shown.
            group: Node of the group it happened in.
            recommender: Node of who caused it.
            sku: The product it was about.
            session: The live session it belongs to.
            token: The link behind it; fills whatever else is not given.
            channel: Channel name, such as ``telegram``.
            occurred_at: When; now unless given.

        Returns:
            Its number in the chain.

        Raises:
            LedgerError: An unknown kind or link, a text that is no node, or a time to come.
        """
        contact = Contact(
            kind, actor, group, recommender, sku, session, token, channel, occurred_at
        )
        (number,) = await self.touches([contact])
        return number

    async def touches(self, contacts: Iterable[Contact]) -> list[int]:
        """Write down many contacts in one transaction; see ``touch``."""
        wanted = list(contacts)
        async with self._turn() as turn:
            numbers, rows = await self._append(turn, wanted)
            for row in rows:
                if row["recommender_id"] is not None:
                    await self._reattribute(turn, [row["actor_id"]], row["occurred_us"])
        return numbers

    async def issue(self, referral: Referral) -> str:
        """Make the link's token for a message about to be sent, and note that it is shown.

        Returns:
            22 letters that nobody can guess; the ledger keeps only their digest.
        """
        token = base64.urlsafe_b64encode(self._entropy(_TOKEN_BYTES)).rstrip(b"=").decode()
        pepper = await self._secret("pepper")
        async with self._turn() as turn:
            named = [node for node in (referral.recommender, referral.group) if node is not None]
            ids: Mapping[str | None, int] = await people.intern(turn.session, named)  # type: ignore[assignment]
            recommender = ids.get(referral.recommender)
            parent = None
            if recommender is not None:
                circle = await people.members(turn.session, recommender)
                parent = await sales.last_token_followed(turn.session, circle)
            message = referral.message_ref
            row = {
                "digest": token_digest(token),
                "recommender_id": recommender,
                "group_id": ids.get(referral.group),
                "channel": referral.channel,
                "message_digest": message
                and hmac.new(pepper, message.encode(), hashlib.sha256).hexdigest(),
                "sku": referral.sku,
                "session": referral.session,
                "parent_id": parent,
                "issued_at": turn.now,
                "expires_at": referral.expires_at or turn.now + _LINK_LIFE,
            }
            await sales.add_token(turn.session, row)
            shown_to = referral.group or referral.recommender
            if shown_to is not None:
                await self._append(turn, [Contact("impression", shown_to, token=token)])
        return token

    async def follow(
        self, token: str, *, visitor: str, is_preview: bool = False, language: str = "en"
    ) -> Destination | None:
        """Somebody opened a link.

        Args:
            token: From the address.
            visitor: Node of who opened it.
            is_preview: Whether a machine did, to show a preview; that never earns anything.
            language: Of the disclosure.

        Returns:
            Where it leads; None when there is no such link.
        """
        async with self._turn() as turn:
            row = await sales.token_row(turn.session, token_digest(token))
            if row is None:
                return None
            is_expired = row.expires_at <= turn.now
            contact = Contact("preview" if is_preview else "click", visitor, token=token)
            _, (touch,) = await self._append(turn, [contact])
            if not is_preview and touch["recommender_id"] is not None:
                await self._reattribute(turn, [touch["actor_id"]], touch["occurred_us"])
            rule = await rule_at(turn.session, micros(turn.now))
            earns = row.recommender_id is not None and not is_expired
            names = await people.names_of(
                turn.session, [row.recommender_id] if row.recommender_id is not None else []
            )
            return Destination(
                sku=row.sku,
                session=row.session,
                recommender=names.get(row.recommender_id or 0) if earns else None,
                disclosure=disclosure(rule.highest_bps if earns else None, language),
                is_expired=is_expired,
            )

    async def disclosure(self, recommender: str | None, language: str = "en") -> str:
        """The label that belongs to every recommendation: who earns, and that an AI presents."""
        async with self._context.database.reading() as session:
            rule = await rule_at(session, micros(self._context.clock()))
        return disclosure(rule.highest_bps if recommender is not None else None, language)

    async def link(self, a: str, b: str, evidence: Evidence) -> None:
        """Two nodes are one person (``token``, ``login``, ``checkout``), or may be (the hints).

        Raises:
            LedgerError: Unknown evidence, or a text that is no node.
        """
        if evidence not in get_args(Evidence):
            known = ", ".join(get_args(Evidence))
            raise LedgerError(f"{evidence!r} is no evidence; use one of {known}")
        async with self._turn() as turn:
            await self._join(turn, a, b, evidence, is_withdrawal=False)

    async def withdraw(self, a: str, b: str) -> None:
        """The evidence between two nodes was mistaken; they may be different people."""
        async with self._turn() as turn:
            await self._join(turn, a, b, "withdrawn", is_withdrawal=True)

    # -----------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Turn]:
        async with self._context.database.writing() as session:
            heads = await chains.turn(session)
            yield Turn(session, heads, self._context.clock())

    async def _join(
        self, turn: Turn, a: str, b: str, evidence: str, *, is_withdrawal: bool
    ) -> None:
        ids = await people.intern(turn.session, [a, b])
        pair = (ids[a], ids[b])
        before = {other for node in pair for other in await people.members(turn.session, node)}
        is_news = await people.add_edge(
            turn.session, *pair, evidence, turn.now, is_withdrawal=is_withdrawal
        )
        if is_news:
            await people.rejoin(turn.session, before)
            # An order's own node never did anything that could earn.
            if "order" not in {people.node_kind(a), people.node_kind(b)}:
                await self._reattribute(turn, sorted(before), 0)

    async def _append(
        self, turn: Turn, contacts: Iterable[Contact]
    ) -> tuple[list[int], list[dict[str, Any]]]:
        wanted = list(contacts)
        named = {
            node
            for contact in wanted
            for node in (contact.actor, contact.group, contact.recommender)
            if node is not None
        }
        ids = await people.intern(turn.session, named)
        rows = [await self._touch_row(turn, contact, ids) for contact in wanted]
        numbers = await chains.append_touches(turn.session, turn.heads["touch"], rows)
        return numbers, rows

    async def _touch_row(
        self, turn: Turn, contact: Contact, ids: Mapping[str, int]
    ) -> dict[str, Any]:
        if contact.kind not in TOUCH_KINDS:
            raise LedgerError(
                f"{contact.kind!r} is no kind of touch; use one of {', '.join(TOUCH_KINDS)}"
            )
        occurred_at = contact.occurred_at or turn.now
        if occurred_at > turn.now + _MOST_AHEAD:
            raise LedgerError(f"a touch at {occurred_at.isoformat()} lies in the future")
        token = await self._known_token(turn.session, contact.token)
        is_live = token is not None and token.expires_at > occurred_at

        def of_token(name: str) -> Any:
            return getattr(token, name) if token is not None else None

        recommender = ids[contact.recommender] if contact.recommender else None
        return {
            "kind": contact.kind,
            "actor_id": ids[contact.actor],
            "group_id": ids[contact.group] if contact.group else of_token("group_id"),
            "recommender_id": recommender or (of_token("recommender_id") if is_live else None),
            "sku": contact.sku or of_token("sku"),
            "session": contact.session or of_token("session"),
            "token_id": of_token("id"),
            "channel": contact.channel or of_token("channel"),
            "occurred_us": micros(occurred_at),
            "recorded_us": micros(turn.now),
        }

    async def _known_token(self, session: AsyncSession, token: str | None) -> ReferralToken | None:
        if token is None:
            return None
        row = await sales.token_row(session, token_digest(token))
        if row is None:
            raise LedgerError("no link has that token; issue one with ledger.issue(Referral(...))")
        return row

    async def _reattribute(self, turn: Turn, actors: list[int], since_us: int) -> int:
        """Look again at every order that these people paid since then."""
        circle = {node for actor in actors for node in await people.members(turn.session, actor)}
        orders = await sales.orders_of_buyers(turn.session, sorted(circle), since_us)
        for order in orders:
            await restate(turn, order, "attribution")
        return len(orders)

    async def _secret(self, name: str) -> bytes:
        """A secret of the shop: from the settings, else made once and kept in the database."""
        if name in self._secrets:
            return self._secrets[name]
        master = read_settings().ledger_key
        if master is not None:
            raw = hashlib.sha256(master.get_secret_value().encode()).digest()
            value = hmac.new(raw, b"livepitch ledger " + name.encode(), hashlib.sha256).digest()
        else:
            async with self._context.database.reading() as session:
                kept = await people.secret(session, name)
            value = kept if kept is not None else await self._made_secret(name)
        self._secrets[name] = value
        return value

    async def _made_secret(self, name: str) -> bytes:
        async with self._turn() as turn:
            kept = await people.secret(turn.session, name)
            if kept is None:
                kept = self._entropy(identity.KEY_BYTES)
                await people.keep_secret(turn.session, name, kept)
        return kept


def token_digest(token: str) -> str:
    """What the database knows of a link's token."""
    return hashlib.sha256(b"referral\n" + token.encode()).hexdigest()
