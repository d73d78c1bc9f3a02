"""Paying commission out: by the payment provider where an account is known, by hand otherwise."""

from commerce.models.earnings import Payout
from commerce.money import Money
from commerce.shop.connect_rail import ConnectRail
from commerce.shop.ledger import Ledger


async def pay_out(
    ledger: Ledger, rail: ConnectRail | None, *, minimum: Money | None = None
) -> list[Payout]:
    """Pay everything payable, and take back what was paid and is no longer earned.

    Recommenders with an account at the provider are paid there. Everybody else is only listed, for
    the seller to pay: such payouts are on the rail ``csv`` and not paid by this software. A rail
    that moves no real money pays the commission of test orders and nothing else.

    Args:
        ledger: Whose books.
        rail: Moves money; None lists everything.
        minimum: Smaller balances of its currency wait.

    Returns:
        The payouts begun or finished now; failed ones carry their problem.

    Raises:
        GatewayError: The provider does not answer; begun payouts are finished by the next call.
    """
    if rail is None:
        return await ledger.pay(minimum=minimum)
    accounts = await rail.accounts()
    await ledger.recover(rail)
    sent = await ledger.pay(rail, minimum=minimum, only=accounts)
    return sent + await ledger.pay(minimum=minimum, but_not=() if rail.is_test else accounts)
