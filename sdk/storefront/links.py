"""``GET /r/{token}``: from a message in a chat to the live page, counted once per person."""

import re
import secrets
from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from commerce.shop import Shop
from sdk.types.answers import problems

VISITOR, REFERRAL = "lp_visitor", "lp_ref"
_VISITOR_LIFE_S, _REFERRAL_LIFE_S = 400 * 24 * 3600, 7 * 24 * 3600
_VISITOR_ID = re.compile(r"[0-9a-f]{32}")
_TOKEN = re.compile(r"[A-Za-z0-9_.~-]{8,200}")
# Chats fetch every link that is posted, to show a picture of it. None of that is a person.
_MACHINES = re.compile(
    r"bot\b|bot/|crawler|spider|preview|facebookexternalhit|facebookcatalog|whatsapp|telegram"
    r"|slack|discord|twitter|linkedin|skypeuripreview|line-poker|linespider|wechat|wxwork"
    r"|embedly|iframely|pinterest|vkshare|google-read-aloud|curl|wget|python-|go-http|okhttp"
    r"|headlesschrome-preview|axios|node-fetch|java/|libwww",
    re.IGNORECASE,
)
# The chats' own browsers name the chat too, but they are browsers, and a person holds them.
_IN_APP = re.compile(r"MicroMessenger|Mozilla/5\.0 .*\b(Line/\d|Telegram-Android|Instagram)")

PageLink = Callable[[str | None, str | None], str]
"""Where the live page is for a session and a product, either of which may be unknown."""


def link_routes(shop: Shop, page_link: PageLink) -> APIRouter:
    """The route of tracked links.

    Args:
        shop: Open.
        page_link: Where they lead.
    """
    router = APIRouter(tags=["storefront"])

    @router.head("/r/{token}", status_code=302, include_in_schema=False)
    @router.get(
        "/r/{token}", status_code=302, response_class=RedirectResponse, responses=problems(503)
    )
    async def follow(token: str, request: Request) -> Response:
        """Follow a link from a chat; the page behind it knows who recommended what."""
        if not _TOKEN.fullmatch(token):
            return _redirect(request, page_link(None, None))
        visitor = visitor_of(request.cookies) or secrets.token_hex(16)
        node = await shop.ledger.node("visitor", visitor)
        is_machine = request.method == "HEAD" or is_preview(request.headers)
        destination = await shop.ledger.follow(token, visitor=node, is_preview=is_machine)
        if destination is None:
            return _redirect(request, page_link(None, None))
        answer = _redirect(request, page_link(destination.session, destination.sku))
        if not is_machine:
            await shop.letterbox.heed(token)
            remember(answer, request, VISITOR, visitor, _VISITOR_LIFE_S)
            remember(answer, request, REFERRAL, token, _REFERRAL_LIFE_S)
        return answer

    return router


def is_preview(headers: Mapping[str, str]) -> bool:
    """Whether a machine fetches a link, to show what is behind it or to index it.

    Args:
        headers: Of the request, with names in lower case or any case-insensitive mapping.
    """
    agent = headers.get("user-agent", "")
    if not agent or headers.get("purpose", headers.get("sec-purpose", "")).startswith("prefetch"):
        return True
    if _IN_APP.search(agent):
        return False
    if _MACHINES.search(agent):
        return True
    # Browsers say since 2023 what they fetch for; a page opened by a person is a document.
    return headers.get("sec-fetch-dest", "document") not in ("document", "empty", "")


def visitor_of(cookies: Mapping[str, str]) -> str | None:
    """The visitor's own number, if it is one of ours."""
    found = cookies.get(VISITOR, "")
    return found if _VISITOR_ID.fullmatch(found) else None


def referral_of(cookies: Mapping[str, str]) -> str | None:
    """The token of the last link followed, if it looks like one."""
    found = cookies.get(REFERRAL, "")
    return found if _TOKEN.fullmatch(found) else None


def remember(answer: Response, request: Request, name: str, value: str, life_s: int) -> None:
    """Set a first-party cookie that no script can read."""
    answer.set_cookie(
        name,
        value,
        max_age=life_s,
        path=request.scope.get("root_path") or "/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def remember_visitor(answer: Response, request: Request, visitor: str) -> None:
    """Know the visitor again."""
    remember(answer, request, VISITOR, visitor, _VISITOR_LIFE_S)


def absolute(request: Request, address: str) -> str:
    """An address of ours as the buyer's browser can open it, wherever we are mounted."""
    own = address.startswith("/")
    return f"{str(request.base_url).rstrip('/')}{address}" if own else address


def _redirect(request: Request, address: str) -> RedirectResponse:
    if address.startswith("/"):
        address = request.scope.get("root_path", "") + address
    headers = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    return RedirectResponse(address, 302, headers)
