"""How many units can be bought, and who is told when that changes."""

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from commerce.catalogue import repository
from commerce.database import Database
from commerce.errors import StockError, UnknownProductError
from commerce.models.tables import Catalogue
from commerce.models.values import StockChange

CATALOGUE = "default"
"""The one catalogue that a shop has by now."""

_MOST_UNITS = 1_000_000_000


class Stock:
    """Levels of stock, their versions, and their subscribers.

    Args:
        database: Open.
        clock: Says the time; timezone-aware.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._subscribers: list[Callable[[StockChange], None]] = []

    async def set_stock(self, sku: str, stock: int) -> StockChange:
        """Set the units that can be bought; raises the version and tells subscribers.

        Raises:
            StockError: Negative or absurd.
            UnknownProductError: No such variant is on sale.
        """
        if not 0 <= stock <= _MOST_UNITS:
            raise StockError(f"stock of {sku} cannot be {stock}; give 0 or more units")
        async with self._database.writing() as session:
            catalogue = await repository.find_catalogue(session, CATALOGUE)
            is_known = catalogue is not None and await repository.change_stock(
                session, catalogue.id, sku, stock, self._clock()
            )
            if catalogue is None or not is_known:
                raise UnknownProductError(f"no product on sale has the SKU {sku!r}")
            (change,) = await self._levels(session, catalogue, [sku])
        self._announce([change])
        return change

    async def versions(self) -> dict[str, StockChange]:
        """Stock and version of every variant on sale, to poll for what other programs changed."""
        async with self._database.reading() as session:
            catalogue = await repository.find_catalogue(session, CATALOGUE)
            if catalogue is None:
                return {}
            levels = await repository.stock_levels(session, catalogue.id)
        return {level.sku: level for level in levels}

    def subscribe(self, callback: Callable[[StockChange], None]) -> Callable[[], None]:
        """Be told of every change of stock made through this shop, after it was committed.

        Args:
            callback: Called on the event loop; must be quick and must not raise.

        Returns:
            Call it to be told no more.
        """
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return unsubscribe

    async def _levels(
        self, session: AsyncSession, catalogue: Catalogue, skus: Iterable[str]
    ) -> list[StockChange]:
        wanted = set(skus)
        if not wanted:
            return []
        levels = await repository.stock_levels(session, catalogue.id)
        return [level for level in levels if level.sku in wanted]

    def _announce(self, changes: Iterable[StockChange]) -> None:
        for change in changes:
            for callback in tuple(self._subscribers):
                callback(change)
