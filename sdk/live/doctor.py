"""``doctor``: what this machine has, what is missing, and what to do about it."""

import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from avatar_engine.errors import AvatarEngineError
from sdk.errors import SdkError
from sdk.live.server import listen
from sdk.settings import read_messaging_settings, read_settings

Verdict = Literal["ok", "note", "missing"]
_ENCODERS = {"libx264": "H.264", "libvpx": "VP8", "libopus": "Opus", "aac": "AAC for files"}
_PORT = 8010


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What.
        verdict: ``ok``; ``note`` works without; ``missing`` does not.
        detail: What was found, and the next step.
    """

    name: str
    verdict: Verdict
    detail: str


def report(*, as_json: bool) -> int:
    """Look at everything and print it.

    Returns:
        0 when nothing is missing, else 1.
    """
    findings = list(examine())
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1))  # noqa: T201
    else:
        _print_table(findings)
    return int(any(finding.verdict == "missing" for finding in findings))


def examine() -> Iterator[Finding]:
    """Look at this machine, one thing after another."""
    yield _python()
    yield Finding("processor", "ok", f"{os.cpu_count()} cores, {platform.machine()}")
    yield from _guarded("codecs", _codecs)
    yield from _guarded("voices", _voices)
    yield from _guarded("renderer", _kernels)
    yield from _guarded("page", _port)
    yield from _guarded("media", _media)
    yield from _guarded("database", _folders)
    yield from _guarded("chats", _hooks)
    yield _browser()
    yield _torch()


def _guarded(name: str, look: Callable[[], Finding]) -> Iterator[Finding]:
    try:
        yield look()
    except (SdkError, AvatarEngineError, ImportError, OSError) as error:
        yield Finding(name, "missing", str(error))


def _python() -> Finding:
    version = sys.version_info
    detail = f"{version.major}.{version.minor}.{version.micro}, livepitch {_version()}"
    is_known = (3, 11) <= version[:2] < (3, 14)
    return Finding("python", "ok" if is_known else "missing", detail + "; 3.11 to 3.13 are known")


def _version() -> str:
    try:
        return importlib.metadata.version("livepitch")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _codecs() -> Finding:
    import av

    absent = [name for name in _ENCODERS if name not in av.codecs_available]
    if absent:
        return Finding("codecs", "missing", f"{', '.join(absent)}; reinstall av from its wheel")
    return Finding("codecs", "ok", ", ".join(_ENCODERS.values()))


def _voices() -> Finding:
    from avatar_engine.speech import list_voices, open_voice

    names = list_voices()
    voice = open_voice("espeak:en-us")
    try:
        samples = sum(len(chunk.pcm) for chunk in voice.speak("Hello."))
    finally:
        voice.close()
    if samples == 0:
        return Finding("voices", "missing", "espeak:en-us is silent; reinstall espeakng-loader")
    return Finding("voices", "ok", f"{len(names)} voices; espeak:en-us speaks")


def _kernels() -> Finding:
    from avatar_engine.render import warm_up

    began = time.perf_counter()
    warm_up(lambda share: None)
    took_s = time.perf_counter() - began
    return Finding("renderer", "ok", f"kernels ready in {took_s:.1f} s")


def _port() -> Finding:
    try:
        listen("127.0.0.1", _PORT).close()
    except SdkError as error:
        return Finding("page", "note", str(error))
    return Finding("page", "ok", f"port {_PORT} is free")


def _media() -> Finding:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
    ):
        there.bind(("127.0.0.1", 0))
        there.settimeout(1.0)
        here.sendto(b"livepitch", there.getsockname())
        there.recv(16)
    return Finding("media", "ok", "UDP passes on loopback")


def _folders() -> Finding:
    folder = read_settings().data_folder()
    if folder is None:
        return Finding("database", "note", "this user has no home folder; shops are temporary")
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(existing, os.W_OK):
        return Finding("database", "note", f"{folder} cannot be written; shops are temporary")
    return Finding("database", "ok", str(folder))


def _hooks() -> Finding:
    settings = read_messaging_settings()
    names = settings.switched_on()
    if not names:
        return Finding("chats", "note", "no chat service is switched on; see docs/messaging.md")
    if not settings.public_url.startswith("https://") and names != ["wecom-bot (socket)"]:
        detail = f"{', '.join(names)}; set LIVEPITCH_PUBLIC_URL=https://… so that they can call"
        return Finding("chats", "note", detail)
    return Finding("chats", "ok", f"{', '.join(names)} at {settings.public_url}/hooks/…")


def _browser() -> Finding:
    names = ("chromium", "chromium-browser", "google-chrome", "firefox")
    found = next((name for name in names if shutil.which(name)), None)
    if found is None:
        return Finding("browser", "note", "none here; open the page from another machine")
    return Finding("browser", "ok", found)


def _torch() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("torch", "note", "absent; only the reference renderer and training need it")
    return Finding("torch", "ok", f"torch {importlib.metadata.version('torch')}")


def _print_table(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.table import Table

    signs = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "missing": "[red]missing[/]"}
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for finding in findings:
        table.add_row(signs[finding.verdict], finding.name, finding.detail)
    Console().print(table)
