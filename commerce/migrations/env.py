"""Runs the revisions on the connection that ``commerce.database`` hands over."""

from alembic import context

from commerce.models.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite changes a table by copying it.
    render_as_batch=True,
    compare_type=True,
    include_name=lambda name, kind, parents: not (name or "").startswith("product_search"),
)
# The caller began the transaction and commits it, so that a failed upgrade leaves nothing behind.
context.run_migrations()
