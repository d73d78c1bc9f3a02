"""Corners of a mouth that smiled in the photo carry no specks of it."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar_engine.persona import build_persona
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.types import FaceState

SIZE = 512
REACH_PX = 6


@pytest.mark.shared
def test_the_photos_detail_leaves_no_specks_beside_a_mouth():
    shared = os.environ.get("LIVEPITCH_SHARED")
    if not shared:
        pytest.skip("LIVEPITCH_SHARED names no folder of development data")
    persona = build_persona(Path(shared) / "data" / "portraits" / "dev" / "p011.jpg")
    maps, camera = persona.maps, persona.camera.framed(SIZE, SIZE)
    corners = maps.lip_upper[[0, -1]]
    at = maps.positions[corners] @ maps.placement[:, :3].T + maps.placement[:, 3]
    plain = replace(persona.plates, photo=np.zeros((0, 0, 3), np.uint8))
    pictures = []
    for plates in (persona.plates, plain):
        renderer = open_renderer("cpu", maps, plates, persona.camera, RenderConfig(SIZE, SIZE))
        pictures.append(renderer.render(FaceState()).astype(int))
        renderer.close()
    change = np.abs(pictures[0] - pictures[1]).max(-1)
    for x, y in camera.project(at)[:, :2].astype(int):
        assert change[y - REACH_PX : y + REACH_PX, x - REACH_PX : x + REACH_PX].max() < 17
