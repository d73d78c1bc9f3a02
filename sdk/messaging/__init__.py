"""The letterbox: chat services in and out, one file each, behind one inbox."""

from sdk.messaging.clerk import Clerk
from sdk.messaging.conversation import Conversation, ConversationConfig
from sdk.messaging.letterbox import LetterboxConfig, letterbox_routes
from sdk.messaging.opening import open_channels
from sdk.messaging.routes import messaging_routes
from sdk.messaging.stage import LiveStage

__all__ = [
    "Clerk",
    "Conversation",
    "ConversationConfig",
    "LetterboxConfig",
    "LiveStage",
    "letterbox_routes",
    "messaging_routes",
    "open_channels",
]
