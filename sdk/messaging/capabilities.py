"""What each channel allows: the table that the code asks before it promises anything.

The numbers come from the services' documentation as of November 2026; where a service publishes
none, ours is careful. ``docs/messaging.md`` shows the same table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Reads = Literal["everything", "addressed", "commands"]
Richest = Literal["card", "picture", "text"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One channel's.

    Attributes:
        reads: In groups: every message, only those that address us, or only our commands.
        richest: The richest form a pitch can take in a group.
        can_start: Whether we may write without being asked at that moment.
        can_withdraw: Whether we can take a message of ours back.
        sees_reactions: Whether a 👎 reaches us; otherwise members answer with one.
        tells_admins: Whether the service says who a group's admins are.
        most_members: Of a group; None for large.
        per_minute: Messages we send to one chat per minute, at most.
        per_second: Messages we send in all per second, at most.
        longest_text: Characters of a message (bytes for WeCom).
        longest_caption: Characters beside a picture.
        ack_deadline_s: How soon the service wants its 200.
        clock_window_s: How far the signed time of a call may be from ours; None when none is
            signed, and the inbox alone knows repetitions.
        most_age_s: Older messages are not answered any more.
    """

    reads: Reads
    richest: Richest
    can_start: bool
    can_withdraw: bool
    sees_reactions: bool
    tells_admins: bool
    most_members: int | None
    per_minute: int
    per_second: int
    longest_text: int
    longest_caption: int
    ack_deadline_s: float
    clock_window_s: int | None
    most_age_s: int


_HOUR, _DAY = 3600, 86_400

CAPABILITIES: Mapping[str, Capabilities] = {
    "telegram": Capabilities(
        "addressed", "picture", True, True, True, True, None, 20, 30, 4096, 1024, 10.0, None, _DAY
    ),
    "whatsapp": Capabilities(
        "everything", "picture", False, False, True, False, 8, 20, 20, 4096, 1024, 1.0, None,
        7 * _DAY,
    ),
    "wecom": Capabilities(
        "addressed", "card", True, False, False, False, 2000, 20, 10, 2048, 512, 5.0, 300, _DAY
    ),
    "wecom-bot": Capabilities(
        "addressed", "card", True, False, False, False, 2000, 20, 10, 20480, 512, 5.0, 300, _DAY
    ),
    "line": Capabilities(
        "everything", "card", True, False, False, False, 500, 60, 30, 5000, 2000, 2.0, None, _DAY
    ),
    "slack": Capabilities(
        "everything", "card", True, True, True, True, None, 60, 20, 4000, 2000, 3.0, 300, _DAY
    ),
    "discord": Capabilities(
        "commands", "card", False, True, False, True, None, 30, 30, 2000, 2000, 3.0, 300, _DAY
    ),
    "generic": Capabilities(
        "everything", "card", True, False, True, True, None, 60, 50, 10000, 10000, 5.0, 300, _DAY
    ),
}  # fmt: skip
"""By name of the channel."""
