"""News that nobody asked for, for the groups whose admins want them: one message, not many."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from commerce.models.referrals import Referral
from commerce.shop import Shop
from commerce.shop.letterbox import Group, Novelties, Novelty, TellNews
from commerce.shop.newsworthy import Newsworthy
from sdk.errors import DeliveryError
from sdk.messaging.channel import Channel
from sdk.messaging.conversation import Books, ConversationConfig
from sdk.messaging.messages import Address, Outgoing
from sdk.messaging.suiting import MOST_SHOWN, labels_of
from sdk.messaging.words import Moment, labelled, line

log = logging.getLogger(__name__)


class Bulletin:
    """Tells groups what is new: flash prices, and how their group orders stand.

    The group's rules decide as they do about every pitch. What must not be told now waits, and then
    comes with whatever else is new by then.

    Args:
        shop: Open.
        books: Issues tracked links; ``shop.ledger``.
        channels: That are switched on.
        config: Languages and addresses.
        now: The time.
    """

    def __init__(
        self,
        shop: Shop,
        books: Books,
        channels: Sequence[Channel],
        config: ConversationConfig,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._shop = shop
        self._groups = shop.letterbox.groups
        self._books = books
        self._channels: Mapping[str, Channel] = {one.name: one for one in channels}
        self._config = config
        self._now = now

    async def tell(self) -> None:
        """Tell every group that wants news what it was not told yet."""
        fresh = await self._shop.newsworthy()
        if not fresh:
            return
        for group in await self._groups.all():
            channel = self._channels.get(group.channel)
            can_write = channel is not None and channel.capabilities.can_start
            if channel is None or not can_write or not group.policy.takes_alerts:
                continue
            place = await self._groups.place(group.node)
            if place is not None:
                await self._tell_one(channel, Address.from_json(place), group, fresh)

    async def _tell_one(
        self, channel: Channel, address: Address, group: Group, fresh: Sequence[Newsworthy]
    ) -> None:
        only = group.profile.only
        mine = {
            one.key: one
            for one in fresh
            if (one.groups is None or group.node in one.groups)
            and (not only or only & labels_of(one.card))
        }
        items = tuple(Novelty(key, one.card.sku, labels_of(one.card)) for key, one in mine.items())
        is_progress = all(one.together is not None for one in mine.values())
        verdict = await self._groups.tell(
            group.node, Novelties(items, "progress" if is_progress else "alert")
        )
        if not isinstance(verdict, TellNews):
            return
        message, token = await self._composed(group, [mine[key] for key in verdict.keys])
        try:
            sent = await channel.send(address, message)
        except DeliveryError as error:
            # Told once or never: what may have arrived is not sent again.
            log.warning("news not sent", extra={"channel": channel.name, "reason": str(error)})
        else:
            await self._groups.posted(
                group.node, verdict.number, token=token, reference=sent.reference
            )

    async def _composed(self, group: Group, told: Sequence[Newsworthy]) -> tuple[Outgoing, str]:
        language = group.profile.language or self._config.language
        token = await self._books.issue(
            Referral(
                recommender=group.host,
                group=group.node,
                channel=group.channel,
                sku=told[0].card.sku,
                expires_at=self._now() + self._config.link_life,
            )
        )
        lines = [_line(language, one) for one in told[:MOST_SHOWN]]
        if len(told) > MOST_SHOWN:
            lines.append(line(language, "news_more", count=len(told) - MOST_SHOWN))
        earns = await self._books.disclosure(group.host, language)
        message = Outgoing(
            labelled(language, *lines, earns),
            link=f"{self._config.public_url}/r/{token}",
            link_label=line(language, "open"),
            title=told[0].card.title,
            language=language,
        )
        return message, token


def _line(language: str, news: Newsworthy) -> str:
    """One piece of news, from the rows that checkout goes by."""
    title = news.card.title
    if news.flash is not None:
        return line(
            language,
            "news_flash",
            title=title,
            price=news.flash.price.display(language),
            before=news.card.price.display(language),
            left=news.flash.left,
            until=f"{news.flash.ends_at:%H:%M} UTC",
        )
    together = news.together
    assert together is not None
    price = together.final_price or together.price
    moments: Mapping[str, Moment] = {
        "open": "news_joined",
        "formed": "news_formed",
        "settled": "news_settled",
        "failed": "news_failed",
    }
    return line(
        language,
        moments[together.state],
        title=title,
        joined=together.joined,
        target=together.target,
        price=price.display(language),
        until=f"{together.deadline:%d %b %H:%M} UTC",
    )
