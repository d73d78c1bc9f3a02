"""Commands that members write: ``/privacy``, ``/forget``, ``/consent``, ``/policy`` and others."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from commerce.errors import LetterboxError, UnknownOrderError
from commerce.shop import Shop
from commerce.shop.aftercare import Verdict as ReviewVerdict
from commerce.shop.letterbox import (
    Group,
    Judged,
    Verdict,
    changed_policy,
    described_policy,
    is_quiet,
)
from sdk.messaging.channel import Channel
from sdk.messaging.messages import Address, ChatMessage
from sdk.messaging.words import example, line

_KEPT = ("keep", "kept", "留下", "留", "quedo", "fico")
_RETURNED = ("return", "returned", "退货", "退", "devuelvo", "devolvo")
_LONGEST_NUMBER = 80
IsAdmin = Callable[[], Awaitable[bool]]

_NUMBER = re.compile(r"/(?:approve|deny)\s+#?(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A message with all that is known of where and by whom it was written.

    Attributes:
        member: Identity node of the writer.
    """

    channel: Channel
    message: ChatMessage
    group: Group
    member: str


class Forgetting(Protocol):
    """Whatever else remembers a member."""

    async def forget(self, node: str) -> object:
        """Let go of whom a node means."""
        ...


class Commands:
    """Understands commands and answers them.

    Args:
        shop: Open.
        books: Forgets a member's identity.
        language: Of chats that chose none.
    """

    def __init__(self, shop: Shop, books: Forgetting, language: str) -> None:
        self._shop = shop
        self._letterbox = shop.letterbox
        self._books = books
        self._language = language

    async def reply(self, spoken: Spoken, is_admin: IsAdmin) -> str | None:
        """The answer to a command, once it was carried out; None when it is none.

        Args:
            spoken: The message.
            is_admin: Asks whether its writer administers the chat, which may take a call.
        """
        message = spoken.message
        if not message.text.startswith("/"):
            return await self._review(spoken)
        verb, _, rest = message.text[1:].partition(" ")
        language = spoken.group.profile.language or self._language
        match verb.lower():
            case "privacy":
                kept = line(language, "text_kept") if spoken.group.keeps_text else ""
                return line(language, "privacy", texts=f" ({kept})" if kept else "")
            case "forget":
                await self._letterbox.forget(spoken.member)
                await self._books.forget(spoken.member)
                return line(language, "forgotten")
            case "consent":
                return await self._consent(spoken, rest, language)
            case "policy":
                return await self._policy(spoken, rest, language, is_admin)
            case "host":
                if not await is_admin():
                    return line(language, "only_admins")
                await self._letterbox.groups.set_host(spoken.group.node, spoken.member)
                return line(language, "host_set")
            case "keep-text" | "keeptext" | "keep_text":
                if not await is_admin():
                    return line(language, "only_admins")
                keeps = rest.strip().lower() == "on"
                node = spoken.group.node
                await self._letterbox.groups.set_keeps_text(node, keeps_text=keeps)
                return line(language, "text_kept" if keeps else "text_dropped")
            case "thread":
                return await self._thread(spoken, rest, language, is_admin)
            case "order":
                return await self._order(spoken, rest, language)
            case "start" | "help":
                return line(language, "help", example=example(language))
            case _:
                return None

    async def judge(self, spoken: Spoken, is_admin: bool) -> tuple[str, Verdict]:
        """``/approve 3`` and ``/deny 3``: what to answer, and what follows."""
        language = spoken.group.profile.language or self._language
        if not is_admin:
            return line(language, "only_admins"), None
        found = _NUMBER.match(spoken.message.text)
        number = int(found[1]) if found else 0
        groups, node = self._letterbox.groups, spoken.group.node
        waiting = await groups.pitch(node, number)
        if waiting is None or waiting.state != "waiting":
            return line(language, "approved_nothing"), None
        is_approved = spoken.message.text.startswith("/approve")
        return "", await groups.tell(node, Judged(number, is_approved, is_admin))

    def norms(self, group: Group, language: str) -> str:
        """What a group is told when the shop joins it."""
        rules = "; ".join(described_policy(group.policy, group.profile)[1:5])
        return line(language, "norms", rules=rules, veto=group.policy.veto)

    def may_speak(self, group: Group, now: datetime) -> bool:
        """Whether the rules let us say anything at all now."""
        return group.policy.is_on and not is_quiet(group.policy, now)

    async def _consent(self, spoken: Spoken, rest: str, language: str) -> str:
        is_given = rest.strip().lower() not in ("off", "no", "0")
        groups, message = self._letterbox.groups, spoken.message
        await groups.consent(spoken.group.node, spoken.member, is_given=is_given)
        if is_given:
            private = Address(message.address.channel, message.member)
            await groups.remember_contact(spoken.member, private.to_json())
        else:
            await groups.withdraw_contact(spoken.member)
        return line(language, "consent_given" if is_given else "consent_taken")

    async def _policy(self, spoken: Spoken, rest: str, language: str, is_admin: IsAdmin) -> str:
        group = spoken.group
        if not rest.strip():
            return "; ".join(described_policy(group.policy, group.profile))
        if not await is_admin():
            return line(language, "only_admins")
        try:
            policy, profile = changed_policy(group.policy, group.profile, rest)
        except LetterboxError as error:
            return str(error)
        await self._letterbox.groups.set_policy(group.node, policy)
        await self._letterbox.groups.set_profile(group.node, profile)
        if not policy.takes_alerts and group.has_place and not group.is_apart:
            await self._letterbox.groups.set_place(group.node, None)
        rules = "; ".join(described_policy(policy, profile))
        return line(profile.language or language, "policy_changed", rules=rules)

    async def _thread(self, spoken: Spoken, rest: str, language: str, is_admin: IsAdmin) -> str:
        """Offers get a thread of their own, so that the talk stays free of them."""
        if not await is_admin():
            return line(language, "only_admins")
        groups, node = self._letterbox.groups, spoken.group.node
        here = replace(spoken.message.address, reply_to="")
        if rest.strip().lower() in ("off", "no", "0"):
            takes_news = spoken.group.policy.takes_alerts
            await groups.set_place(node, replace(here, extra={}).to_json() if takes_news else None)
            return line(language, "thread_off")
        if not here.extra.get("thread"):
            return line(language, "thread_none")
        await groups.set_place(node, here.to_json(), is_apart=True)
        return line(language, "thread_on")

    async def _order(self, spoken: Spoken, rest: str, language: str) -> str:
        """A buyer shows the number that only their order's page has: visitor and member are one."""
        message = spoken.message
        if message.address.is_group:
            return line(language, "order_in_private")
        private = Address(message.address.channel, message.member)
        number = rest.strip()[:_LONGEST_NUMBER]
        order = number if number.startswith("order_") else f"order_{number}"
        try:
            await self._shop.recognise(order, spoken.member, private.to_json())
        except UnknownOrderError:
            return line(language, "order_unknown")
        return line(language, "order_linked")

    async def _review(self, spoken: Spoken) -> str | None:
        """Whether it answers our question after a purchase."""
        if spoken.message.address.is_group:
            return None
        words = spoken.message.text.split(maxsplit=1)
        first = words[0].lower().strip(".,!:。，！：") if words else ""
        is_kept, is_returned = first.startswith(_KEPT), first.startswith(_RETURNED)
        if not is_kept and not is_returned:
            return None
        rest = words[1] if len(words) > 1 else ""
        verdict: ReviewVerdict = "kept" if is_kept else "returned"
        sku = await self._letterbox.aftercare.answer(spoken.member, verdict, rest)
        language = spoken.group.profile.language or self._language
        return line(language, "thanks") if sku is not None else None
