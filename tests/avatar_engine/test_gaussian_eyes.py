"""Catch-lights lie on the example face's eyes."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from avatar_engine.persona import build_persona
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.types import Chart, FaceState

FACE = Path(__file__).parents[2] / "examples" / "face.png"


def test_a_catch_light_is_seen_without_the_photos_detail():
    """Gaussians of its own, so that it stays where it is when the eye turns."""
    persona = build_persona(FACE)
    maps, plain = persona.maps, replace(persona.plates, photo=np.zeros((0, 0, 3), np.uint8))
    is_glint = (maps.chart == Chart.HAIR) & (maps.colors.min(1) > 0.95)
    unlit = replace(maps, opacities=np.where(is_glint, 0, maps.opacities).astype(np.float32))
    light = []
    for drawn in (maps, unlit):
        renderer = open_renderer("cpu", drawn, plain, persona.camera, RenderConfig(512, 512))
        light.append(renderer.render(FaceState()).astype(np.float32).mean(-1))
        renderer.close()
    assert (light[0] - light[1]).max() > 80
