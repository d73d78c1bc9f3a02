"""What was typed, and everything about it that can be refused before anything slow begins."""

import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from sdk.errors import SettingsError
from sdk.live.access import Access, is_loopback
from sdk.live.size import checked_fps, parse_size
from sdk.live.voices.address import is_remote, remote_address
from sdk.settings import read_messaging_settings, read_settings

CLEAN, BROKE, REFUSED = 0, 1, 2
"""Exit statuses."""

NO_CONSENT = (
    "this persona states no consent, so it may only be shown on 127.0.0.1; "
    'build it with --consent "who agreed, to what"'
)
_RENDERERS = ("auto", "reference", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class Options:
    """What was typed; see ``--help``."""

    persona: Path
    catalogue: Path | None
    voice: str
    host: str
    port: int
    size: str
    fps: float
    renderer: str
    outputs: tuple[str, ...]
    database: str | None
    seconds: float | None
    opens_browser: bool
    token: str | None
    consent: str | None
    name: str | None
    script: bool
    seed: int
    as_json: bool

    @property
    def is_served(self) -> bool:
        """Whether viewers can watch; otherwise the session only goes to files."""
        return "webrtc" in self.outputs

    @property
    def files(self) -> tuple[str, ...]:
        """The outputs that are not viewers."""
        return tuple(where for where in self.outputs if where != "webrtc")


def check(options: Options) -> Access:
    """Who may do what, once nothing asked for is impossible.

    Raises:
        SettingsError: Something is; the text names the option.
    """
    settings = read_settings()
    token = options.token or (settings.token.get_secret_value() if settings.token else None)
    access = Access(options.host, token)
    parse_size(options.size)
    checked_fps(options.fps)
    if is_remote(options.voice):
        remote_address(options.voice)  # written wrongly, it is told before the slow work
    if options.renderer not in _RENDERERS:
        raise SettingsError(f"--renderer {options.renderer}: choose {', '.join(_RENDERERS)}")
    # A chat service that is half switched on is told before anything slow begins.
    read_messaging_settings().switched_on()
    for path, option in ((options.persona, "--persona"), (options.catalogue, "--catalogue")):
        if path is not None and not path.is_file():
            what = "is a folder" if path.is_dir() else "does not exist"
            raise SettingsError(f"{option} {path} {what}")
    for where in options.files:
        _check_output(where, times=options.files.count(where))
    is_photo = options.persona.suffix.lower() != ".persona"
    if is_photo and options.consent is None and not is_loopback(options.host):
        raise SettingsError(NO_CONSENT)
    return access


def _check_output(where: str, times: int) -> None:
    path = Path(where)
    if not where.lower().endswith(".mp4") or "://" in where:
        raise SettingsError(
            f"--output {where}: only FILE.mp4 is known; leave it out for WebRTC alone"
        )
    if times > 1:
        raise SettingsError(f"--output {where} is given {times} times; once is enough")
    if path.is_dir():
        raise SettingsError(f"--output {where} is a folder; name a file in it")
    if not path.resolve().parent.is_dir():
        raise SettingsError(f"--output {where}: the folder does not exist")
    if not os.access(path if path.exists() else path.resolve().parent, os.W_OK):
        raise SettingsError(f"--output {where} may not be written; choose another place")


def note(text: str) -> None:
    """A line for the person at the terminal, beside the results."""
    print(f"  {text}", file=sys.stderr, flush=True)  # noqa: T201


class LogLines(logging.StreamHandler[TextIO]):
    """Warnings for the person at the terminal, with their fields, while the block runs."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setLevel(logging.WARNING)
        self._usual = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

    def format(self, record: logging.LogRecord) -> str:
        """``livepitch: recording ended (file: show.mp4, reason: the disk is full)``."""
        fields = [f"{k}: {v}" for k, v in vars(record).items() if k not in self._usual]
        return f"livepitch: {record.getMessage()}" + (f" ({', '.join(fields)})" if fields else "")

    def __enter__(self) -> None:
        logging.getLogger("sdk").addHandler(self)

    def __exit__(self, *exception: object) -> None:
        logging.getLogger("sdk").removeHandler(self)


def complain(text: str) -> None:
    """Why it did not go, in one line."""
    print(f"livepitch: {' '.join(text.split())}", file=sys.stderr, flush=True)  # noqa: T201
