"""Where a persona, a voice, muscles and a camera are put together."""

import importlib.util
from typing import Literal, cast, get_args

from avatar_engine.engine.avatar import AvatarEngine
from avatar_engine.engine.background import Background
from avatar_engine.engine.label import PresenterLabel
from avatar_engine.errors import RenderError
from avatar_engine.motion import Performer
from avatar_engine.render import RenderConfig, Renderer, RendererName, open_renderer
from avatar_engine.speech import Voice, open_voice
from avatar_engine.types import Drawable, Emotion, Plates

Quality = Literal["normal", "high"]
"""``high`` lets the screen-space generator improve every picture; it needs torch."""

PLAIN_BACKGROUND = (206, 210, 214)
"""Behind a turntable: a light grey that suits dark and fair hair."""


def open_engine(
    persona: Drawable,
    *,
    voice: str | Voice = "espeak:en-us",
    speed: float = 1.0,
    renderer: str = "auto",
    width: int = 512,
    height: int = 512,
    fps: float = 25.0,
    seed: int = 0,
    background: str | Background = "photo",
    emotion: Emotion = "neutral",
    quality: Quality = "normal",
) -> AvatarEngine:
    """An engine that draws I420 with the AI-presenter label; RGBA if it is transparent.

    Args:
        persona: Who speaks.
        voice: A name for ``open_voice``, or an open voice; the engine closes it.
        speed: Of a named voice.
        renderer: ``auto``, ``reference``, ``cpu`` or ``cuda``.
        width: Of the picture; a multiple of 8.
        height: Of the picture; even.
        fps: Frames per second.
        seed: Same seed, same motion.
        background: What stands behind, or its name for ``Background.named``.
        emotion: What the face shows where no mark says otherwise.
        quality: ``high`` draws far slower than real time on a CPU.

    Raises:
        AvatarEngineError: The background is none.
        VoiceError: The voice is unknown or cannot run.
        RenderError: The renderer is unknown or cannot run, or the size is impossible.
    """
    scene = Background.named(background) if isinstance(background, str) else background
    plates, config = scene.staged(persona, RenderConfig(width, height, "i420"))
    speaking = open_voice(voice, speed=speed) if isinstance(voice, str) else voice
    try:
        drawing = open_drawing(renderer, persona, plates, config, quality=quality)
    except BaseException:
        speaking.close()
        raise
    return AvatarEngine(
        renderer=drawing,
        voice=speaking,
        performer=Performer(fps=fps, seed=seed, emotion=emotion),
        fps=fps,
        label=PresenterLabel(width, height, config.pixel_format),
    )


def open_plain_renderer(
    persona: Drawable,
    renderer: str = "auto",
    *,
    width: int = 512,
    height: int = 512,
    background: Background | None = None,
    quality: Quality = "normal",
) -> Renderer:
    """A renderer of the head alone, for views a photo has no plate for.

    Args:
        persona: Whose head.
        renderer: ``auto``, ``reference``, ``cpu`` or ``cuda``.
        width: Of the picture; a multiple of 8.
        height: Of the picture; even.
        background: What stands behind; the photo's own, which does not turn, counts as plain grey.
        quality: What is asked of it.

    Raises:
        RenderError: The renderer is unknown or cannot run, or the size is impossible.
    """
    config = RenderConfig(width, height, "i420", has_body=False)
    if background is None or background.kind == "photo":
        background = Background("colour", colour=PLAIN_BACKGROUND)
    plates, config = background.staged(persona, config)
    return open_drawing(renderer, persona, plates, config, quality=quality)


def open_drawing(
    renderer: str,
    persona: Drawable,
    plates: Plates,
    config: RenderConfig,
    *,
    quality: Quality = "normal",
) -> Renderer:
    """A renderer of a persona before its own or other plates.

    Args:
        renderer: ``auto``, ``reference``, ``cpu`` or ``cuda``.
        persona: Who is drawn.
        plates: What stands behind.
        config: Of the output.
        quality: What is asked of it.

    Raises:
        RenderError: Renderer or quality is unknown or cannot run here, or the size is impossible.
        WeightsError: The weights of quality high are missing or altered.
    """
    if quality not in get_args(Quality):
        raise RenderError(f"unknown quality {quality!r}: choose normal or high")
    if quality == "normal":
        name = cast("RendererName", renderer)
        return open_renderer(name, persona.maps, plates, persona.camera, config)
    if importlib.util.find_spec("torch") is None:
        raise RenderError("quality high needs torch: pip install 'livepitch[torch]'")
    from avatar_engine.engine.high_quality import HighQualityRenderer

    return HighQualityRenderer(renderer, persona, plates, config)
