"""The tables of the till: orders, what they hold, what their prices rest on, and the outbox."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from commerce.models.tables import Base, Key


class Order(Base):
    """One buyer's purchase, from the first hold of the goods to its last refund.

    ``status``: ``pending`` (held, no page yet), ``open`` (a payment page exists), ``processing``
    (the buyer confirmed, the money is on its way), ``paid``, ``released`` (expired, failed or
    cancelled: the goods are back on the shelf), ``returned`` (paid too late, all given back).
    """

    __tablename__ = "order_"
    __table_args__ = (
        CheckConstraint("refunded_minor >= 0", name="refunded_not_negative"),
        CheckConstraint("refunded_minor <= total_minor", name="refunded_within_total"),
        Index("ix_order__status_expires_at", "status", "expires_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    status: Mapped[str] = mapped_column(String(12))
    provider: Mapped[str] = mapped_column(String(12))
    is_test: Mapped[bool]
    currency: Mapped[str] = mapped_column(String(3))
    # What the lines cost before and after every reduction; shipping and tax come with the payment.
    list_minor: Mapped[int] = mapped_column(BigInteger)
    goods_minor: Mapped[int] = mapped_column(BigInteger)
    shipping_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    tax_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    total_minor: Mapped[int] = mapped_column(BigInteger)
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    goods_refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    fee_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    buyer: Mapped[str] = mapped_column(String(160), index=True)
    buyer_keys: Mapped[list[str]] = mapped_column(JSON, default=list)
    referral: Mapped[str | None] = mapped_column(String(200))
    session: Mapped[str | None] = mapped_column(String(100))
    group_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("group_order.id"))
    # The provider's names for the page, the payment and the charge.
    page_ref: Mapped[str | None] = mapped_column(String(255), index=True)
    page_url: Mapped[str | None] = mapped_column(Text)
    payment_ref: Mapped[str | None] = mapped_column(String(255), index=True)
    charge_ref: Mapped[str | None] = mapped_column(String(255))
    return_url: Mapped[str] = mapped_column(Text, default="")
    note: Mapped[str] = mapped_column(Text, default="")
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class OrderLine(Base):
    """What was bought, at which price, and why at that price."""

    __tablename__ = "order_line"
    __table_args__ = (CheckConstraint("quantity >= 1", name="quantity_positive"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    order_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("order_.id"), index=True)
    # None for a line that only the seller's own shop knows.
    variant_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("variant.id"))
    sku: Mapped[str] = mapped_column(String(200))
    product: Mapped[str] = mapped_column(String(255))
    title: Mapped[str] = mapped_column(String(300))
    quantity: Mapped[int]
    list_minor: Mapped[int] = mapped_column(BigInteger)
    unit_minor: Mapped[int] = mapped_column(BigInteger)
    mechanism: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(Text)


class Reservation(Base):
    """Units of a variant kept for an order: ``held``, then ``committed`` or ``released``."""

    __tablename__ = "reservation"
    __table_args__ = (CheckConstraint("quantity >= 1", name="quantity_positive"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    variant_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("variant.id"), index=True)
    order_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("order_.id"), index=True)
    quantity: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))


class Refund(Base):
    """Money that goes back: ``asked``, then ``done`` or ``failed``."""

    __tablename__ = "refund"
    __table_args__ = (CheckConstraint("amount_minor > 0", name="amount_positive"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    order_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("order_.id"), index=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    goods_minor: Mapped[int] = mapped_column(BigInteger)
    # Goods given back in minor units, by the line's place; None when the seller named no lines.
    lines: Mapped[dict[str, int] | None] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(8))
    refund_ref: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]


class Dispute(Base):
    """A buyer's bank asks for the money: ``warning``, ``withdrawn``, ``won`` or ``lost``."""

    __tablename__ = "dispute"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    dispute_ref: Mapped[str] = mapped_column(String(255), unique=True)
    order_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("order_.id"), index=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(10))


