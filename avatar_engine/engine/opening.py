"""Where a persona, a voice, muscles and a camera are put together."""

from typing import cast

from avatar_engine.engine.avatar import AvatarEngine
from avatar_engine.engine.label import PresenterLabel
from avatar_engine.motion import Performer
from avatar_engine.render import RenderConfig, Renderer, RendererName, open_renderer
from avatar_engine.speech import Voice, open_voice
from avatar_engine.types import Drawable

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
) -> AvatarEngine:
    """An engine that draws I420 with the AI-presenter label.

    Args:
        persona: Who speaks.
        voice: A name for ``open_voice``, or an open voice; the engine closes it.
        speed: Of a named voice.
        renderer: ``auto``, ``reference``, ``cpu`` or ``cuda``.
        width: Of the picture; a multiple of 8.
        height: Of the picture; even.
        fps: Frames per second.
        seed: Same seed, same motion.

    Raises:
        VoiceError: The voice is unknown or cannot run.
        RenderError: The renderer is unknown or cannot run, or the size is impossible.
    """
    speaking = open_voice(voice, speed=speed) if isinstance(voice, str) else voice
    try:
        drawing = open_renderer(
            cast("RendererName", renderer),
            persona.maps,
            persona.plates,
            persona.camera,
            RenderConfig(width, height, "i420"),
        )
    except BaseException:
        speaking.close()
        raise
    return AvatarEngine(
        renderer=drawing,
        voice=speaking,
        performer=Performer(fps=fps, seed=seed),
        fps=fps,
        label=PresenterLabel(width, height, "i420"),
    )


def open_plain_renderer(
    persona: Drawable, renderer: str = "auto", *, width: int = 512, height: int = 512
) -> Renderer:
    """A renderer of the head alone before a plain background, for views a photo has no plate for.

    Raises:
        RenderError: The renderer is unknown or cannot run, or the size is impossible.
    """
    config = RenderConfig(width, height, "i420", background=PLAIN_BACKGROUND, has_body=False)
    return open_renderer(
        cast("RendererName", renderer), persona.maps, persona.plates, persona.camera, config
    )
