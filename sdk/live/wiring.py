"""The one place where engine, shop, transmitter and session meet."""

import asyncio
import functools
import hashlib
import io
import logging
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fastapi import APIRouter
from numpy.typing import NDArray
from PIL import Image

from avatar_engine.engine import open_engine
from avatar_engine.persona import Persona
from avatar_engine.render import warm_up
from commerce import settings as commerce_settings
from commerce.errors import CommerceError
from commerce.models.webhooks import Endpoint
from commerce.settings import read_settings as read_shop_settings
from commerce.shop import ImportReport, Shop
from commerce.shop.announcer import endpoints_of
from commerce.shop.connecting import Connection
from commerce.shop.speech import speech_of
from sdk.errors import OutputError, SessionError, SettingsError
from sdk.live.access import Access
from sdk.live.announcing import announcing_routes
from sdk.live.app import create_app
from sdk.live.console import console_router
from sdk.live.gate import Gate
from sdk.live.hooks import hook_routes
from sdk.live.persona_cache import Progress, persona_from
from sdk.live.shelf import ShopCounter, language_of
from sdk.live.size import checked_fps, parse_size
from sdk.live.till import open_till, page_link
from sdk.live.voices.opening import open_session_voice, voice_language
from sdk.media import Broadcaster, MediaConfig
from sdk.media.outputs import open_output
from sdk.session import FaceDriver, Parts, ScriptConfig, Session, SessionConfig, VideoTrack
from sdk.settings import read_settings
from sdk.signalling import WhepConfig, host_addresses_for, whep_router, whip_router
from sdk.storefront import storefront_routes
from sdk.types.media import Output

log = logging.getLogger(__name__)

