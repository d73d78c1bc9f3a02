"""A group's rules in words: what an admin types after ``/policy``, and what ``/policy`` shows."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from commerce.errors import LetterboxError
from commerce.models.groups import GroupPolicy, GroupProfile, Manner, Who

HELP = (
    "on · off · who anyone|consented|admins · quiet 22:00-08:00 Asia/Shanghai · quiet off · "
    "per-day 12 · every 10 · share 10 · veto 3 · strikes 3 · ban WORD · unban WORD · "
    "approval on|off · alerts on|off · about WORDS · tone plain|warm|brisk · only WORDS · "
    "language en"
)
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})(?:\s+(\S+))?")
_MOST_WORDS = 30
_LANGUAGES = ("en", "es", "pt", "zh")
# What a group's members share may be said; what law protects people for may not steer selling.
_PROTECTED = re.compile(
    r"\b(race\b|racial|black\b|white\b|asian|latino|arab|jew|muslim|islam|christian|catholic|hindu"
    r"|buddhis|religio|church|mosque|gay\b|lesbian|lgbt|trans\b|transgender|queer|sexual|disab"
    r"|autis|cancer|diabet|hiv\b|illness|patient|depress|pregnan|ethnic|immigrant|refugee|union\b"
    r"|republican|democrat|communist|political)"
    r"|宗教|穆斯林|基督|佛教|同性恋|残疾|孕|民族|病友|政治"
)


def changed(
    policy: GroupPolicy, profile: GroupProfile, words: str
) -> tuple[GroupPolicy, GroupProfile]:
    """The rules and profile as an admin wants them.

    Args:
        policy: The rules as they are.
        profile: The profile as it is.
        words: Such as ``quiet 22:00-08:00 Asia/Shanghai``.

    Raises:
        LetterboxError: The words are not understood; the text says what may be written.
    """
    verb, _, rest = words.strip().partition(" ")
    verb, rest = verb.lower(), rest.strip()
    if verb in ("on", "off"):
        return replace(policy, is_on=verb == "on"), profile
    if verb in _NUMBERS:
        field, lowest, highest, factor = _NUMBERS[verb]
        change: dict[str, Any] = {field: _number(rest, lowest, highest, verb) * factor}
        return replace(policy, **change), profile
    if verb in _SWITCHES:
        change = {_SWITCHES[verb]: _is_on(rest, verb)}
        return replace(policy, **change), profile
    if verb in _POLICY:
        return _POLICY[verb](policy, rest), profile
    if verb in _PROFILE:
        return policy, _PROFILE[verb](profile, rest)
    raise LetterboxError(f"/policy {verb[:20]} is unknown; write {HELP}")


def described(policy: GroupPolicy, profile: GroupProfile) -> list[str]:
    """The rules, one line each, in the words that change them."""
    quiet = "off"
    if policy.quiet is not None:
        start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in policy.quiet)
        quiet = f"{start}-{end} {policy.zone}"
    lines = [
        "on" if policy.is_on else "off",
        f"who {policy.who}",
        f"quiet {quiet}",
        f"per-day {policy.per_day}",
        f"every {policy.group_every_s // 60}",
        f"share {policy.per_100_messages}",
        f"veto {policy.veto}",
        f"strikes {policy.strikes}",
        f"approval {'on' if policy.needs_approval else 'off'}",
        f"alerts {'on' if policy.takes_alerts else 'off'}",
        f"tone {profile.tone}",
    ]
    if policy.banned:
        lines.append("banned: " + ", ".join(sorted(policy.banned)))
    if profile.audience:
        lines.append(f"about {profile.audience}")
    if profile.only:
        lines.append("only " + ", ".join(sorted(profile.only)))
    if profile.language:
        lines.append(f"language {profile.language}")
    return lines


def _quiet(policy: GroupPolicy, rest: str) -> GroupPolicy:
    if rest.lower() == "off":
        return replace(policy, quiet=None)
    match = _HOURS.fullmatch(rest)
    hours = [int(group) for group in match.groups()[:4]] if match else []
    if match is None or max(hours[0], hours[2]) > 23 or max(hours[1], hours[3]) > 59:
        raise LetterboxError("write /policy quiet 22:00-08:00 Asia/Shanghai, or quiet off")
    zone = match[5] or policy.zone
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise LetterboxError(
            f"no time zone is called {zone[:40]!r}; write one such as Asia/Shanghai"
        ) from None
    start, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    return replace(policy, quiet=(start, end) if start != end else None, zone=zone)


def _who(policy: GroupPolicy, rest: str) -> GroupPolicy:
    choices: tuple[Who, ...] = get_args(Who)
    found = next((one for one in choices if one == rest.lower()), None)
    if found is None:
        raise LetterboxError(f"write /policy who {'|'.join(choices)}")
    return replace(policy, who=found)


def _ban(policy: GroupPolicy, rest: str) -> GroupPolicy:
    return replace(policy, banned=_limited(policy.banned | _words(rest, "ban")))


def _unban(policy: GroupPolicy, rest: str) -> GroupPolicy:
    return replace(policy, banned=policy.banned - _words(rest, "unban"))


def _about(profile: GroupProfile, rest: str) -> GroupProfile:
    lowered = rest.lower()
    if _PROTECTED.search(lowered):
        raise LetterboxError(
            "a group's profile must not name religion, origin, health, orientation or politics; "
            "say what you do together, such as hikers or neighbours"
        )
    return replace(profile, audience=" ".join(rest.split())[:60])


def _tone(profile: GroupProfile, rest: str) -> GroupProfile:
    choices: tuple[Manner, ...] = get_args(Manner)
    found = next((one for one in choices if one == rest.lower()), None)
    if found is None:
        raise LetterboxError(f"write /policy tone {'|'.join(choices)}")
    return replace(profile, tone=found)


def _only(profile: GroupProfile, rest: str) -> GroupProfile:
    only = frozenset() if rest.lower() in ("", "off", "everything") else _words(rest, "only")
    return replace(profile, only=_limited(only))


def _language(profile: GroupProfile, rest: str) -> GroupProfile:
    if rest.lower() not in _LANGUAGES:
        raise LetterboxError(f"write /policy language {'|'.join(_LANGUAGES)}")
    return replace(profile, language=rest.lower())


def _words(rest: str, verb: str) -> frozenset[str]:
    words = frozenset(word.strip().lower()[:40] for word in re.split(r"[,，、]", rest)) - {""}
    if not words:
        raise LetterboxError(f"write /policy {verb} WORD; several with commas")
    return words


def _limited(words: frozenset[str]) -> frozenset[str]:
    if len(words) > _MOST_WORDS:
        raise LetterboxError(f"{_MOST_WORDS} words at most; take some away first")
    return words


def _number(text: str, lowest: int, highest: int, verb: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else -1
    if not lowest <= number <= highest:
        raise LetterboxError(f"write /policy {verb} with a number from {lowest} to {highest}")
    return number


def _is_on(text: str, verb: str) -> bool:
    if text.lower() not in ("on", "off"):
        raise LetterboxError(f"write /policy {verb} on, or off")
    return text.lower() == "on"


# Word: field, lowest, highest, factor to the field's unit.
_NUMBERS: dict[str, tuple[str, int, int, int]] = {
    "per-day": ("per_day", 0, 200, 1),
    "every": ("group_every_s", 1, 1440, 60),
    "share": ("per_100_messages", 0, 100, 1),
    "veto": ("veto", 1, 100, 1),
    "strikes": ("strikes", 1, 100, 1),
    "ignored": ("ignored", 1, 100, 1),
}
_SWITCHES = {"approval": "needs_approval", "alerts": "takes_alerts"}
_POLICY: dict[str, Callable[[GroupPolicy, str], GroupPolicy]] = {
    "quiet": _quiet,
    "who": _who,
    "ban": _ban,
    "unban": _unban,
}
_PROFILE: dict[str, Callable[[GroupProfile, str], GroupProfile]] = {
    "about": _about,
    "tone": _tone,
    "only": _only,
    "language": _language,
}
