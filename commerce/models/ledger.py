"""The tables of the ledger: touches, identity, credit, journal and postings.

Touches, news, runs, credits, journal and postings are only ever added to: triggers refuse every
change. What is computed from them (``sale``, ``identity_member``) may be rebuilt at any time.
Moments that are compared in bulk are microseconds since 1970, UTC (``_us``).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from commerce.models.tables import Base, Key

APPEND_ONLY = (
    "touch",
    "identity_edge",
    "ledger_news",
    "attribution_run",
    "attribution_credit",
    "journal",
    "posting",
    "commission_rule",
    "hold_decision",
    "recommendation_edge",
)
"""Tables whose rows never change and never leave."""


class LedgerSecret(Base):
    """What only this shop knows: the pepper of its pseudonyms and its signing key."""

    __tablename__ = "ledger_secret"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)


class SubjectKey(Base):
    """The key that makes one person's pseudonym; deleting it is what forgetting means."""

    __tablename__ = "subject_key"

    tag: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)
    node: Mapped[str] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime]


class IdentityNode(Base):
    """Somebody or something that takes part; the name is null once forgotten."""

    __tablename__ = "identity_node"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    node: Mapped[str | None] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(20))


class IdentityEdge(Base):
    """Evidence that two nodes are one person, or the withdrawal of all evidence between them."""

    __tablename__ = "identity_edge"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    a_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identity_node.id"), index=True)
    b_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identity_node.id"), index=True)
    evidence: Mapped[str] = mapped_column(String(20))
    is_withdrawal: Mapped[bool]
    recorded_at: Mapped[datetime]


class IdentityMember(Base):
    """Which nodes are one person, rebuilt from the edges; a node without a row stands alone."""

    __tablename__ = "identity_member"

    node_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identity_node.id"), primary_key=True, autoincrement=False
    )
    root_id: Mapped[int] = mapped_column(BigInteger, index=True)


class ReferralToken(Base):
    """A link we put into one chat message; only the digest of its secret is kept."""

    __tablename__ = "referral_token"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    recommender_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("identity_node.id"))
    group_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("identity_node.id"))
    channel: Mapped[str | None] = mapped_column(String(30))
    message_digest: Mapped[str | None] = mapped_column(String(64))
    sku: Mapped[str | None] = mapped_column(String(200))
    session: Mapped[str | None] = mapped_column(String(100))
    # Whose link had brought the recommender: lineage is kept, commission does not climb it.
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("referral_token.id"))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Chain(Base):
    """The newest link of a hash chain; locking its row serialises appending."""

    __tablename__ = "chain"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    length: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))


class Touch(Base):
    """One recorded contact; each row's hash covers the row before it."""

    __tablename__ = "touch"
    __table_args__ = (Index("ix_touch_actor_id_occurred_us", "actor_id", "occurred_us"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(12))
    actor_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identity_node.id"))
    group_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("identity_node.id"), index=True
    )
    recommender_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("identity_node.id"), index=True
    )
    sku: Mapped[str | None] = mapped_column(String(200))
    session: Mapped[str | None] = mapped_column(String(100))
    token_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("referral_token.id"))
    channel: Mapped[str | None] = mapped_column(String(30))
    occurred_us: Mapped[int] = mapped_column(BigInteger)
    recorded_us: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))


class LedgerNews(Base):
    """What the till told, once each: the books are computed from the set of these rows."""

    __tablename__ = "ledger_news"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    order: Mapped[str] = mapped_column("order_public_id", String(64), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(64), unique=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    buyer_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("identity_node.id"))
    token_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("referral_token.id"))
    recorded_at: Mapped[datetime]


class Sale(Base):
    """One paid order as the news add up to it: a projection."""

    __tablename__ = "sale"

    order: Mapped[str] = mapped_column("order_public_id", String(64), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    buyer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identity_node.id"), index=True)
    currency: Mapped[str] = mapped_column(String(3))
    paid_us: Mapped[int] = mapped_column(BigInteger, index=True)
    goods_minor: Mapped[int] = mapped_column(BigInteger)
    goods_back_minor: Mapped[int] = mapped_column(BigInteger)
    # Share of the commission that went with the returned goods, as "1/3"; None in rows of a version
    # that took it in proportion.
    commission_gone: Mapped[str | None] = mapped_column(String(120))
    total_minor: Mapped[int] = mapped_column(BigInteger)
    refunded_minor: Mapped[int] = mapped_column(BigInteger)
    is_disputed: Mapped[bool]
    is_lost: Mapped[bool]
    is_test: Mapped[bool]
    source: Mapped[str] = mapped_column(String(20))
    session: Mapped[str | None] = mapped_column(String(100))
    delivered_us: Mapped[int | None] = mapped_column(BigInteger)
    # When its commission became payable; only settling sets it.
    matured_us: Mapped[int | None] = mapped_column(BigInteger)
    run_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("attribution_run.id"))
    signals: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    is_held: Mapped[bool] = mapped_column(index=True)
    verdict: Mapped[str | None] = mapped_column(String(10))


