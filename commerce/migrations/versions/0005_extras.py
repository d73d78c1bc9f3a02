"""Product vectors, fetched pictures, lines of refunds, and a guarded way out for old touches."""

import sqlalchemy as sa
from alembic import op

from commerce.migrations import retention_guards

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_moment = sa.DateTime(timezone=True)
_THIRTEEN_MONTHS_US = 395 * 86_400_000_000


def upgrade() -> None:
    op.create_table(
        "product_vector",
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("model", "digest", name="pk_product_vector"),
    )
    op.create_table(
        "fetched_picture",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("fetched_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_fetched_picture"),
    )
    op.create_table(
        "touch_anchor",
        sa.Column("id", _key, nullable=False),
        sa.Column("last_id", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("before_us", sa.BigInteger, nullable=False),
        sa.Column("removed", sa.BigInteger, nullable=False),
        sa.Column("kept", sa.BigInteger, nullable=False),
        sa.Column("kept_hash", sa.String(64), nullable=False),
        sa.Column("sealed_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_touch_anchor"),
        sa.UniqueConstraint("last_id", name="uq_touch_anchor_last_id"),
        sa.CheckConstraint(
            f"before_us <= sealed_us - {_THIRTEEN_MONTHS_US}",
            name="ck_touch_anchor_only_old_touches_go",
        ),
        sa.CheckConstraint(
            "removed >= 0 AND kept >= 0", name="ck_touch_anchor_counts_not_negative"
        ),
    )
    op.add_column("refund", sa.Column("lines", sa.JSON))
    op.add_column("sale", sa.Column("commission_gone", sa.String(120)))
    returned = sa.Column("returned_minor", sa.BigInteger, nullable=False, server_default="0")
    op.add_column("sale_line", returned)
    for statement in retention_guards.raised(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    for statement in retention_guards.lowered(op.get_bind().dialect.name):
        op.execute(statement)
    op.drop_column("sale_line", "returned_minor")
    op.drop_column("sale", "commission_gone")
    op.drop_column("refund", "lines")
    for table in ("touch_anchor", "fetched_picture", "product_vector"):
        op.drop_table(table)
