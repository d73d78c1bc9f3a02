"""``python -m sdk.live``: check what can be checked at once, build, serve, end cleanly."""

import asyncio
import contextlib
import gc
import json
import signal
import socket
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from avatar_engine.device import give_back_memory
from avatar_engine.errors import AvatarEngineError
from commerce.errors import CommerceError
from commerce.shop import ImportReport
from sdk.errors import SdkError, SettingsError
from sdk.live.access import Access, is_loopback
from sdk.live.options import BROKE, CLEAN, NO_CONSENT, REFUSED, LogLines, Options, complain, note
from sdk.live.server import LiveServer, address_of, listen, loopback_address
from sdk.live.wiring import Catalogue, LiveSession, default_database, opens_browser
from sdk.settings import read_messaging_settings

_SHOWN_ISSUES = 5


def run(options: Options, access: Access) -> int:
    """Run until Ctrl-C, the end of ``--seconds``, or an error.

    Returns:
        0 after a clean end; 1 when the show broke; 2 when something asked for was impossible, with
        one line on standard error.
    """
    try:
        with LogLines():
            return asyncio.run(_run(options, access))
    except (SdkError, AvatarEngineError, CommerceError) as error:
        complain(str(error))
        return REFUSED
    except KeyboardInterrupt:
        return CLEAN


async def _run(options: Options, access: Access) -> int:
    stop = asyncio.Event()
    with _ending_on_signals(stop), contextlib.ExitStack() as taken:
        listener = None
        if options.is_served:
            listener = listen(options.host, options.port)
            taken.callback(listener.close)
        with _progress(stop) as progress:
            session = LiveSession(
                options.persona,
                Catalogue(options.catalogue, _database(options)),
                voice=options.voice,
                size=options.size,
                fps=options.fps,
                renderer=options.renderer,
                outputs=options.files,
                consent=options.consent,
                name=options.name,
                script=options.script,
                seed=options.seed,
                progress=progress,
            )
            async with AsyncExitStack() as exits:
                if not await _entered(session, exits, stop):
                    return CLEAN
                _require_consent(session, options)
                progress("", 1.0)
                if session.import_report is not None:
                    _tell_issues(session.import_report)
                status = await _live(session, options, access, listener, stop)
        return status or _verdict(session, options)


