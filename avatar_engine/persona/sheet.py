"""The contact sheet: one picture that shows what a persona can and cannot do."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from avatar_engine.persona.persona import Persona
from avatar_engine.render import RenderConfig, Renderer, open_renderer
from avatar_engine.types import FaceState, weights_of

RendererFactory = Callable[[Persona, RenderConfig], Renderer]
_COLUMNS = 5
_GREY = (205, 205, 205)
_AROUND = (("side", 90), ("half back", 135), ("back", 180), ("half back", 225), ("side", 270))


def contact_sheet(
    persona: Persona, renderer_factory: RendererFactory | None = None, *, tile_px: int = 384
) -> NDArray[np.uint8]:
    """Draw a persona in the poses that show its faults.

    Args:
        persona: Whom.
        renderer_factory: Opens a renderer; the CPU renderer if None.
        tile_px: Of one picture; a multiple of 8.

    Returns:
        [H, W, 3] uint8 RGB, labelled tiles: photo, source, neutral, jaw open, /u/, /f/, smile,
        blink, gaze left and right, yaw +-10, +-20, +-40, pitch and roll +-15, both sides, back and
        half back.
    """
    factory = renderer_factory or _cpu
    plain = factory(persona, RenderConfig(tile_px, tile_px))
    tiles = [("photo", _photo(persona, tile_px))]
    source = FaceState(blendshapes=persona.maps.source - persona.maps.rest)
    tiles.append(("source", plain.render(source, source_residual=1.0).copy()))
    tiles += [(name, plain.render(state).copy()) for name, state in _states()]
    plain.close()
    around = factory(persona, RenderConfig(tile_px, tile_px, background=_GREY, has_body=False))
    for name, degrees in _AROUND:
        tiles.append((name, around.render(FaceState(orbit=np.radians(degrees))).copy()))
    around.close()
    return _joined(tiles, tile_px)


def _states() -> list[tuple[str, FaceState]]:
    def face(**weights: float) -> FaceState:
        return FaceState(blendshapes=weights_of(**weights))

    def turned(yaw: float = 0, pitch: float = 0, roll: float = 0) -> FaceState:
        return FaceState(head_pose=np.radians(np.array([yaw, pitch, roll], np.float32)))

    def looking(yaw: float) -> FaceState:
        return FaceState(gaze=np.radians(np.array([yaw, 0], np.float32)))

    return [
        ("neutral", FaceState()),
        ("jaw open", face(jawOpen=0.7)),
        ("/u/", face(mouthPucker=0.8, mouthFunnel=0.3, jawOpen=0.08)),
        ("/f/", face(mouthRollLower=0.6, mouthUpperUp=0.25, jawOpen=0.05)),
        ("smile", face(mouthSmile=0.8, cheekSquint=0.4)),
        ("blink", face(eyeBlink=1.0)),
        ("gaze left", looking(20)),
        ("gaze right", looking(-20)),
        ("yaw +10", turned(10)),
        ("yaw -10", turned(-10)),
        ("yaw +20", turned(20)),
        ("yaw -20", turned(-20)),
        ("yaw +40", turned(40)),
        ("yaw -40", turned(-40)),
        ("pitch +15", turned(0, 15)),
        ("pitch -15", turned(0, -15)),
        ("roll +15", turned(0, 0, 15)),
        ("roll -15", turned(0, 0, -15)),
    ]


def _cpu(persona: Persona, config: RenderConfig) -> Renderer:
    return open_renderer("cpu", persona.maps, persona.plates, persona.camera, config)


def _photo(persona: Persona, size: int) -> NDArray[np.uint8]:
    photo = Image.fromarray(persona.thumbnail).resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(photo)


def _joined(tiles: list[tuple[str, NDArray[np.uint8]]], size: int) -> NDArray[np.uint8]:
    rows = -(-len(tiles) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * size, rows * size), _GREY)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(max(12, size // 22))
    for k, (name, tile) in enumerate(tiles):
        x, y = k % _COLUMNS * size, k // _COLUMNS * size
        sheet.paste(Image.fromarray(tile), (x, y))
        box = draw.textbbox((x + 8, y + 6), name, font=font)
        draw.rectangle((box[0] - 5, box[1] - 3, box[2] + 5, box[3] + 3), fill=(0, 0, 0))
        draw.text((x + 8, y + 6), name, font=font, fill=(255, 255, 255))
    return np.asarray(sheet)
