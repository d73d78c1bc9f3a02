"""The clerk: takes kept events out of the inbox, one chat after the other in order, for ever."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from commerce.errors import CommerceError
from commerce.shop import Shop
from commerce.shop.letterbox import THANKS, ClaimedEvent
from sdk.errors import CallRefusedError, DeliveryError, MessagingError, SessionError
from sdk.messaging.bulletin import Bulletin
from sdk.messaging.channel import Channel
from sdk.messaging.conversation import Conversation
from sdk.messaging.messages import Address, Incoming, Outgoing
from sdk.messaging.words import labelled, line

log = logging.getLogger(__name__)

_AT_ONCE = 32
_IDLE_S = 2.0
_SWEEP_S = 3600.0
_QUESTIONS_S = 60.0
_NEWS_S = 30.0


class Clerk:
    """Works on the inbox.

    Args:
        shop: Open.
        channels: That are switched on; events of others wait.
        conversation: Decides and answers.
        bulletin: Tells groups what is new; None for no news.
        language: Of what the clerk writes by itself.
    """

    def __init__(
        self,
        shop: Shop,
        channels: Sequence[Channel],
        conversation: Conversation,
        *,
        bulletin: Bulletin | None = None,
        language: str = "en",
    ) -> None:
        self._shop = shop
        self._inbox = shop.letterbox.inbox
        self._channels: Mapping[str, Channel] = {one.name: one for one in channels}
        self._conversation = conversation
        self._bulletin = bulletin
        self._language = language
        self._chats: dict[str, asyncio.Lock] = {}
        self._working: set[asyncio.Task[None]] = set()
        shop.announcer.outbox.on(THANKS, self._thank)

    async def run(self) -> None:
        """Work until cancelled."""
        regular = [
            asyncio.create_task(self._regularly(_SWEEP_S, self._sweep), name="letterbox sweep"),
            asyncio.create_task(self._regularly(_QUESTIONS_S, self.ask_buyers), name="questions"),
        ]
        if self._bulletin is not None:
            telling = self._regularly(_NEWS_S, self._bulletin.tell)
            regular.append(asyncio.create_task(telling, name="bulletin"))
        try:
            while True:
                try:
                    began = await self.begin()
                except CommerceError as error:  # the database may come back
                    log.warning("inbox not read", extra={"reason": str(error)})
                    began = 0
                if not began:
                    await self._inbox.wait(_IDLE_S)
        finally:
            for task in (*regular, *self._working):
                task.cancel()
            await asyncio.gather(*regular, *self._working, return_exceptions=True)

    async def begin(self) -> int:
        """Begin to work on what is due, as far as there is room.

        Returns:
            How many events were begun.
        """
        room = _AT_ONCE - len(self._working)
        if room <= 0:
            await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)
            return 1
        claimed = await self._inbox.claim(room)
        for event in claimed:
            task = asyncio.create_task(self._work(event), name=f"event {event.key}")
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        return len(claimed)

    async def settle(self) -> None:
        """Work on everything that is due now, to its end; for tests and single runs."""
        while await self.begin() or self._working:
            if self._working:
                await asyncio.wait(self._working)

    async def ask_buyers(self) -> None:
        """Ask the buyers who are due how their purchase was; each once."""
        care = self._shop.letterbox.aftercare
        for question in await care.due_questions():
            address = Address.from_json(question.address)
            channel = self._channels.get(address.channel)
            card = await self._shop.product(question.sku)
            if channel is None or not channel.capabilities.can_start:
                continue
            if not await care.asked(question.key):
                continue
            title = card.title if card is not None else question.sku
            text = line(self._language, "asked_after", title=title)
            message = Outgoing(labelled(self._language, text), language=self._language)
            try:
                await channel.send(address, message)
            except DeliveryError as error:
                # Asked once or never: a question that may have arrived is not sent again.
                log.warning("question not sent", extra={"reason": str(error)})

    async def _thank(self, aggregate: str, payload: Mapping[str, Any]) -> None:
        """Tell somebody that what they recommended has arrived, if they want to be written to."""
        contact = await self._shop.letterbox.groups.contact(payload["member"])
        if contact is None:
            return  # they changed their mind, or were forgotten
        address = Address.from_json(contact)
        channel = self._channels.get(address.channel)
        if channel is None or not channel.capabilities.can_start:
            return
        card = await self._shop.product(payload["sku"])
        title = card.title if card is not None else payload["sku"]
        text = line(self._language, "advice_arrived", title=title)
        try:
            message = Outgoing(labelled(self._language, text), language=self._language)
            await channel.send(address, message)
        except DeliveryError as error:
            log.warning("thanks not sent", extra={"reason": str(error)})

    async def _work(self, event: ClaimedEvent) -> None:
        channel = self._channels.get(event.source)
        problem, is_final = f"{event.source} is not switched on", False
        if channel is not None:
            problem, is_final = await self._handled(channel, event)
        if not problem:
            await self._inbox.finish([event.key])
            return
        state = await self._inbox.fail(event.key, problem, is_final=is_final)
        log.warning(
            "event not worked on",
            extra={"channel": event.source, "key": event.key, "state": state, "reason": problem},
        )

    async def _handled(self, channel: Channel, event: ClaimedEvent) -> tuple[str, bool]:
        """Why it did not go, and whether it never will; empty when it went."""
        try:
            incoming = channel.read(event.body)
            if incoming is not None:
                async with self._turn_of(incoming):
                    await self._conversation.handle(channel, incoming, is_again=event.attempts > 1)
        except CallRefusedError as error:
            return str(error), True
        except DeliveryError as error:
            return str(error), error.is_final
        except (MessagingError, SessionError, CommerceError) as error:
            return str(error), False
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # A mistake of ours, met by one message, must not stop all others.
            log.exception("mistake while answering", extra={"channel": channel.name})
            return f"a mistake of ours ({type(error).__name__})", False
        return "", False

    def _turn_of(self, incoming: Incoming) -> asyncio.Lock:
        """Messages of one chat are answered one after the other."""
        key = f"{incoming.address.channel}:{incoming.address.chat}"
        if len(self._chats) > 1000:
            self._chats = {name: one for name, one in self._chats.items() if one.locked()}
        return self._chats.setdefault(key, asyncio.Lock())

    async def _sweep(self) -> None:
        await self._shop.letterbox.sweep()

    async def _regularly(self, every_s: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except CommerceError as error:
                log.warning("upkeep not done", extra={"reason": str(error)})
            await asyncio.sleep(every_s)
