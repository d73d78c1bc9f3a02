"""Who words the pitches, what may not be claimed, and who reads meaning: as the settings say."""

from dataclasses import dataclass, field

from commerce.errors import SettingsError
from commerce.recommendation.claims import ClaimsFilter, read_claims
from commerce.recommendation.embedding import Embedder, OpenAiEmbedder
from commerce.recommendation.writer import OpenAiCompatible, Writer
from commerce.settings import CommerceSettings


@dataclass(frozen=True, slots=True)
class Speech:
    """How a shop understands and speaks.

    Attributes:
        claims: What may not be claimed.
        writer: Words the middle of pitches; None leaves it to templates and descriptions.
        embedder: Finds products by meaning beside words; None finds them by words only.
    """

    claims: ClaimsFilter = field(default_factory=ClaimsFilter)
    writer: Writer | None = None
    embedder: Embedder | None = None


def speech_of(settings: CommerceSettings) -> Speech:
    """How the settings want the shop to understand and speak.

    Raises:
        SettingsError: An endpoint has no model, or the list of claims is unusable.
    """
    further = read_claims(settings.banned_claims) if settings.banned_claims else None
    claims = ClaimsFilter(further)
    return Speech(claims, _writer(settings, claims), _embedder(settings))


def _writer(settings: CommerceSettings, claims: ClaimsFilter) -> Writer | None:
    if not settings.llm_base_url:
        return None
    _check("LLM", settings.llm_base_url, settings.llm_model)
    model = OpenAiCompatible(
        settings.llm_base_url,
        settings.llm_model,
        key=settings.llm_api_key.get_secret_value() if settings.llm_api_key else None,
        timeout_s=settings.llm_timeout_s,
    )
    return Writer(model, claims)


def _embedder(settings: CommerceSettings) -> Embedder | None:
    if not settings.embed_base_url:
        return None
    _check("EMBED", settings.embed_base_url, settings.embed_model)
    return OpenAiEmbedder(
        settings.embed_base_url,
        settings.embed_model,
        key=settings.embed_api_key.get_secret_value() if settings.embed_api_key else None,
        timeout_s=settings.embed_timeout_s,
        least_similarity=settings.embed_least_similarity,
    )


def _check(name: str, base_url: str, model: str) -> None:
    if not model:
        raise SettingsError(f"LIVEPITCH_{name}_MODEL is missing; name the endpoint's model")
    if not base_url.startswith(("http://", "https://")):
        raise SettingsError(f"LIVEPITCH_{name}_BASE_URL is no web address; it starts with http")
