"""Where a group wants its news, and offers in a thread of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("chat_group", sa.Column("place", sa.LargeBinary))
    is_apart = sa.Column("is_apart", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("chat_group", is_apart)


def downgrade() -> None:
    for name in ("is_apart", "place"):
        op.drop_column("chat_group", name)
