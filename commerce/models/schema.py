"""Every table of the shop: importing this module fills ``Base.metadata``."""

from commerce.models import ledger, letterbox, orders, tables
from commerce.models.tables import Base

__all__ = ["Base", "ledger", "letterbox", "orders", "tables"]