class SaleLine(Base):
    """One line of a paid order, with the rate its commission is taken at: a projection."""

    __tablename__ = "sale_line"

    order: Mapped[str] = mapped_column(
        "order_public_id", String(64), ForeignKey("sale.order_public_id"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(200))
    product: Mapped[str] = mapped_column(String(255))
    category: Mapped[str | None] = mapped_column(String(300))
    quantity: Mapped[int]
    net_minor: Mapped[int] = mapped_column(BigInteger)
    mechanism: Mapped[str] = mapped_column(String(120))
    commission_bps: Mapped[int]
    # Given back for this very line, where refunds name lines.
    returned_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class CommissionRuleRow(Base):
    """A rule as declared; an order follows the one in force when it was paid."""

    __tablename__ = "commission_rule"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    rule: Mapped[dict[str, Any]] = mapped_column(JSON)
    declared_us: Mapped[int] = mapped_column(BigInteger)


class AttributionRun(Base):
    """One computation of who earned an order; a new answer is a new row."""

    __tablename__ = "attribution_run"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    order: Mapped[str] = mapped_column("order_public_id", String(64), index=True)
    model: Mapped[str] = mapped_column(String(30))
    inputs: Mapped[dict[str, Any]] = mapped_column(JSON)
    inputs_hash: Mapped[str] = mapped_column(String(64))
    computed_at: Mapped[datetime]


class AttributionCredit(Base):
    """A share of one order, with the touch and the reason that earned it."""

    __tablename__ = "attribution_credit"

    run_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("attribution_run.id"), primary_key=True, autoincrement=False
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    recommender_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identity_node.id"), index=True
    )
    touch_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("touch.id"))
    hop: Mapped[int]
    # Exact; a product of long journeys outgrows 64 bits.
    share_num: Mapped[str] = mapped_column(String(120))
    share_den: Mapped[str] = mapped_column(String(120))
    commission_minor: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(200))


class Account(Base):
    """Where money stands: an asset, an income, or what is owed to somebody."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    code: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(30))
    owner_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("identity_node.id"))
    currency: Mapped[str] = mapped_column(String(3))


class Posting(Base):
    """One side of an entry: debit above zero, credit below."""

    __tablename__ = "posting"
    __table_args__ = (CheckConstraint("amount_minor <> 0", name="amount_moves"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    # Deferred: postings are written before their journal, whose arrival seals and checks them.
    journal_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("journal.id", deferrable=True, initially="DEFERRED"), index=True
    )
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"), index=True)
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)


class Journal(Base):
    """One entry of the books; its postings sum to zero, its hash covers the entry before."""

    __tablename__ = "journal"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(20))
    idempotency_key: Mapped[str] = mapped_column(String(150), unique=True)
    order: Mapped[str | None] = mapped_column("order_public_id", String(64), index=True)
    source: Mapped[str] = mapped_column(String(100))
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    reverses_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("journal.id"))
    hash: Mapped[str] = mapped_column(String(64))


class PayoutRow(Base):
    """Money on its way to a recommender."""

    __tablename__ = "payout"
    __table_args__ = (CheckConstraint("amount_minor > 0", name="amount_is_positive"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    recommender_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identity_node.id"), index=True
    )
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    taken_back_minor: Mapped[int] = mapped_column(BigInteger)
    is_test: Mapped[bool]
    state: Mapped[str] = mapped_column(String(10))
    rail: Mapped[str] = mapped_column(String(20))
    reference: Mapped[str | None] = mapped_column(String(120))
    problem: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class HoldDecision(Base):
    """What a person decided about an order whose commission is held."""

    __tablename__ = "hold_decision"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    order: Mapped[str] = mapped_column("order_public_id", String(64), index=True)
    verdict: Mapped[str] = mapped_column(String(10))
    by: Mapped[str] = mapped_column("decided_by", String(100))
    note: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime]


class RecommendationEdge(Base):
    """Who recommends to whom, in which group: made by a credited order, cut by either side."""

    __tablename__ = "recommendation_edge"
    __table_args__ = (
        # Named, because PostgreSQL knows no name beyond 63 characters.
        UniqueConstraint(
            "recommender_id",
            "buyer_id",
            "order_public_id",
            "event",
            name="uq_recommendation_edge_once",
        ),
        Index("ix_recommendation_edge_buyer_id", "buyer_id"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    recommender_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identity_node.id"))
    buyer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identity_node.id"))
    group_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("identity_node.id"))
    event: Mapped[str] = mapped_column(String(10))
    order: Mapped[str | None] = mapped_column("order_public_id", String(64))
    occurred_us: Mapped[int] = mapped_column(BigInteger)


class PurchaseShown(Base):
    """A buyer lets a group see one purchase; without a row it is nobody's business."""

    __tablename__ = "purchase_shown"

    order: Mapped[str] = mapped_column("order_public_id", String(64), primary_key=True)
    group_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identity_node.id"), primary_key=True, autoincrement=False
    )
    shown_at: Mapped[datetime]


class Erasure(Base):
    """A person forgotten; the hash keeps news still on its way from reviving the name."""

    __tablename__ = "erasure"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    subject_hash: Mapped[str] = mapped_column(String(64), unique=True)
    node_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identity_node.id"))
    scope: Mapped[str] = mapped_column(String(40))
    completed_at: Mapped[datetime]
