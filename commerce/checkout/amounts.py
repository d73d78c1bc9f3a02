"""How Stripe writes an amount, currency by currency; its own rules, not a library's guess.

Stripe counts in minor units, with exceptions: three-decimal currencies must end in a zero, and a
few currencies are written with two decimals although nothing smaller than one unit is charged.
"""

from commerce.errors import MoneyError
from commerce.money import Money, exponent_of

# Written with two decimals for the sake of old integrations, and charged in whole units only.
WHOLE_BUT_TWO_DECIMALS = frozenset({"ISK", "UGX"})
# Charged in cents like any other, but only whole units can be paid out.
WHOLE_PAYOUTS = frozenset({"HUF", "TWD", "ISK", "UGX"})
_MOST = 99_999_999  # eight digits


def stripe_exponent(currency: str) -> int:
    """Decimals of an amount as Stripe writes it.

    Raises:
        MoneyError: No currency that can be charged.
    """
    return 2 if currency in WHOLE_BUT_TWO_DECIMALS else exponent_of(currency)


def to_stripe(money: Money) -> int:
    """The number Stripe wants for an amount.

    Raises:
        MoneyError: Negative, more than eight digits, or finer than the currency is charged.
    """
    scale: int = 10 ** (stripe_exponent(money.currency) - exponent_of(money.currency))
    amount = money.minor * scale
    if amount < 0 or amount > _MOST:
        raise MoneyError(f"{money} cannot be charged; Stripe takes 0 to 8 digits")
    step = 100 if money.currency in WHOLE_BUT_TWO_DECIMALS else 1
    if exponent_of(money.currency) == 3:
        step = 10
    if amount % step:
        raise MoneyError(f"{money} cannot be charged; the last digits of {money.currency} are 0")
    return amount


def from_stripe(amount: int, currency: str) -> Money:
    """The amount behind a number of Stripe's.

    Raises:
        MoneyError: Unknown currency, or a fraction of what it is counted in.
    """
    code = currency.upper()
    scale = 10 ** (stripe_exponent(code) - exponent_of(code))
    if amount % scale:
        raise MoneyError(f"{amount} of {code} is a fraction of its smallest unit")
    return Money(amount // scale, code)


def smallest_step(currency: str) -> int:
    """The smallest difference in our minor units that can be charged: 10 fils, 100 aurar, 1 cent.

    Raises:
        MoneyError: No currency that can be charged.
    """
    if exponent_of(currency) == 3:
        return 10
    return 100 if currency == "ISK" else 1
