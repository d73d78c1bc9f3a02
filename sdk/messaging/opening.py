"""From settings to channels."""

from collections.abc import Callable, Mapping

import httpx

from sdk.messaging.channel import Channel
from sdk.messaging.channels.discord import Discord
from sdk.messaging.channels.generic import Generic
from sdk.messaging.channels.line import Line
from sdk.messaging.channels.slack import Slack
from sdk.messaging.channels.telegram import Telegram
from sdk.messaging.channels.wecom import Wecom
from sdk.messaging.channels.wecom_bot import WecomBot
from sdk.messaging.channels.wecom_socket import WecomSocket
from sdk.messaging.channels.whatsapp import WhatsApp
from sdk.settings import MessagingSettings


def open_channels(settings: MessagingSettings, client: httpx.AsyncClient) -> list[Channel]:
    """The channels that are switched on.

    Args:
        settings: Secrets and ids.
        client: For everything that is written; closed by the caller.

    Raises:
        SettingsError: One is half switched on, or a key is none.
    """
    of = settings.text

    makers: Mapping[str, Callable[[], Channel]] = {
        "telegram": lambda: Telegram(
            of("telegram_token"),
            client,
            secret=of("telegram_secret") or None,
            username=settings.telegram_name,
            api=settings.telegram_api,
        ),
        "whatsapp": lambda: WhatsApp(
            of("whatsapp_app_secret"),
            of("whatsapp_verify_token"),
            of("whatsapp_access_token"),
            settings.whatsapp_phone_number_id,
            client,
        ),
        "wecom": lambda: Wecom(
            settings.wecom_corporation,
            settings.wecom_agent,
            of("wecom_secret"),
            of("wecom_token"),
            of("wecom_aes_key"),
            client,
        ),
        "wecom-bot": lambda: WecomBot(of("wecom_bot_token"), of("wecom_bot_aes_key"), client),
        "wecom-bot (socket)": lambda: WecomSocket(settings.wecom_bot_id, of("wecom_bot_secret")),
        "line": lambda: Line(of("line_channel_secret"), of("line_access_token"), client),
        "slack": lambda: Slack(of("slack_signing_secret"), of("slack_bot_token"), client),
        "discord": lambda: Discord(
            settings.discord_public_key, client, bot_token=of("discord_bot_token")
        ),
        "generic": lambda: Generic(of("hook_secret"), client, reply_url=settings.hook_reply_url),
    }
    return [makers[name]() for name in settings.switched_on()]
