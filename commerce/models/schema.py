"""Every table of the shop: importing this module fills ``Base.metadata``."""

from commerce.models import extras, ledger, letterbox, orders, tables
from commerce.models.tables import Base

__all__ = ["Base", "extras", "ledger", "letterbox", "orders", "tables"]