class ProviderEvent(Base):
    """A webhook of a payment provider or of the seller's own shop, once."""

    __tablename__ = "provider_event"
    __table_args__ = (UniqueConstraint("source", "event_id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    source: Mapped[str] = mapped_column(String(12))
    event_id: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(100))
    received_at: Mapped[datetime]
    body_sha256: Mapped[str] = mapped_column(String(64))


class Errand(Base):
    """The outbox: what must be done outside after a transaction, at least once.

    Written in the transaction that makes it necessary. Errands of one ``aggregate`` (an order) are
    done in the order of their ids.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_state_due_at", "state", "due_at"),
        Index("ix_outbox_aggregate_state", "aggregate", "state"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(160), unique=True)
    aggregate: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(8), default="waiting")  # waiting | done | dead
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class PriceRule(Base):
    """A mechanism that may set a price: a coupon, a flash price, or a floor under all of them.

    ``terms`` says what it gives; the counts are columns, because they are taken under contention.
    """

    __tablename__ = "price_rule"
    __table_args__ = (
        CheckConstraint("used >= 0", name="used_not_negative"),
        CheckConstraint("quota IS NULL OR used <= quota", name="used_within_quota"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(100), unique=True)
    kind: Mapped[str] = mapped_column(String(10))  # coupon | flash | floor
    sku: Mapped[str | None] = mapped_column(String(200), index=True)
    terms: Mapped[dict[str, Any]] = mapped_column(JSON)
    quota: Mapped[int | None]
    per_buyer: Mapped[int | None]
    used: Mapped[int] = mapped_column(default=0)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]


class PriceUse(Base):
    """How often a buyer used a mechanism: ``held`` with the order, ``kept`` once it is paid."""

    __tablename__ = "price_use"
    __table_args__ = (UniqueConstraint("order_id", "rule_key"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    rule_key: Mapped[str] = mapped_column(String(100), index=True)
    buyer: Mapped[str] = mapped_column(String(160))
    order_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("order_.id"))
    quantity: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))


class GroupOrder(Base):
    """Several buyers together: ``open``, at the deadline ``settled`` or ``failed``.

    ``ladder`` holds ``[people, unit price in minor units]``, dearest step (the target) first.
    """

    __tablename__ = "group_order"
    __table_args__ = (CheckConstraint("target >= 2", name="target_two_or_more"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    variant_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("variant.id"))
    sku: Mapped[str] = mapped_column(String(200))
    currency: Mapped[str] = mapped_column(String(3))
    target: Mapped[int]
    ladder: Mapped[list[list[int]]] = mapped_column(JSON)
    per_buyer: Mapped[int]
    leader: Mapped[str] = mapped_column(String(160))
    state: Mapped[str] = mapped_column(String(10))
    deadline: Mapped[datetime]
    final_minor: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime]


class GroupSeat(Base):
    """One buyer's place in a group order: ``held``, ``paid``, ``left``."""

    __tablename__ = "group_seat"
    __table_args__ = (UniqueConstraint("order_id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    group_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("group_order.id"), index=True)
    order_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("order_.id"))
    buyer: Mapped[str] = mapped_column(String(160))
    quantity: Mapped[int]
    state: Mapped[str] = mapped_column(String(6))
    paid_at: Mapped[datetime | None]


class Bargain(Base):
    """A price that friends bring down: the cuts are fixed by a seed whose hash is told first."""

    __tablename__ = "bargain"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    sku: Mapped[str] = mapped_column(String(200))
    buyer: Mapped[str] = mapped_column(String(160))
    currency: Mapped[str] = mapped_column(String(3))
    start_minor: Mapped[int] = mapped_column(BigInteger)
    floor_minor: Mapped[int] = mapped_column(BigInteger)
    helps: Mapped[int]
    seed: Mapped[str] = mapped_column(String(64))
    commitment: Mapped[str] = mapped_column(String(64))
    deadline: Mapped[datetime]
    created_at: Mapped[datetime]


class BargainHelp(Base):
    """One friend's cut; each person once."""

    __tablename__ = "bargain_help"
    __table_args__ = (
        UniqueConstraint("bargain_id", "helper"),
        UniqueConstraint("bargain_id", "place"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    bargain_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("bargain.id"))
    helper: Mapped[str] = mapped_column(String(160))
    place: Mapped[int]
    cut_minor: Mapped[int] = mapped_column(BigInteger)
    helped_at: Mapped[datetime]


class OwnShopVariant(Base):
    """What the seller's own shop (Shopify, WooCommerce) calls a variant of ours."""

    __tablename__ = "own_shop_variant"
    __table_args__ = (UniqueConstraint("platform", "sku"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    platform: Mapped[str] = mapped_column(String(12))
    sku: Mapped[str] = mapped_column(String(200))
    external_id: Mapped[str] = mapped_column(String(64))


class PayoutAccount(Base):
    """Where a recommender's commission goes: an account at the payment provider."""

    __tablename__ = "payout_account"
    __table_args__ = (UniqueConstraint("provider", "recommender"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    provider: Mapped[str] = mapped_column(String(12))
    recommender: Mapped[str] = mapped_column(String(160))
    account: Mapped[str] = mapped_column(String(255))


class SandboxObject(Base):
    """What the sandbox till remembers, as Stripe would: sessions, payments, refunds, events."""

    __tablename__ = "sandbox_object"
    __table_args__ = (Index("ix_sandbox_object_kind_parent", "kind", "parent"),)

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    # What it belongs to, so that it can be listed: a charge for its refunds, for example.
    parent: Mapped[str] = mapped_column(String(80), default="")
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]


class SandboxAnswer(Base):
    """The sandbox till's first answer to an idempotency key; empty while it is being worked on."""

    __tablename__ = "sandbox_answer"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(default=0)
    body: Mapped[str] = mapped_column(Text, default="")
