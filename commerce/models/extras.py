"""Tables beside catalogue and ledger: vectors, fetched pictures, the seal on old touches."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from commerce.models.tables import Base, Key

THIRTEEN_MONTHS_US = 395 * 86_400_000_000
"""No touch may leave before."""


class ProductVector(Base):
    """What a text about a product means, as a model of that name sees it.

    Known by the text's own digest: a new price or count asks for no new vector, and two products
    with one text share it.
    """

    __tablename__ = "product_vector"

    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    # SHA-256 of the text, half of it, in hex.
    digest: Mapped[str] = mapped_column(String(32), primary_key=True)
    # Unit length, 16-bit floats, little end first: the order of neighbours needs no more.
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class FetchedPicture(Base):
    """A picture of a stranger's server as we painted it anew, or why there is none."""

    __tablename__ = "fetched_picture"

    # SHA-256 of the address, in hex.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    problem: Mapped[str] = mapped_column(Text, default="")
    fetched_at: Mapped[datetime]


class TouchAnchor(Base):
    """The seal on touches that were old enough to go: from here the chain verifies on.

    Touches that earned a credit stay, since the books rest on them; ``kept_hash`` covers those.
    """

    __tablename__ = "touch_anchor"
    __table_args__ = (
        CheckConstraint(
            f"before_us <= sealed_us - {THIRTEEN_MONTHS_US}", name="only_old_touches_go"
        ),
        CheckConstraint("removed >= 0 AND kept >= 0", name="counts_not_negative"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    # The newest touch that may go, and its place in the chain.
    last_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    hash: Mapped[str] = mapped_column(String(64))
    before_us: Mapped[int] = mapped_column(BigInteger)
    removed: Mapped[int] = mapped_column(BigInteger)
    kept: Mapped[int] = mapped_column(BigInteger)
    kept_hash: Mapped[str] = mapped_column(String(64))
    sealed_us: Mapped[int] = mapped_column(BigInteger)
