"""Commissions through the payment provider's own transfers: what the ledger pays out with."""

import re

from sqlalchemy import select

from commerce.checkout.gateway import Gateway, Transfer
from commerce.checkout.once import insert_once
from commerce.database import Database
from commerce.errors import GatewayError, PayoutError
from commerce.models.earnings import Payout
from commerce.models.orders import PayoutAccount
from commerce.money import Money

_ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{6,64}")


class ConnectRail:
    """Stripe Connect transfers to recommenders' accounts; the sandbox moves no real money.

    Args:
        gateway: Moves the money.
        database: Where the recommenders' accounts are kept.
    """

    def __init__(self, gateway: Gateway, database: Database) -> None:
        self._gateway = gateway
        self._database = database

    @property
    def name(self) -> str:
        """``stripe`` or ``sandbox``; kept with each payout."""
        return self._gateway.provider

    @property
    def is_test(self) -> bool:
        """Whether it moves no real money."""
        return self._gateway.is_test

    async def name_account(self, recommender: str, account: str) -> None:
        """Where a recommender's commission goes, such as ``acct_…``.

        Raises:
            PayoutError: Not the name of an account.
        """
        if not _ACCOUNT.fullmatch(account):
            raise PayoutError(f"{account[:40]!r} is no connected account; it begins with acct_")
        facts = {"provider": self.name, "recommender": recommender}
        async with self._database.writing() as session:
            if not await insert_once(session, PayoutAccount, {**facts, "account": account}):
                row = await session.scalar(select(PayoutAccount).filter_by(**facts))
                assert row is not None
                row.account = account

    async def accounts(self) -> dict[str, str]:
        """The provider's accounts of recommenders, by node."""
        async with self._database.reading() as session:
            rows = await session.execute(
                select(PayoutAccount.recommender, PayoutAccount.account)
                .filter_by(provider=self.name)
                .order_by(PayoutAccount.recommender)
            )
            return {row[0]: row[1] for row in rows}

    async def pay(self, payout: Payout) -> str:
        """Send a payout; the same ``payout.key`` sends it once.

        Returns:
            The provider's id of the transfer.

        Raises:
            PayoutError: No account is known, or the provider refuses for good.
            GatewayError: Nobody answers; ask again with the same key.
        """
        async with self._database.reading() as session:
            account = await session.scalar(
                select(PayoutAccount.account).filter_by(
                    provider=self.name, recommender=payout.recommender
                )
            )
        if account is None:
            raise PayoutError(f"no {self.name} account is known for {payout.recommender}")
        try:
            return await self._gateway.transfer(
                Transfer(account, payout.amount, about={"livepitch_payout": payout.key[:200]}),
                key=f"payout:{payout.key}",
            )
        except GatewayError as error:
            if error.is_passing:
                raise
            raise PayoutError(str(error)) from error

    async def take_back(self, payout: Payout, amount: Money, key: str) -> Money:
        """Take back up to an amount of a paid payout; returns what it got.

        What the account no longer has stays with the recommender as a debt in the ledger.
        """
        if payout.reference is None or amount.minor <= 0:
            return Money(0, payout.amount.currency)
        try:
            await self._gateway.reverse_transfer(payout.reference, amount, key=f"takeback:{key}")
        except GatewayError as error:
            if error.is_passing:
                raise
            return Money(0, amount.currency)
        return amount