_BITS_PER_PIXEL = 0.16  # a talking head at 25 fps without visible blocks: 1 Mb/s at 512 x 512


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is sold.

    Attributes:
        file: A CSV file to import when the session opens, or None for what the database holds.
        database: SQLAlchemy URL or SQLite file; None keeps it in a temporary one.
    """

    file: Path | None = None
    database: str | None = None


class LiveSession(Session):
    """A live avatar made from one photo, with a shop behind it.

    Example:
        async with LiveSession(persona="face.png", catalogue="products.csv") as session:
            speech = session.say("Hello everyone!", product="sku-1")
            await speech.wait_for_playout()

    Args:
        persona: A photo, a ``.persona`` file, or a persona.
        catalogue: A CSV file, or a ``Catalogue``.
        voice: ``espeak:en-us``, ``piper:FILE.onnx`` or ``openai:URL#MODEL/VOICE``; docs/voices.md.
        size: ``512`` or ``720x1280``.
        fps: Frames per second.
        renderer: ``auto``, ``reference``, ``cpu`` or ``cuda``.
        outputs: Files that record the session; viewers can always be let in with ``serve``.
        consent: Who agreed to be shown, and to what; kept in a persona built from a photo.
        name: The presenter's, for the page.
        script: Walk through the catalogue by itself.
        seed: Same seed, same words and motion.
        progress: Told what is done and which share of it, from a worker thread.
        webhooks: Programs that are told what happens, beside those of the settings.

    Raises (when entered):
        SettingsError, OutputError: An option is wrong.
        AvatarEngineError: The photo, persona file or voice cannot be used.
        CommerceError: The catalogue or database cannot be used.
    """

    def __init__(
        self,
        persona: str | Path | Persona,
        catalogue: str | Path | Catalogue | None = None,
        *,
        voice: str = "espeak:en-us",
        size: str = "512",
        fps: float = 25.0,
        renderer: str = "auto",
        outputs: Sequence[str] = (),
        consent: str | None = None,
        name: str | None = None,
        script: bool = False,
        seed: int = 0,
        session_id: str = "main",
        progress: Progress | None = None,
        webhooks: Sequence[Endpoint] = (),
    ) -> None:
        config = SessionConfig(script=ScriptConfig(seed=seed) if script else None)
        super().__init__(self._compose, session_id=session_id, config=config)
        self._persona = persona if isinstance(persona, Persona) else Path(persona)
        if not isinstance(catalogue, Catalogue):
            catalogue = Catalogue(Path(catalogue) if catalogue is not None else None)
        self._catalogue = catalogue
        self._voice = voice
        self._language = "en"  # of the voice, once it is open
        self._size = parse_size(size)
        self._fps = checked_fps(fps)
        self._renderer = renderer
        self._outputs = tuple(outputs)
        self._consent = consent
        self._name = name
        if seed < 0:
            raise SettingsError(f"--seed {seed}: write 0 or more")
        self._seed = seed
        self._progress = progress or _silent
        self._webhooks = tuple(webhooks)
        self._shop: Shop | None = None
        self._till: Connection | None = None
        self._opened_outputs: list[Output] = []
        self.import_report: ImportReport | None = None

    @property
    def output_errors(self) -> list[OutputError]:
        """What ended an output before the session did; complete once the session is closed."""
        return [output.error for output in self._opened_outputs if output.error is not None]

    @property
    def shop(self) -> Shop:
        """The shop behind the session: catalogue, till, ledger, letterbox.

        Raises:
            SessionError: The session is not open.
        """
        if self._shop is None:
            raise SessionError("the session is not open; use it as `async with session:`")
        return self._shop

    async def image_file(self, sku: str) -> Path | bytes | None:
        """Where a product's picture lies, or the picture itself where it came from the web."""
        return await self._shop.picture(sku) if self._shop is not None else None

    def web_app(self, access: Access, *, address: str = "http://127.0.0.1:8010") -> Gate:
        """The session's web application: page, picture and sound, chat, control, webhooks.

        Args:
            access: Who may do what; carries the address it will be served at.
            address: For links that are written in chats, where no public one is set.

        Raises:
            SettingsError: A chat service is half switched on.
        """
        return create_app(
            self,
            access=access,
            image_file=self.image_file,
            whep=self._whep(access.host),
            # The counter first: its hooks have names of their own, the chats take any other.
            more=(
                *self._counter(access),
                *self._console(access),
                self._whip(access.host),
                *self._hooks(address),
            ),
        )

    def serve_till_at(self, address: str) -> None:
        """The sandbox till is spoken to over this server from now on, as Stripe would be.

        Args:
            address: Where ``web_app`` is being served, for this machine itself.
        """
        if self._till is not None:
            self._till.serve_at(address)

    def _counter(self, access: Access) -> list[APIRouter]:
        if self._shop is None or self._till is None:
            return []
        link, sandbox = page_link(access), self._till.sandbox
        return [storefront_routes(self._shop, page_link=link, sandbox=sandbox)]

    def _console(self, access: Access) -> list[APIRouter]:
        return [] if self._shop is None else [console_router(self, self._shop, access)]

    def _hooks(self, address: str) -> list[APIRouter]:
        if self._shop is None:
            return []
        chats = hook_routes(self, self._shop, address=address, language=self._language)
        return [announcing_routes(self, self._shop), *chats]

    def _whip(self, host: str) -> APIRouter:
        async def drive(session: str, track: VideoTrack) -> Callable[[], Awaitable[None]]:
            return (await self.drive(track)).stop

        config = WhepConfig(host_addresses=host_addresses_for(host), allow_origin="")
        return whip_router(lambda name: name == self.session_id, drive, config=config)

    def _whep(self, host: str) -> APIRouter:
        # A session without a picture (see sdk.testing) has nobody to send one.
        found = self.parts.transmitter
        broadcaster = found if isinstance(found, Broadcaster) else None
        config = WhepConfig(host_addresses=host_addresses_for(host), allow_origin="")
        return whep_router(
            lambda name: broadcaster if name == self.session_id else None, config=config
        )

    @asynccontextmanager
    async def _compose(self) -> AsyncIterator[Parts]:
        async with _opened_shop(self._catalogue) as shop, AsyncExitStack() as exits:
            shop.announcer.tell([*endpoints_of(read_shop_settings()), *self._webhooks])
            till = await exits.enter_async_context(open_till(shop))
            await exits.enter_async_context(shop.announcer.running())
            self._shop, self._till = shop, till
            try:
                if self._catalogue.file is not None:
                    self.import_report = await _fill(shop, self._catalogue)
                parts = await self._assemble(shop)
                # The first question should not wait for the index; nor should viewers.
                warming = asyncio.create_task(_warm_up(shop), name="search warm-up")
                try:
                    yield parts
                finally:
                    warming.cancel()
                    await asyncio.gather(warming, return_exceptions=True)
            finally:
                self._shop = self._till = None

    async def _assemble(self, shop: Shop) -> Parts:
        width, height = self._size
        # Before the persona, which takes seconds: a misspelt voice is told at once.
        voice = await asyncio.to_thread(open_session_voice, self._voice)
        self._language = language_of(voice_language(voice))
        try:
            persona = await self._open_persona()
            await asyncio.to_thread(self._prepare_kernels)
        except BaseException:
            voice.close()
            raise
        engine = await asyncio.to_thread(
            functools.partial(
                open_engine,
                persona,
                voice=voice,
                renderer=self._renderer,
                width=width,
                height=height,
                fps=self._fps,
                seed=self._seed,
            )
        )
        broadcaster = self._broadcaster(engine.close)
        counter = ShopCounter(shop, session_id=self.session_id, language=self._language)
        return Parts(
            engine,
            broadcaster,
            counter,
            presenter=self._name or _presenter(persona.name),
            consent=persona.consent or "",
            portrait=_png(persona.thumbnail),
            open_driver=functools.partial(_open_driver, persona),
        )

    async def _open_persona(self) -> Persona:
        if isinstance(self._persona, Persona):
            return self._persona
        settings = read_settings()
        return await asyncio.to_thread(
            persona_from,
            self._persona,
            consent=self._consent,
            folder=settings.cache_folder(),
            progress=self._progress,
        )

    def _prepare_kernels(self) -> None:
        # Otherwise the first session of a machine stands still while its kernels are compiled.
        if self._renderer in ("auto", "cpu"):
            tell = functools.partial(self._progress, "Preparing the renderer")
            warm_up(tell, formats=("i420",))

    def _broadcaster(self, on_error: Callable[[], None]) -> Broadcaster:
        width, height = self._size
        try:
            bitrate = round(_BITS_PER_PIXEL * width * height * self._fps)
            media = MediaConfig(video_bitrate=max(1_000_000, min(4_000_000, bitrate)))
            broadcaster = Broadcaster(width, height, self._fps, media)
            for where in self._outputs:
                output = open_output(where, width=width, height=height, fps=self._fps)
                self._opened_outputs.append(output)
                broadcaster.add_output(output)
        except BaseException:
            on_error()
            raise
        return broadcaster


