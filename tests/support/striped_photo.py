"""A photo of the synthetic head that shows more than its Gaussians can."""

from dataclasses import replace

import numpy as np

from avatar_engine.render import RenderConfig
from avatar_engine.render.reference import ReferenceRenderer
from avatar_engine.types import Camera, FaceState, HeadMaps, Plates


def with_striped_photo(
    maps: HeadMaps, plates: Plates, camera: Camera
) -> tuple[HeadMaps, Plates, Camera]:
    """The head, photographed with fine stripes all over."""
    state = FaceState(blendshapes=maps.source - maps.rest)
    config = RenderConfig(camera.width, camera.height)
    plain = ReferenceRenderer(maps, plates, camera, config)
    photo = plain.render(state, source_residual=1.0).astype(np.int16)
    rows, columns = np.mgrid[: camera.height, : camera.width]
    stripes = (12 * np.sin(columns * 1.3) + 10 * np.sin(rows * 0.9 + 1)).astype(np.int16)
    photo = np.clip(photo + stripes[..., None], 0, 255).astype(np.uint8)
    return maps, replace(plates, photo=photo), camera
