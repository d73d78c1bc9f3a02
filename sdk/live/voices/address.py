"""``openai:URL#MODEL/VOICE[@LANGUAGE]``: where a voice is asked for, and its name there."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from sdk.errors import SettingsError
from sdk.live.access import is_loopback
from sdk.settings import read_settings

_SCHEME = "openai"
_HOW = "write openai:https://HOST/v1#MODEL/VOICE, with @LANGUAGE behind it for other than English"


@dataclass(frozen=True, slots=True)
class VoiceAddress:
    """A voice of a speech endpoint.

    Attributes:
        is_encrypted: HTTPS.
        host, port: Of the server.
        path: Of the endpoint, such as ``/v1/audio/speech``.
        model, voice: As the server calls them.
        language: BCP 47 tag of what it is to speak.
    """

    is_encrypted: bool
    host: str
    port: int
    path: str
    model: str
    voice: str
    language: str

    @property
    def label(self) -> str:
        """For people: no secret can be in it."""
        return f"{self.host}:{self.port} {self.model}/{self.voice}"

    @classmethod
    def parse(cls, text: str, *, has_key: bool) -> "VoiceAddress":
        """Read what stands behind ``openai:``.

        Args:
            text: ``URL#MODEL/VOICE[@LANGUAGE]``.
            has_key: A key is going to be sent.

        Raises:
            SettingsError: It is written wrongly, or would send a key in the clear.
        """
        address, _, name = text.partition("#")
        name, _, language = name.partition("@")
        model, _, voice = name.rpartition("/")
        try:
            url = urlsplit(address)
            port = url.port
        except ValueError as error:
            raise SettingsError(f"--voice openai: {error}; {_HOW}") from error
        if url.scheme not in ("http", "https") or not url.hostname or not model or not voice:
            raise SettingsError(f"--voice openai:{address.split('@')[-1]}: {_HOW}")
        if url.username or url.password or url.query:
            raise SettingsError("--voice openai: a key belongs in LIVEPITCH_SPEECH_KEY only")
        is_encrypted = url.scheme == "https"
        if has_key and not is_encrypted and not is_loopback(url.hostname):
            raise SettingsError(
                f"--voice openai: {url.hostname} would get the key in the clear; use https"
            )
        path = url.path.rstrip("/")
        if not path.endswith("/audio/speech"):
            path += "/audio/speech"
        return cls(
            is_encrypted,
            url.hostname,
            port or (443 if is_encrypted else 80),
            path,
            model,
            voice,
            language.lower() or "en-us",
        )


def remote_address(name: str) -> VoiceAddress:
    """The address in an ``openai:`` voice's name.

    Raises:
        SettingsError: It is written wrongly, or would send the key in the clear.
    """
    key = read_settings().speech_key
    return VoiceAddress.parse(name.partition(":")[2], has_key=key is not None)


def is_remote(name: str) -> bool:
    """Whether a voice's name asks for a speech endpoint."""
    return name.partition(":")[0].lower() == _SCHEME