async def _entered(session: LiveSession, exits: AsyncExitStack, stop: asyncio.Event) -> bool:
    """Open the session; False when Ctrl-C came first."""
    opening = asyncio.ensure_future(exits.enter_async_context(session))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait((opening, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not opening.done():
        opening.cancel()
    try:
        await opening
    except (asyncio.CancelledError, _StoppedError):
        return False
    return True


def leave_alone_what_lasts() -> None:
    """Have collections of garbage look only at what comes from now on.

    Looking through everything that was made until here holds the loop for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    give_back_memory()


async def _live(
    session: LiveSession,
    options: Options,
    access: Access,
    listener: socket.socket | None,
    stop: asyncio.Event,
) -> int:
    async with _served(session, options, access, listener):
        leave_alone_what_lasts()
        ends = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(session.wait_failed())]
        if options.seconds is not None:
            ends.append(asyncio.ensure_future(_played(session, options.seconds * options.fps)))
        if listener is None:
            ends.append(asyncio.ensure_future(_unheard(session, len(options.files))))
        done, pending = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in pending:
            end.cancel()
        broken = next((end.exception() for end in done if end.exception() is not None), None)
        if broken is not None:
            complain(f"the show broke: {broken}")
            return BROKE
    return CLEAN


def _verdict(session: LiveSession, options: Options) -> int:
    """What became of the files, once the session has closed and finished them."""
    for error in session.output_errors:
        complain(str(error))
    if session.output_errors:
        return BROKE
    if not options.as_json:
        for where in options.files:
            print(where)  # noqa: T201
    return CLEAN


@asynccontextmanager
async def _served(
    session: LiveSession, options: Options, access: Access, listener: socket.socket | None
) -> AsyncIterator[None]:
    if listener is None:
        yield
        return
    address = address_of(listener, options.host)
    server = LiveServer(session.web_app(access, address=address), listener)
    serving = asyncio.create_task(server.serve(), name="http")
    await server.started()
    session.serve_till_at(loopback_address(listener, options.host))
    _announce(session, options, access, address)
    try:
        yield
    finally:
        server.stop()
        await serving


def _announce(session: LiveSession, options: Options, access: Access, address: str) -> None:
    page = f"{address}/"
    if ticket := access.ticket():
        page += f"?ticket={ticket}"
    count = len(session.shelf.products)
    hooks = read_messaging_settings().switched_on()
    if options.as_json:
        about = {"url": page, "session": session.session_id, "products": count, "hooks": hooks}
        about["console"] = f"{address}/console"
        print(json.dumps(about), flush=True)  # noqa: T201
    else:
        print(f"\n  Live at  {page}\n", flush=True)  # noqa: T201
        sold = f"{count} products" if count else "no catalogue"
        if hooks:
            note("chats: " + " · ".join(f"{name} at /hooks/{name}" for name in hooks))
        note(f"the seller's console: {address}/console")
        note(f"{sold} · {options.voice} · {options.size} at {options.fps:g} fps · Ctrl-C ends it")
    if options.opens_browser and opens_browser():
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(page)


async def _played(session: LiveSession, frames: float) -> None:
    # Frames are counted in the worker thread, which must not be slowed down to tell us.
    while session.playout.figures.frames < frames:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def _unheard(session: LiveSession, outputs: int) -> None:
    """Return when nobody takes the show any more: every file has ended before it."""
    while len(session.output_errors) < outputs:  # noqa: ASYNC110
        await asyncio.sleep(0.2)


def _require_consent(session: LiveSession, options: Options) -> None:
    if not is_loopback(options.host) and not session.parts.consent:
        raise SettingsError(NO_CONSENT)


def _database(options: Options) -> str | None:
    if options.database == "memory":
        return None
    return options.database or default_database(options.catalogue)


def _tell_issues(report: ImportReport) -> None:
    for issue in report.issues[:_SHOWN_ISSUES]:
        verdict = "left out" if issue.is_rejected else "ignored"
        cell = f", {issue.column} {issue.value!r}" if issue.column else ""
        note(f"{report.path.name} row {issue.row}{cell}: {issue.reason} ({verdict})")
    if len(report.issues) > _SHOWN_ISSUES:
        rest = len(report.issues) - _SHOWN_ISSUES
        note(f"… and {rest} more: python -m commerce import {report.path.name} --dry-run")


@contextmanager
def _ending_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """The first Ctrl-C ends the show, a second one the process."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def end(number: int) -> None:
        stop.set()
        with contextlib.suppress(NotImplementedError):
            loop.remove_signal_handler(number)

    with contextlib.suppress(NotImplementedError):  # Windows: KeyboardInterrupt serves
        for number in signals:
            loop.add_signal_handler(number, end, number)
    try:
        yield
    finally:
        with contextlib.suppress(NotImplementedError):
            for number in signals:
                loop.remove_signal_handler(number)


class _StoppedError(SdkError):
    """Ctrl-C came while the persona was being built."""


@contextmanager
def _progress(stop: asyncio.Event) -> Iterator[Callable[[str, float], None]]:
    """A bar on standard error; ``step("", 1)`` takes it away.

    A thread cannot be cancelled, so once ``stop`` is set the next step of the work raises.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("  {task.description}"), BarColumn(24), TimeElapsedColumn())
    console = Console(stderr=True)
    is_plain = not console.is_terminal  # a log would get the empty line the bar leaves behind
    with Progress(*columns, console=console, transient=True, disable=is_plain) as bar:
        task = bar.add_task("Opening the shop", total=1.0)

        def step(what: str, share: float) -> None:
            if what and stop.is_set():
                raise _StoppedError("stopped")
            if what:
                bar.update(task, description=what, completed=share)
            else:
                bar.stop()

        yield step
