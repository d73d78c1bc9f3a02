"""The till: orders, reservations, prices, payments and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "group_order",
        sa.Column("id", _key, nullable=False),
        sa.Column("public_id", sa.String(40), nullable=False),
        sa.Column("variant_id", sa.BigInteger, nullable=False),
        sa.Column("sku", sa.String(200), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("target", sa.Integer, nullable=False),
        sa.Column("ladder", sa.JSON, nullable=False),
        sa.Column("per_buyer", sa.Integer, nullable=False),
        sa.Column("leader", sa.String(160), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("deadline", _moment, nullable=False),
        sa.Column("final_minor", sa.BigInteger),
        sa.Column("created_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_group_order"),
        sa.CheckConstraint("target >= 2", name="ck_group_order_target_two_or_more"),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name="fk_group_order_variant_id_variant"
        ),
        sa.UniqueConstraint("public_id", name="uq_group_order_public_id"),
    )
    op.create_table(
        "order_",
        sa.Column("id", _key, nullable=False),
        sa.Column("public_id", sa.String(40), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("provider", sa.String(12), nullable=False),
        sa.Column("is_test", sa.Boolean, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("list_minor", sa.BigInteger, nullable=False),
        sa.Column("goods_minor", sa.BigInteger, nullable=False),
        sa.Column("shipping_minor", sa.BigInteger, nullable=False),
        sa.Column("tax_minor", sa.BigInteger, nullable=False),
        sa.Column("total_minor", sa.BigInteger, nullable=False),
        sa.Column("refunded_minor", sa.BigInteger, nullable=False),
        sa.Column("goods_refunded_minor", sa.BigInteger, nullable=False),
        sa.Column("fee_minor", sa.BigInteger, nullable=False),
        sa.Column("buyer", sa.String(160), nullable=False),
        sa.Column("buyer_keys", sa.JSON, nullable=False),
        sa.Column("referral", sa.String(200)),
        sa.Column("session", sa.String(100)),
        sa.Column("group_id", sa.BigInteger),
        sa.Column("page_ref", sa.String(255)),
        sa.Column("page_url", sa.Text),
        sa.Column("payment_ref", sa.String(255)),
        sa.Column("charge_ref", sa.String(255)),
        sa.Column("return_url", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("expires_at", _moment, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("paid_at", _moment),
        sa.Column("delivered_at", _moment),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_order_"),
        sa.CheckConstraint("refunded_minor >= 0", name="ck_order__refunded_not_negative"),
        sa.CheckConstraint("refunded_minor <= total_minor", name="ck_order__refunded_within_total"),
        sa.ForeignKeyConstraint(
            ["group_id"], ["group_order.id"], name="fk_order__group_id_group_order"
        ),
        sa.UniqueConstraint("public_id", name="uq_order__public_id"),
    )
    op.create_index("ix_order__buyer", "order_", ["buyer"])
    op.create_index("ix_order__page_ref", "order_", ["page_ref"])
    op.create_index("ix_order__payment_ref", "order_", ["payment_ref"])
    op.create_index("ix_order__status_expires_at", "order_", ["status", "expires_at"])
    op.create_table(
        "order_line",
        sa.Column("id", _key, nullable=False),
        sa.Column("order_id", sa.BigInteger, nullable=False),
        sa.Column("variant_id", sa.BigInteger),
        sa.Column("sku", sa.String(200), nullable=False),
        sa.Column("product", sa.String(255), nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("list_minor", sa.BigInteger, nullable=False),
        sa.Column("unit_minor", sa.BigInteger, nullable=False),
        sa.Column("mechanism", sa.String(120), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_order_line"),
        sa.CheckConstraint("quantity >= 1", name="ck_order_line_quantity_positive"),
        sa.ForeignKeyConstraint(["order_id"], ["order_.id"], name="fk_order_line_order_id_order_"),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name="fk_order_line_variant_id_variant"
        ),
    )
    op.create_index("ix_order_line_order_id", "order_line", ["order_id"])
    op.create_table(
        "reservation",
        sa.Column("id", _key, nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("variant_id", sa.BigInteger, nullable=False),
        sa.Column("order_id", sa.BigInteger, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reservation"),
        sa.CheckConstraint("quantity >= 1", name="ck_reservation_quantity_positive"),
        sa.ForeignKeyConstraint(["order_id"], ["order_.id"], name="fk_reservation_order_id_order_"),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name="fk_reservation_variant_id_variant"
        ),
        sa.UniqueConstraint("key", name="uq_reservation_key"),
    )
    op.create_index("ix_reservation_order_id", "reservation", ["order_id"])
    op.create_index("ix_reservation_variant_id", "reservation", ["variant_id"])
    op.create_table(
        "refund",
        sa.Column("id", _key, nullable=False),
        sa.Column("order_id", sa.BigInteger, nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("goods_minor", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("refund_ref", sa.String(255)),
        sa.Column("created_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_refund"),
        sa.CheckConstraint("amount_minor > 0", name="ck_refund_amount_positive"),
        sa.ForeignKeyConstraint(["order_id"], ["order_.id"], name="fk_refund_order_id_order_"),
        sa.UniqueConstraint("key", name="uq_refund_key"),
    )
    op.create_index("ix_refund_order_id", "refund", ["order_id"])
    op.create_table(
        "dispute",
        sa.Column("id", _key, nullable=False),
        sa.Column("dispute_ref", sa.String(255), nullable=False),
        sa.Column("order_id", sa.BigInteger, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dispute"),
        sa.ForeignKeyConstraint(["order_id"], ["order_.id"], name="fk_dispute_order_id_order_"),
        sa.UniqueConstraint("dispute_ref", name="uq_dispute_dispute_ref"),
    )
    op.create_index("ix_dispute_order_id", "dispute", ["order_id"])
    op.create_table(
        "provider_event",
        sa.Column("id", _key, nullable=False),
        sa.Column("source", sa.String(12), nullable=False),
        sa.Column("event_id", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(100), nullable=False),
        sa.Column("received_at", _moment, nullable=False),
        sa.Column("body_sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_provider_event"),
        sa.UniqueConstraint("source", "event_id", name="uq_provider_event_source_event_id"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", _key, nullable=False),
        sa.Column("key", sa.String(160), nullable=False),
        sa.Column("aggregate", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", _moment, nullable=False),
        sa.Column("leased_until", _moment),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("done_at", _moment),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("key", name="uq_outbox_key"),
    )
    op.create_index("ix_outbox_aggregate_state", "outbox", ["aggregate", "state"])
    op.create_index("ix_outbox_state_due_at", "outbox", ["state", "due_at"])
    op.create_table(
        "price_rule",
        sa.Column("id", _key, nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("sku", sa.String(200)),
        sa.Column("terms", sa.JSON, nullable=False),
        sa.Column("quota", sa.Integer),
        sa.Column("per_buyer", sa.Integer),
        sa.Column("used", sa.Integer, nullable=False),
        sa.Column("starts_at", _moment),
        sa.Column("ends_at", _moment),
        sa.PrimaryKeyConstraint("id", name="pk_price_rule"),
        sa.CheckConstraint("used >= 0", name="ck_price_rule_used_not_negative"),
        sa.CheckConstraint(
            "quota IS NULL OR used <= quota", name="ck_price_rule_used_within_quota"
        ),
        sa.UniqueConstraint("key", name="uq_price_rule_key"),
    )
    op.create_index("ix_price_rule_sku", "price_rule", ["sku"])
    op.create_table(
        "price_use",
        sa.Column("id", _key, nullable=False),
        sa.Column("rule_key", sa.String(100), nullable=False),
        sa.Column("buyer", sa.String(160), nullable=False),
        sa.Column("order_id", sa.BigInteger, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_price_use"),
        sa.ForeignKeyConstraint(["order_id"], ["order_.id"], name="fk_price_use_order_id_order_"),
        sa.UniqueConstraint("order_id", "rule_key", name="uq_price_use_order_id_rule_key"),
    )
    op.create_index("ix_price_use_rule_key", "price_use", ["rule_key"])
    op.create_table(
        "group_seat",
        sa.Column("id", _key, nullable=False),
        sa.Column("group_id", sa.BigInteger, nullable=False),
        sa.Column("order_id", sa.BigInteger, nullable=False),
        sa.Column("buyer", sa.String(160), nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("state", sa.String(6), nullable=False),
        sa.Column("paid_at", _moment),
        sa.PrimaryKeyConstraint("id", name="pk_group_seat"),
        sa.ForeignKeyConstraint(
            ["group_id"], ["group_order.id"], name="fk_group_seat_group_id_group_order"
        ),
        sa.ForeignKeyConstraint(["order_id"], ["order_.id"], name="fk_group_seat_order_id_order_"),
        sa.UniqueConstraint("order_id", name="uq_group_seat_order_id"),
    )
    op.create_index("ix_group_seat_group_id", "group_seat", ["group_id"])
    op.create_table(
        "bargain",
        sa.Column("id", _key, nullable=False),
        sa.Column("public_id", sa.String(40), nullable=False),
        sa.Column("sku", sa.String(200), nullable=False),
        sa.Column("buyer", sa.String(160), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("start_minor", sa.BigInteger, nullable=False),
        sa.Column("floor_minor", sa.BigInteger, nullable=False),
        sa.Column("helps", sa.Integer, nullable=False),
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("commitment", sa.String(64), nullable=False),
        sa.Column("deadline", _moment, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bargain"),
        sa.UniqueConstraint("public_id", name="uq_bargain_public_id"),
    )
    op.create_table(
        "bargain_help",
        sa.Column("id", _key, nullable=False),
        sa.Column("bargain_id", sa.BigInteger, nullable=False),
        sa.Column("helper", sa.String(160), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("cut_minor", sa.BigInteger, nullable=False),
        sa.Column("helped_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bargain_help"),
        sa.ForeignKeyConstraint(
            ["bargain_id"], ["bargain.id"], name="fk_bargain_help_bargain_id_bargain"
        ),
        sa.UniqueConstraint("bargain_id", "helper", name="uq_bargain_help_bargain_id_helper"),
        sa.UniqueConstraint("bargain_id", "place", name="uq_bargain_help_bargain_id_place"),
    )
    op.create_table(
        "own_shop_variant",
        sa.Column("id", _key, nullable=False),
        sa.Column("platform", sa.String(12), nullable=False),
        sa.Column("sku", sa.String(200), nullable=False),
        sa.Column("external_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_own_shop_variant"),
        sa.UniqueConstraint("platform", "sku", name="uq_own_shop_variant_platform_sku"),
    )
    op.create_table(
        "payout_account",
        sa.Column("id", _key, nullable=False),
        sa.Column("provider", sa.String(12), nullable=False),
        sa.Column("recommender", sa.String(160), nullable=False),
        sa.Column("account", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payout_account"),
        sa.UniqueConstraint(
            "provider", "recommender", name="uq_payout_account_provider_recommender"
        ),
    )
    op.create_table(
        "sandbox_object",
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("parent", sa.String(80), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sandbox_object"),
    )
    op.create_index("ix_sandbox_object_kind_parent", "sandbox_object", ["kind", "parent"])
    op.create_table(
        "sandbox_answer",
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_sandbox_answer"),
    )


def downgrade() -> None:
    for table in (
        "sandbox_answer",
        "sandbox_object",
        "payout_account",
        "own_shop_variant",
        "bargain_help",
        "bargain",
        "group_seat",
        "price_use",
        "price_rule",
        "outbox",
        "provider_event",
        "dispute",
        "refund",
        "reservation",
        "order_line",
        "order_",
        "group_order",
    ):
        op.drop_table(table)
