"""The first shelf: catalogue, products, variants, pictures and their full-text index."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "catalogue",
        sa.Column("id", _key, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("folder", sa.Text),
        sa.Column("imported_at", _moment),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue"),
        sa.UniqueConstraint("name", name="uq_catalogue_name"),
    )
    op.create_table(
        "product",
        sa.Column("id", _key, nullable=False),
        sa.Column("catalogue_id", sa.BigInteger, nullable=False),
        sa.Column("handle", sa.String(255), nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("brand", sa.String(200)),
        sa.Column("category", sa.String(300)),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.String(32), nullable=False),
        sa.Column("url", sa.Text),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("updated_at", _moment, nullable=False),
        sa.Column("deleted_at", _moment),
        sa.PrimaryKeyConstraint("id", name="pk_product"),
        sa.ForeignKeyConstraint(
            ["catalogue_id"], ["catalogue.id"], name="fk_product_catalogue_id_catalogue"
        ),
        sa.UniqueConstraint("catalogue_id", "handle", name="uq_product_catalogue_id_handle"),
    )
    op.create_table(
        "variant",
        sa.Column("id", _key, nullable=False),
        sa.Column("catalogue_id", sa.BigInteger, nullable=False),
        sa.Column("product_id", sa.BigInteger, nullable=False),
        sa.Column("sku", sa.String(200), nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("price_minor", sa.BigInteger, nullable=False),
        sa.Column("compare_at_minor", sa.BigInteger),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("tracks_stock", sa.Boolean, nullable=False),
        sa.Column("on_hand", sa.Integer, nullable=False),
        sa.Column("reserved", sa.Integer, nullable=False),
        sa.Column("stock_version", sa.BigInteger, nullable=False),
        sa.Column("stock_in_file", sa.Integer),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("updated_at", _moment, nullable=False),
        sa.Column("deleted_at", _moment),
        sa.PrimaryKeyConstraint("id", name="pk_variant"),
        sa.ForeignKeyConstraint(
            ["catalogue_id"], ["catalogue.id"], name="fk_variant_catalogue_id_catalogue"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name="fk_variant_product_id_product"
        ),
        sa.UniqueConstraint("catalogue_id", "sku", name="uq_variant_catalogue_id_sku"),
        sa.CheckConstraint("on_hand >= 0", name="ck_variant_on_hand_not_negative"),
        sa.CheckConstraint("reserved >= 0", name="ck_variant_reserved_not_negative"),
        sa.CheckConstraint(
            "reserved <= on_hand OR NOT tracks_stock", name="ck_variant_no_oversell"
        ),
        sa.CheckConstraint("price_minor >= 0", name="ck_variant_price_not_negative"),
    )
    op.create_index("ix_variant_product_id", "variant", ["product_id"])
    op.create_table(
        "image",
        sa.Column("id", _key, nullable=False),
        sa.Column("product_id", sa.BigInteger, nullable=False),
        sa.Column("variant_id", sa.BigInteger),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("alt", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_image"),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name="fk_image_product_id_product"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_image_variant_id_variant"),
    )
    op.create_index("ix_image_product_id", "image", ["product_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TABLE product_search (rowid BIGINT PRIMARY KEY, title TEXT NOT NULL,"
            " labels TEXT NOT NULL, description TEXT NOT NULL, details TEXT NOT NULL,"
            " words TSVECTOR NOT NULL)"
        )
        op.execute("CREATE INDEX ix_product_search_words ON product_search USING GIN (words)")
        return
    # Holds words as commerce.models.words cuts them: FTS5's own tokenizer cannot cut Chinese.
    op.execute(
        "CREATE VIRTUAL TABLE product_search USING fts5("
        "title, labels, description, details, tokenize='unicode61 remove_diacritics 0')"
    )


def downgrade() -> None:
    op.execute("DROP TABLE product_search")
    for table in ("image", "variant", "product", "catalogue"):
        op.drop_table(table)
