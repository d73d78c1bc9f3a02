"""Any voice by its name, as a live show needs it: never waiting, never silent for good."""

from avatar_engine.speech import Voice, open_voice
from sdk.live.voices.address import is_remote, remote_address
from sdk.live.voices.fallback import FallbackVoice
from sdk.live.voices.remote import RemoteVoice
from sdk.settings import read_settings


def open_session_voice(name: str) -> Voice:
    """``espeak:…``, ``piper:…`` or ``openai:URL#MODEL/VOICE[@LANGUAGE]``, for a live show.

    Piper and remote voices have the embedded voice of their language behind them.

    Raises:
        SettingsError: An ``openai:`` address is written wrongly.
        VoiceError: No such voice, or it cannot run here.
    """
    if is_remote(name):
        address = remote_address(name)
        key = read_settings().speech_key
        first: Voice = RemoteVoice(
            address, key=key.get_secret_value() if key else None, waits=False
        )
    else:
        first = open_voice(name, waits=False)
        if name.lower().startswith("espeak:"):
            return first
    try:
        return FallbackVoice(first, open_voice(f"espeak:{first.language}"))
    except BaseException:
        first.close()
        raise


def voice_language(voice: Voice) -> str:
    """What the shop's lines are to be written in: a name as ``espeak:LANGUAGE``."""
    return f"espeak:{voice.language}"
