"""Who words the pitches and what may not be claimed, as the settings say."""

from dataclasses import dataclass, field

from commerce.errors import SettingsError
from commerce.recommendation.claims import ClaimsFilter, read_claims
from commerce.recommendation.writer import OpenAiCompatible, Writer
from commerce.settings import CommerceSettings


@dataclass(frozen=True, slots=True)
class Speech:
    """How a shop speaks.

    Attributes:
        claims: What may not be claimed.
        writer: Words the middle of pitches; None leaves it to templates and descriptions.
    """

    claims: ClaimsFilter = field(default_factory=ClaimsFilter)
    writer: Writer | None = None


def speech_of(settings: CommerceSettings) -> Speech:
    """How the settings want the shop to speak.

    Raises:
        SettingsError: The endpoint has no model, or the list of claims is unusable.
    """
    further = read_claims(settings.banned_claims) if settings.banned_claims else None
    claims = ClaimsFilter(further)
    if not settings.llm_base_url:
        return Speech(claims)
    if not settings.llm_model:
        raise SettingsError("LIVEPITCH_LLM_MODEL is missing; name the endpoint's model")
    if not settings.llm_base_url.startswith(("http://", "https://")):
        raise SettingsError("LIVEPITCH_LLM_BASE_URL is no web address; it starts with http")
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
    model = OpenAiCompatible(
        settings.llm_base_url, settings.llm_model, key=key, timeout_s=settings.llm_timeout_s
    )
    return Speech(claims, Writer(model, claims))