def default_database(catalogue: Path | None) -> str | None:
    """The database a command uses when none was named: one per catalogue file, kept.

    Returns:
        A path; None (a temporary database) where there is no folder that can be written.
    """
    folder = read_settings().data_folder()
    if folder is None:
        return None
    name = "shop"
    if catalogue is not None:
        where = hashlib.sha256(os.fsencode(catalogue.resolve())).hexdigest()[:10]
        name = f"shop-{catalogue.stem[:40]}-{where}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        return None
    return str(folder / f"{name}.db")


@asynccontextmanager
async def _opened_shop(catalogue: Catalogue) -> AsyncIterator[Shop]:
    settings = commerce_settings.read_settings()
    currency, speech = settings.currency, speech_of(settings)
    if catalogue.database is not None:
        async with Shop.open(catalogue.database, currency=currency, speech=speech) as shop:
            yield shop
        return
    with tempfile.TemporaryDirectory(prefix="livepitch-", ignore_cleanup_errors=True) as folder:
        url = str(Path(folder) / "shop.db")
        async with Shop.open(url, currency=currency, speech=speech) as shop:
            yield shop


async def _fill(shop: Shop, catalogue: Catalogue) -> ImportReport:
    assert catalogue.file is not None
    report = await shop.import_file(catalogue.file, replace=True)
    if report.imported == 0:
        first = report.issues[0] if report.issues else None
        why = f"row {first.row}, {first.column}: {first.reason}" if first else "it has no rows"
        raise SettingsError(f"--catalogue {catalogue.file}: no usable product; {why}")
    return report


async def _warm_up(shop: Shop) -> None:
    try:
        await shop.warm_up()
    except CommerceError as error:
        log.warning("search is not warm", extra={"reason": str(error)})


def _open_driver(persona: Persona) -> FaceDriver:
    # The portrait models are loaded only when a camera comes.
    from avatar_engine.tracking import Driver

    return Driver(persona.maps)


def _png(picture: NDArray[np.uint8]) -> bytes:
    image = Image.fromarray(picture).convert("RGB")
    side = min(image.size)
    left = (image.width - side) // 2
    small = image.crop((left, 0, left + side, side)).resize((96, 96), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    small.save(content, "PNG")
    return content.getvalue()


def _presenter(name: str) -> str:
    """A persona's name, or nothing where it is only what a camera or a folder calls a picture."""
    words = name.replace("_", " ").replace("-", " ").split()
    is_name = bool(words) and all(w.isalpha() for w in words) and words[0].lower() not in _NO_NAMES
    return " ".join(word.capitalize() for word in words) if is_name else ""


_NO_NAMES = frozenset(("avatar", "face", "head", "image", "img", "persona", "photo", "portrait"))


def _silent(what: str, share: float) -> None:
    return None


def opens_browser() -> bool:
    """Whether this machine has a screen to open a page on."""
    return sys.platform in ("darwin", "win32") or read_settings().has_display
