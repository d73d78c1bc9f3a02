"""The letterbox: inbox, groups, pitches, wishes, questions after a purchase."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_moment = sa.DateTime(timezone=True)
_node = sa.String(160)


def upgrade() -> None:
    _create_inbox()
    _create_groups()
    _create_what_members_said()


def _create_inbox() -> None:
    op.create_table(
        "inbox_event",
        sa.Column("id", _key, nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("event_key", sa.String(64), nullable=False),
        sa.Column("received_at", _moment, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", _moment, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inbox_event"),
        sa.UniqueConstraint("source", "event_key", name="uq_inbox_event_source_event_key"),
        sa.CheckConstraint("state IN ('new', 'done', 'dead')", name="ck_inbox_event_state_known"),
    )
    op.create_index("ix_inbox_event_state_due_at", "inbox_event", ["state", "due_at"])


def _create_groups() -> None:
    op.create_table(
        "chat_group",
        sa.Column("id", _key, nullable=False),
        sa.Column("node", _node, nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("policy", sa.JSON, nullable=False),
        sa.Column("profile", sa.JSON, nullable=False),
        sa.Column("state", sa.JSON, nullable=False),
        sa.Column("keeps_text", sa.Boolean, nullable=False),
        sa.Column("host", _node),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("updated_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chat_group"),
        sa.UniqueConstraint("node", name="uq_chat_group_node"),
    )
    op.create_table(
        "chat_pitch",
        sa.Column("id", _key, nullable=False),
        sa.Column("group_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("sku", sa.String(200), nullable=False),
        sa.Column("asker", _node),
        sa.Column("recommender", _node),
        sa.Column("cause_key", sa.String(64)),
        sa.Column("token_key", sa.String(64)),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reference_key", sa.String(64)),
        sa.Column("reference", sa.LargeBinary),
        sa.Column("at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chat_pitch"),
        sa.UniqueConstraint("group_id", "number", name="uq_chat_pitch_group_id_number"),
        sa.ForeignKeyConstraint(
            ["group_id"], ["chat_group.id"], name="fk_chat_pitch_group_id_chat_group"
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'withdrawn', 'refused')", name="ck_chat_pitch_state_known"
        ),
    )
    for column in ("cause_key", "token_key", "reference_key"):
        op.create_index(f"ix_chat_pitch_{column}", "chat_pitch", [column])
    op.create_table(
        "chat_contact",
        sa.Column("id", _key, nullable=False),
        sa.Column("member", _node, nullable=False),
        sa.Column("address", sa.LargeBinary, nullable=False),
        sa.Column("updated_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chat_contact"),
        sa.UniqueConstraint("member", name="uq_chat_contact_member"),
    )


def _create_what_members_said() -> None:
    op.create_table(
        "wish",
        sa.Column("id", _key, nullable=False),
        sa.Column("group_id", sa.BigInteger, nullable=False),
        sa.Column("word_key", sa.String(64), nullable=False),
        sa.Column("word", sa.LargeBinary, nullable=False),
        sa.Column("member", _node, nullable=False),
        sa.Column("at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_wish"),
        sa.ForeignKeyConstraint(
            ["group_id"], ["chat_group.id"], name="fk_wish_group_id_chat_group"
        ),
        sa.UniqueConstraint(
            "group_id", "word_key", "member", name="uq_wish_group_id_word_key_member"
        ),
    )
    op.create_index("ix_wish_word_key", "wish", ["word_key"])
    op.create_table(
        "purchase_question",
        sa.Column("id", _key, nullable=False),
        sa.Column("order_id", sa.String(100), nullable=False),
        sa.Column("sku", sa.String(200), nullable=False),
        sa.Column("member", _node, nullable=False),
        sa.Column("address", sa.LargeBinary),
        sa.Column("due_at", _moment),
        sa.Column("asked_at", _moment),
        sa.Column("answered_at", _moment),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_purchase_question"),
        sa.UniqueConstraint("order_id", "sku", name="uq_purchase_question_order_id_sku"),
        sa.CheckConstraint(
            "verdict IN ('', 'kept', 'returned')", name="ck_purchase_question_verdict_known"
        ),
    )
    op.create_index("ix_purchase_question_member", "purchase_question", ["member"])
    op.create_index("ix_purchase_question_sku", "purchase_question", ["sku"])
    op.create_table(
        "chat_text",
        sa.Column("id", _key, nullable=False),
        sa.Column("group_id", sa.BigInteger, nullable=False),
        sa.Column("member", _node, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chat_text"),
        sa.ForeignKeyConstraint(
            ["group_id"], ["chat_group.id"], name="fk_chat_text_group_id_chat_group"
        ),
    )
    op.create_index("ix_chat_text_group_id", "chat_text", ["group_id"])
    op.create_index("ix_chat_text_member", "chat_text", ["member"])


def downgrade() -> None:
    for table in (
        "chat_text",
        "purchase_question",
        "wish",
        "chat_contact",
        "chat_pitch",
        "chat_group",
        "inbox_event",
    ):
        op.drop_table(table)
