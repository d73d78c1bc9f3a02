"""The ledger: touches, identity, credit, journal and postings."""

import sqlalchemy as sa
from alembic import op

from commerce.migrations import guards

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_moment = sa.DateTime(timezone=True)
_TABLES = (
    "attribution_run",
    "chain",
    "commission_rule",
    "hold_decision",
    "identity_node",
    "journal",
    "ledger_secret",
    "subject_key",
    "account",
    "erasure",
    "identity_edge",
    "identity_member",
    "payout",
    "purchase_shown",
    "recommendation_edge",
    "referral_token",
    "sale",
    "ledger_news",
    "posting",
    "sale_line",
    "touch",
    "attribution_credit",
)
_APPEND_ONLY = (
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


def upgrade() -> None:
    op.create_table(
        "attribution_run",
        sa.Column("id", _key, nullable=False),
        sa.Column("order_public_id", sa.String(64), nullable=False),
        sa.Column("model", sa.String(30), nullable=False),
        sa.Column("inputs", sa.JSON, nullable=False),
        sa.Column("inputs_hash", sa.String(64), nullable=False),
        sa.Column("computed_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attribution_run"),
    )
    op.create_index("ix_attribution_run_order_public_id", "attribution_run", ["order_public_id"])
    op.create_table(
        "chain",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_chain"),
    )
    op.create_table(
        "commission_rule",
        sa.Column("id", _key, nullable=False),
        sa.Column("rule", sa.JSON, nullable=False),
        sa.Column("declared_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_commission_rule"),
    )
    op.create_table(
        "hold_decision",
        sa.Column("id", _key, nullable=False),
        sa.Column("order_public_id", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(10), nullable=False),
        sa.Column("decided_by", sa.String(100), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("decided_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hold_decision"),
    )
    op.create_index("ix_hold_decision_order_public_id", "hold_decision", ["order_public_id"])
    op.create_table(
        "identity_node",
        sa.Column("id", _key, nullable=False),
        sa.Column("node", sa.String(120), nullable=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_identity_node"),
        sa.UniqueConstraint("node", name="uq_identity_node_node"),
    )
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("idempotency_key", sa.String(150), nullable=False),
        sa.Column("order_public_id", sa.String(64), nullable=True),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("occurred_at", _moment, nullable=False),
        sa.Column("recorded_at", _moment, nullable=False),
        sa.Column("reverses_id", sa.BigInteger, nullable=True),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["journal.id"], name="fk_journal_reverses_id_journal"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
        sa.UniqueConstraint("idempotency_key", name="uq_journal_idempotency_key"),
    )
    op.create_index("ix_journal_order_public_id", "journal", ["order_public_id"])
    op.create_table(
        "ledger_secret",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_ledger_secret"),
    )
    op.create_table(
        "subject_key",
        sa.Column("tag", sa.String(64), nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("node", sa.String(120), nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("tag", name="pk_subject_key"),
        sa.UniqueConstraint("node", name="uq_subject_key_node"),
    )
    op.create_table(
        "account",
        sa.Column("id", _key, nullable=False),
        sa.Column("code", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("owner_id", sa.BigInteger, nullable=True),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["identity_node.id"], name="fk_account_owner_id_identity_node"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("code", name="uq_account_code"),
    )
    op.create_table(
        "erasure",
        sa.Column("id", _key, nullable=False),
        sa.Column("subject_hash", sa.String(64), nullable=False),
        sa.Column("node_id", sa.BigInteger, nullable=False),
        sa.Column("scope", sa.String(40), nullable=False),
        sa.Column("completed_at", _moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["node_id"], ["identity_node.id"], name="fk_erasure_node_id_identity_node"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_erasure"),
        sa.UniqueConstraint("subject_hash", name="uq_erasure_subject_hash"),
    )
    op.create_table(
        "identity_edge",
        sa.Column("id", _key, nullable=False),
        sa.Column("a_id", sa.BigInteger, nullable=False),
        sa.Column("b_id", sa.BigInteger, nullable=False),
        sa.Column("evidence", sa.String(20), nullable=False),
        sa.Column("is_withdrawal", sa.Boolean, nullable=False),
        sa.Column("recorded_at", _moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["a_id"], ["identity_node.id"], name="fk_identity_edge_a_id_identity_node"
        ),
        sa.ForeignKeyConstraint(
            ["b_id"], ["identity_node.id"], name="fk_identity_edge_b_id_identity_node"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_identity_edge"),
    )
    op.create_index("ix_identity_edge_a_id", "identity_edge", ["a_id"])
    op.create_index("ix_identity_edge_b_id", "identity_edge", ["b_id"])
    op.create_table(
        "identity_member",
        sa.Column("node_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("root_id", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(
            ["node_id"], ["identity_node.id"], name="fk_identity_member_node_id_identity_node"
        ),
        sa.PrimaryKeyConstraint("node_id", name="pk_identity_member"),
    )
    op.create_index("ix_identity_member_root_id", "identity_member", ["root_id"])
    op.create_table(
        "payout",
        sa.Column("id", _key, nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("recommender_id", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("taken_back_minor", sa.BigInteger, nullable=False),
        sa.Column("is_test", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("rail", sa.String(20), nullable=False),
        sa.Column("reference", sa.String(120), nullable=True),
        sa.Column("problem", sa.Text, nullable=True),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("settled_at", _moment, nullable=True),
        sa.CheckConstraint("amount_minor > 0", name="ck_payout_amount_is_positive"),
        sa.ForeignKeyConstraint(
            ["recommender_id"], ["identity_node.id"], name="fk_payout_recommender_id_identity_node"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payout"),
        sa.UniqueConstraint("key", name="uq_payout_key"),
    )
    op.create_index("ix_payout_recommender_id", "payout", ["recommender_id"])
    op.create_table(
        "purchase_shown",
        sa.Column("order_public_id", sa.String(64), nullable=False),
        sa.Column("group_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("shown_at", _moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["identity_node.id"], name="fk_purchase_shown_group_id_identity_node"
        ),
        sa.PrimaryKeyConstraint("order_public_id", "group_id", name="pk_purchase_shown"),
    )
    op.create_table(
        "recommendation_edge",
        sa.Column("id", _key, nullable=False),
        sa.Column("recommender_id", sa.BigInteger, nullable=False),
        sa.Column("buyer_id", sa.BigInteger, nullable=False),
        sa.Column("group_id", sa.BigInteger, nullable=True),
        sa.Column("event", sa.String(10), nullable=False),
        sa.Column("order_public_id", sa.String(64), nullable=True),
        sa.Column("occurred_us", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(
            ["buyer_id"], ["identity_node.id"], name="fk_recommendation_edge_buyer_id_identity_node"
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["identity_node.id"], name="fk_recommendation_edge_group_id_identity_node"
        ),
        sa.ForeignKeyConstraint(
            ["recommender_id"],
            ["identity_node.id"],
            name="fk_recommendation_edge_recommender_id_identity_node",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_recommendation_edge"),
        sa.UniqueConstraint(
            "recommender_id",
            "buyer_id",
            "order_public_id",
            "event",
            name="uq_recommendation_edge_once",
        ),
    )
    op.create_index("ix_recommendation_edge_buyer_id", "recommendation_edge", ["buyer_id"])
    op.create_table(
        "referral_token",
        sa.Column("id", _key, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("recommender_id", sa.BigInteger, nullable=True),
        sa.Column("group_id", sa.BigInteger, nullable=True),
        sa.Column("channel", sa.String(30), nullable=True),
        sa.Column("message_digest", sa.String(64), nullable=True),
        sa.Column("sku", sa.String(200), nullable=True),
        sa.Column("session", sa.String(100), nullable=True),
        sa.Column("parent_id", sa.BigInteger, nullable=True),
        sa.Column("issued_at", _moment, nullable=False),
        sa.Column("expires_at", _moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["identity_node.id"], name="fk_referral_token_group_id_identity_node"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["referral_token.id"], name="fk_referral_token_parent_id_referral_token"
        ),
        sa.ForeignKeyConstraint(
            ["recommender_id"],
            ["identity_node.id"],
            name="fk_referral_token_recommender_id_identity_node",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_referral_token"),
        sa.UniqueConstraint("digest", name="uq_referral_token_digest"),
    )
    op.create_table(
        "sale",
        sa.Column("order_public_id", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("buyer_id", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("paid_us", sa.BigInteger, nullable=False),
        sa.Column("goods_minor", sa.BigInteger, nullable=False),
        sa.Column("goods_back_minor", sa.BigInteger, nullable=False),
        sa.Column("total_minor", sa.BigInteger, nullable=False),
        sa.Column("refunded_minor", sa.BigInteger, nullable=False),
        sa.Column("is_disputed", sa.Boolean, nullable=False),
        sa.Column("is_lost", sa.Boolean, nullable=False),
        sa.Column("is_test", sa.Boolean, nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("session", sa.String(100), nullable=True),
        sa.Column("delivered_us", sa.BigInteger, nullable=True),
        sa.Column("matured_us", sa.BigInteger, nullable=True),
        sa.Column("run_id", sa.BigInteger, nullable=True),
        sa.Column("signals", sa.JSON, nullable=False),
        sa.Column("is_held", sa.Boolean, nullable=False),
        sa.Column("verdict", sa.String(10), nullable=True),
        sa.ForeignKeyConstraint(
            ["buyer_id"], ["identity_node.id"], name="fk_sale_buyer_id_identity_node"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["attribution_run.id"], name="fk_sale_run_id_attribution_run"
        ),
        sa.PrimaryKeyConstraint("order_public_id", name="pk_sale"),
        sa.UniqueConstraint("number", name="uq_sale_number"),
    )
    op.create_index("ix_sale_buyer_id", "sale", ["buyer_id"])
    op.create_index("ix_sale_is_held", "sale", ["is_held"])
    op.create_index("ix_sale_paid_us", "sale", ["paid_us"])
    op.create_table(
        "ledger_news",
        sa.Column("id", _key, nullable=False),
        sa.Column("order_public_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("buyer_id", sa.BigInteger, nullable=True),
        sa.Column("token_id", sa.BigInteger, nullable=True),
        sa.Column("recorded_at", _moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["buyer_id"], ["identity_node.id"], name="fk_ledger_news_buyer_id_identity_node"
        ),
        sa.ForeignKeyConstraint(
            ["token_id"], ["referral_token.id"], name="fk_ledger_news_token_id_referral_token"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_news"),
        sa.UniqueConstraint("key", name="uq_ledger_news_key"),
    )
    op.create_index("ix_ledger_news_order_public_id", "ledger_news", ["order_public_id"])
    op.create_table(
        "posting",
        sa.Column("id", _key, nullable=False),
        sa.Column("journal_id", sa.BigInteger, nullable=False),
        sa.Column("account_id", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name="ck_posting_amount_moves"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_posting_account_id_account"
        ),
        sa.ForeignKeyConstraint(
            ["journal_id"],
            ["journal.id"],
            name="fk_posting_journal_id_journal",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_posting"),
    )
    op.create_index("ix_posting_account_id", "posting", ["account_id"])
    op.create_index("ix_posting_journal_id", "posting", ["journal_id"])
    op.create_table(
        "sale_line",
        sa.Column("order_public_id", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("sku", sa.String(200), nullable=False),
        sa.Column("product", sa.String(255), nullable=False),
        sa.Column("category", sa.String(300), nullable=True),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("net_minor", sa.BigInteger, nullable=False),
        sa.Column("mechanism", sa.String(120), nullable=False),
        sa.Column("commission_bps", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["order_public_id"], ["sale.order_public_id"], name="fk_sale_line_order_public_id_sale"
        ),
        sa.PrimaryKeyConstraint("order_public_id", "position", name="pk_sale_line"),
    )
    op.create_table(
        "touch",
        sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("actor_id", sa.BigInteger, nullable=False),
        sa.Column("group_id", sa.BigInteger, nullable=True),
        sa.Column("recommender_id", sa.BigInteger, nullable=True),
        sa.Column("sku", sa.String(200), nullable=True),
        sa.Column("session", sa.String(100), nullable=True),
        sa.Column("token_id", sa.BigInteger, nullable=True),
        sa.Column("channel", sa.String(30), nullable=True),
        sa.Column("occurred_us", sa.BigInteger, nullable=False),
        sa.Column("recorded_us", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["identity_node.id"], name="fk_touch_actor_id_identity_node"
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["identity_node.id"], name="fk_touch_group_id_identity_node"
        ),
        sa.ForeignKeyConstraint(
            ["recommender_id"], ["identity_node.id"], name="fk_touch_recommender_id_identity_node"
        ),
        sa.ForeignKeyConstraint(
            ["token_id"], ["referral_token.id"], name="fk_touch_token_id_referral_token"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_touch"),
    )
    op.create_index("ix_touch_actor_id_occurred_us", "touch", ["actor_id", "occurred_us"])
    op.create_index("ix_touch_group_id", "touch", ["group_id"])
    op.create_index("ix_touch_recommender_id", "touch", ["recommender_id"])
    op.create_table(
        "attribution_credit",
        sa.Column("run_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("recommender_id", sa.BigInteger, nullable=False),
        sa.Column("touch_id", sa.BigInteger, nullable=True),
        sa.Column("hop", sa.Integer, nullable=False),
        sa.Column("share_num", sa.String(120), nullable=False),
        sa.Column("share_den", sa.String(120), nullable=False),
        sa.Column("commission_minor", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(
            ["recommender_id"],
            ["identity_node.id"],
            name="fk_attribution_credit_recommender_id_identity_node",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["attribution_run.id"], name="fk_attribution_credit_run_id_attribution_run"
        ),
        sa.ForeignKeyConstraint(
            ["touch_id"], ["touch.id"], name="fk_attribution_credit_touch_id_touch"
        ),
        sa.PrimaryKeyConstraint("run_id", "position", name="pk_attribution_credit"),
    )
    op.create_index(
        "ix_attribution_credit_recommender_id", "attribution_credit", ["recommender_id"]
    )
    op.execute("INSERT INTO chain (name, length, hash) VALUES ('touch', 0, '')")
    op.execute("INSERT INTO chain (name, length, hash) VALUES ('journal', 0, '')")
    dialect = op.get_bind().dialect.name
    for statement in guards.raised(dialect, _APPEND_ONLY):
        op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in guards.lowered(dialect, _APPEND_ONLY):
        op.execute(statement)
    for table in reversed(_TABLES):
        op.drop_table(table)
