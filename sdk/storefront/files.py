"""The counter's own pages, and products' pictures on them."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import HTTPException, Request
from fastapi.responses import FileResponse

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
PICTURE_KINDS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".avif": "image/avif",
    ".svg": "image/svg+xml",
}
# A drawing may hold scripts; opened by itself it must not run them as this site.
_PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def page(name: str, *, vary: bool = False) -> FileResponse:
    """One of our pages, scripts or styles.

    Args:
        name: Of the file.
        vary: Whether its address gives programs something else.

    Raises:
        HTTPException: 404, there is none.
    """
    path = _pages().get(name)
    if path is None:
        raise HTTPException(404, "not found")
    headers = {"Cache-Control": "no-cache"} | ({"Vary": "Accept, Cookie"} if vary else {})
    return FileResponse(path, media_type=_KINDS[path.suffix], headers=headers)


def wants_page(request: Request) -> bool:
    """Whether a browser asks to show it to a person; programs get JSON."""
    return "text/html" in request.headers.get("accept", "")


def picture_file(path: Path) -> FileResponse:
    """A product's local picture.

    Raises:
        HTTPException: 404, it is no kind of picture.
    """
    kind = PICTURE_KINDS.get(path.suffix.lower())
    if kind is None:
        raise HTTPException(404, "no picture")
    headers = {"Content-Security-Policy": _PICTURE_POLICY, "Cache-Control": "max-age=300"}
    return FileResponse(path, media_type=kind, headers=headers)


@cache
def _pages() -> dict[str, Path]:
    # Only what is in the folder can be asked for: a name is looked up, never joined to a path.
    folder = Path(str(files("sdk.web"))) / "store"
    return {path.name: path for path in folder.iterdir() if path.suffix in _KINDS}
