"""The declared rule: what counts as a recommendation, for how long, and what it earns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Self, get_args

from commerce.errors import SettingsError

PayableModel = Literal[
    "last_recommender", "first", "last_non_direct", "linear", "time_decay", "position"
]
_DAY_S = 24 * 3600
_MOST_BPS = 10_000
_WINDOWS_S: Mapping[str, int | None] = MappingProxyType(
    {"click": 7 * _DAY_S, "view": _DAY_S, "live": _DAY_S, "code": None}
)
RULE_VERSION = 1


@dataclass(frozen=True, slots=True)
class CommissionRule:
    """How commission is earned. Rates are basis points: 500 are 5 %.

    Attributes:
        model: Who earns; ``last_recommender`` is the last touch that has one, and of several at
            the same moment the recommender who came first.
        bps: Rate of what no other rate names.
        product_bps: Rates by the catalogue's name of a product; they win over categories.
        category_bps: Rates by shelf.
        windows_s: For how long before the order a kind of touch counts; None for ever. A kind that
            is missing never counts.
        hold_days: From delivery until commission becomes payable.
        lock_days: From payment until late touches change nothing more.
        hop_bps: Rates of those who recommended the recommender, nearest first. Paying several
            levels is regulated as pyramid selling in several places, so it needs the next field.
        multi_level_opinion: Who advised that paying several levels is lawful where you sell.
        on_group_prices: Whether group orders earn commission, on the price really paid.
    """

    model: PayableModel = "last_recommender"
    bps: int = 500
    product_bps: Mapping[str, int] = field(default_factory=dict, hash=False)
    category_bps: Mapping[str, int] = field(default_factory=dict, hash=False)
    windows_s: Mapping[str, int | None] = field(default_factory=lambda: _WINDOWS_S, hash=False)
    hold_days: int = 30
    lock_days: int = 30
    hop_bps: tuple[int, ...] = ()
    multi_level_opinion: str = ""
    on_group_prices: bool = True

    def __post_init__(self) -> None:
        if self.model not in get_args(PayableModel):
            known = ", ".join(get_args(PayableModel))
            raise SettingsError(
                f"commission cannot be paid by {self.model!r}, use one of {known}: Markov and"
                " Shapley change when other people's journeys do"
            )
        rates = [self.bps, *self.product_bps.values(), *self.category_bps.values()]
        highest = max(rates) + sum(self.hop_bps)
        if min([*rates, *self.hop_bps]) < 0 or highest > _MOST_BPS:
            raise SettingsError("commission rates must be from 0 to 10000 basis points in all")
        if self.hop_bps and not self.multi_level_opinion.strip():
            raise SettingsError(
                "commission over more than one level may be pyramid selling; name in"
                " multi_level_opinion who advised that it is lawful where you sell"
            )
        if self.hold_days < 0 or self.lock_days < 0:
            raise SettingsError("days to hold or to lock cannot be below 0")
        for kind, window in self.windows_s.items():
            if kind not in _WINDOWS_S or (window is not None and window <= 0):
                raise SettingsError(
                    f"window {kind!r}: {window} is not one of click, view, live, code in seconds"
                )

    def rate(self, product: str, category: str | None, mechanism: str) -> int:
        """Basis points that one line of an order earns."""
        is_group_price = any(part.startswith("group:") for part in mechanism.split("+"))
        if is_group_price and not self.on_group_prices:
            return 0
        if product in self.product_bps:
            return self.product_bps[product]
        if category is not None and category in self.category_bps:
            return self.category_bps[category]
        return self.bps

    @property
    def highest_bps(self) -> int:
        """The most any product earns its direct recommender, for disclosures."""
        return max([self.bps, *self.product_bps.values(), *self.category_bps.values()])

    def to_json(self) -> dict[str, Any]:
        """As it is kept and as statements show it."""
        return {
            "version": RULE_VERSION,
            "model": self.model,
            "bps": self.bps,
            "product_bps": dict(sorted(self.product_bps.items())),
            "category_bps": dict(sorted(self.category_bps.items())),
            "windows_s": dict(sorted(self.windows_s.items())),
            "hold_days": self.hold_days,
            "lock_days": self.lock_days,
            "hop_bps": list(self.hop_bps),
            "multi_level_opinion": self.multi_level_opinion,
            "on_group_prices": self.on_group_prices,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read ``to_json`` back.

        Raises:
            SettingsError: Unknown fields, or values that make no rule.
        """
        fields = {key: value for key, value in data.items() if key != "version"}
        try:
            return cls(**{**fields, "hop_bps": tuple(fields.get("hop_bps", ()))})
        except TypeError as error:
            raise SettingsError(f"this is no commission rule: {error}") from None
