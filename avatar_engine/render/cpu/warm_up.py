"""Compile every kernel of the CPU renderer once, so that a session starts in under a second."""

from collections.abc import Callable, Sequence

import numpy as np

from avatar_engine.render.cpu.renderer import CpuRenderer
from avatar_engine.render.definition import ATLAS_ROWS, COLUMNS, LARGEST_DRAWN_PX
from avatar_engine.render.protocol import PixelFormat, RenderConfig
from avatar_engine.render.weights import BlendedView
from avatar_engine.types import Camera, Chart, FaceState, HeadMaps, Plates


def warm_up(
    progress: Callable[[float], None] | None = None,
    *,
    formats: Sequence[PixelFormat] = ("i420", "rgb", "rgba"),
) -> None:
    """Compile the kernels, or load them where they are already cached.

    Takes about ten seconds of CPU the first time; numba keeps the result beside the package, or
    in the user's cache directory where the package cannot be written.

    Args:
        progress: Called with the share done in [0, 1].
        formats: That will be drawn; each has kernels of its own.
    """
    tell = progress or (lambda share: None)
    maps, plates, camera = _speck()
    for i, pixel_format in enumerate(formats):
        renderer = CpuRenderer(maps, plates, camera, RenderConfig(32, 32, pixel_format))
        renderer.render(FaceState())
        renderer.render(FaceState(torso=np.full(2, 0.1, np.float32)))
        renderer.coverage(FaceState())
        large = RenderConfig(32, LARGEST_DRAWN_PX + 2, pixel_format)
        CpuRenderer(maps, plates, camera, large).render(FaceState())
        tell((i + 1) / (len(formats) + 1))
    everywhere = np.ones(32 * 32, np.float32)
    BlendedView(maps, camera, FaceState(), 0.0).light_on(maps.opacities, everywhere, 0.0)
    tell(1.0)


def _speck() -> tuple[HeadMaps, Plates, Camera]:
    """The smallest persona: one Gaussian in front of a grey wall."""
    n = ATLAS_ROWS * COLUMNS
    first = np.zeros(n, np.float32)
    first[0] = 0.9
    zeros = np.zeros(n, np.float32)
    maps = HeadMaps(
        positions=np.zeros((n, 3), np.float32),
        modes=np.zeros((53, n, 3), np.int16),
        mode_scales=np.ones(53, np.float32),
        rest=np.zeros(52, np.float32),
        source=np.zeros(52, np.float32),
        head_weight=zeros,
        chart=np.full(n, Chart.SKIN, np.uint8),
        neighbours=np.zeros(n, np.uint8),
        colors=np.zeros((n, 3), np.float32),
        opacities=first,
        sigmas=np.ones((n, 2), np.float32),
        tangent_caps=np.ones((n, 2), np.float32),
        winding=np.zeros(n, np.int8),
        depth_bias=zeros,
        eye_centers=np.zeros((2, 3), np.float32),
        eye_radius=1.0,
        eye_gaze=np.zeros((2, 2), np.float32),
        lid_texels=np.zeros(1, np.int32),
        lip_upper=np.zeros(1, np.int32),
        lip_lower=np.ones(1, np.int32),
        placement=np.eye(3, 4, dtype=np.float32),
        pivot=np.zeros(3, np.float32),
    )
    grey = np.full((32, 32, 3), 128, np.uint8)
    plates = Plates(grey, np.full((32, 32, 4), 255, np.uint8), photo=grey)
    viewmat = np.diag([1.0, -1.0, -1.0, 1.0])
    viewmat[2, 3] = 100.0
    K = np.array([[100.0, 0, 16], [0, 100.0, 16], [0, 0, 1]])
    return maps, plates, Camera(viewmat, K, 32, 32)
