"""The portable CUDA renderer: the definition in float32 on a GPU, rasterized by gsplat.

The tile renderer (``render/gpu``) is faster; this one is the second opinion, and what is left
where Triton cannot run. gsplat compiles or loads its kernels when the first renderer is opened,
never on import. Frames of several states and several personas are drawn in one pass
(``draw_together``).
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avatar_engine.device import require_cuda
from avatar_engine.errors import RenderError
from avatar_engine.render.colour import RGB_TO_YUV, YUV_OFFSET
from avatar_engine.render.definition import ALPHA_CUT, drawn_zoom
from avatar_engine.render.detail import Detail
from avatar_engine.render.detail_definition import detail_share
from avatar_engine.render.gaussians import Gaussians, TorchMaps, brought_up, enlarged
from avatar_engine.render.plates import backdrop, framed_photo
from avatar_engine.render.protocol import RenderConfig
from avatar_engine.render.slide import SlidingPlates
from avatar_engine.render.torso import TorsoRule
from avatar_engine.types import Camera, FaceState, HeadMaps, Plates

_TILE = 16


class CudaRenderer:
    """Implements ``Renderer``.

    Raises:
        RenderError: torch, gsplat or a CUDA device is missing.
    """

    def __init__(
        self, maps: HeadMaps, plates: Plates, camera: Camera, config: RenderConfig
    ) -> None:
        require_cuda("gsplat")
        self._config = config
        self._zoom = drawn_zoom(config.width, config.height)
        self._camera = camera.framed(config.width // self._zoom, config.height // self._zoom)
        self._maps = TorchMaps(maps, dtype=torch.float32, device="cuda")
        self._plates = SlidingPlates(
            backdrop(plates, camera, config),
            TorsoRule.of(maps, camera.framed(config.width, config.height)),
            dtype=torch.float32,
            device="cuda",
        )
        self._is_closed = False
        self._detail = self._look_for_detail(plates, camera)

    @property
    def config(self) -> RenderConfig:
        """What it was opened with."""
        return self._config

    def project(self, states: Sequence[FaceState], *, source_residual: float = 0.0) -> Gaussians:
        """Gaussians of B states on the GPU."""
        if self._is_closed:
            raise RenderError("this renderer is closed: open another one")
        return self._maps.project(states, self._camera, source_residual=source_residual)

    def finish(
        self, states: Sequence[FaceState], gaussians: Gaussians, color: Tensor, light: Tensor
    ) -> Tensor:
        """Composite heads [B, H, W, 3] in [0, 1] with light [B, H, W]; uint8 on the GPU."""
        behind, cover = (torch.stack(t) for t in zip(*map(self._plates.at, states), strict=True))
        picture = 255 * color + light[..., None] * behind
        alpha = 1 - (light * (1 - cover))[..., None]
        if self._config.pixel_format == "rgba":
            picture = picture / alpha.clamp_min(1e-6)
        if self._detail is not None:
            picture = self._detail.added(enlarged(gaussians, self._zoom), picture)
        if self._config.pixel_format == "i420":
            return _bytes(_i420(picture.clamp(0, 255)))
        if self._config.pixel_format == "rgb":
            return _bytes(picture)
        return _bytes(torch.cat([picture, 255 * alpha], -1))

    @torch.no_grad()
    def _look_for_detail(self, plates: Plates, camera: Camera) -> Detail | None:
        photo = framed_photo(plates, camera, self._config)
        if photo is None:
            return None
        maps, config = self._maps.maps, self._config
        as_photographed = FaceState(blendshapes=maps.source - maps.rest)
        source = self.project([as_photographed], source_residual=1.0)
        color, light = rasterize([source], config)
        behind = backdrop(plates, camera, RenderConfig(config.width, config.height)).behind
        through = light[0, ..., None]
        shown = 255 * color[0] + through * torch.as_tensor(behind, device="cuda")
        share = torch.as_tensor(detail_share((1 - through).cpu().numpy()), device="cuda")
        missing = (torch.as_tensor(photo, device="cuda") - shown) * share
        return Detail(enlarged(source, self._zoom), maps, missing)

    @torch.no_grad()
    def render(self, state: FaceState, *, source_residual: float = 0.0) -> NDArray[np.uint8]:
        """Draw one frame; see ``Renderer.render``."""
        gaussians = self.project([state], source_residual=source_residual)
        color, light = rasterize([gaussians], self._config)
        return self.finish([state], gaussians, color, light)[0].cpu().numpy()

    @torch.no_grad()
    def coverage(self, state: FaceState, *, source_residual: float = 0.0) -> NDArray[np.float32]:
        """How much of each pixel the head covers; see ``Renderer.coverage``."""
        gaussians = self.project([state], source_residual=source_residual)
        _, light = rasterize([gaussians], self._config)
        return (1 - light[0]).cpu().numpy()

    def close(self) -> None:
        """Free the GPU's memory of this persona."""
        self._is_closed = True
        del self._maps, self._plates


@torch.no_grad()
def draw_together(
    requests: Sequence[tuple[CudaRenderer, Sequence[FaceState]]],
) -> list[Tensor]:
    """Draw frames of several personas in one pass.

    Args:
        requests: Renderers with the states each has to draw; all of one picture size.

    Returns:
        Per renderer its frames, uint8 on the GPU, in the renderer's own pixel format.

    Raises:
        RenderError: The renderers' picture sizes differ.
    """
    sizes = {(r.config.width, r.config.height) for r, _ in requests}
    if len(sizes) != 1:
        raise RenderError(f"frames drawn together need one picture size, not {sorted(sizes)}")
    gaussians = [renderer.project(states) for renderer, states in requests]
    color, light = rasterize(gaussians, requests[0][0].config)
    counts = [len(states) for _, states in requests]
    parts = zip(requests, gaussians, color.split(counts), light.split(counts), strict=True)
    return [
        renderer.finish(states, posed, some, rest)
        for (renderer, states), posed, some, rest in parts
    ]


def rasterize(gaussians: Sequence[Gaussians], config: RenderConfig) -> tuple[Tensor, Tensor]:
    """Step 10 for all frames at once.

    Args:
        gaussians: Per persona, B frames each.
        config: Picture size.

    Returns:
        Premultiplied colour [sum B, H, W, 3], light left [sum B, H, W].
    """
    from gsplat import isect_offset_encode, isect_tiles, rasterize_to_pixels

    texels = max(g.means.shape[1] for g in gaussians)  # shorter personas are padded with opacity 0
    means = _stacked([g.means for g in gaussians], texels)
    conics = _stacked([g.conics for g in gaussians], texels)
    depths = _stacked([g.depths for g in gaussians], texels)
    opacities = _stacked([g.opacities for g in gaussians], texels)
    colors = _stacked([g.colors for g in gaussians], texels)
    radii = _stacked([_radii(g) for g in gaussians], texels)
    zoom = drawn_zoom(config.width, config.height)
    width, height = config.width // zoom, config.height // zoom
    tiles_x, tiles_y = -(-width // _TILE), -(-height // _TILE)
    _, ids, flat = isect_tiles(means, radii, depths, _TILE, tiles_x, tiles_y)
    offsets = isect_offset_encode(ids, len(means), tiles_x, tiles_y)
    # fmt: off
    color, alpha = rasterize_to_pixels(
        means, conics, colors, opacities, width, height, _TILE, offsets, flat,
    )
    # fmt: on
    light = 1 - alpha[..., 0]
    return brought_up(color, light, (config.height, config.width)) if zoom > 1 else (color, light)


def _radii(gaussians: Gaussians) -> Tensor:
    """Half sizes [B, M, 2] int32 in pixels; 0 is not drawn."""
    reach = 2 * torch.log(gaussians.opacities.clamp_min(1e-9) / ALPHA_CUT)
    half = torch.sqrt(reach.clamp_min(0)[..., None] * gaussians.covariances[..., [0, 2]])
    # A culled texel may have coordinates that are not finite.
    return torch.where(gaussians.opacities[..., None] > 0, half, 0.0).ceil().int()


def _stacked(parts: Sequence[Tensor], texels: int) -> Tensor:
    """[B, M, ...] of several personas as one [sum B, texels, ...], padded with zeros."""
    padded = []
    for part in parts:
        shape = (len(part), texels - part.shape[1], *part.shape[2:])
        padded.append(torch.cat([part, part.new_zeros(shape)], 1) if shape[1] else part)
    return torch.cat(padded)


def _i420(picture: Tensor) -> Tensor:
    """[B, H, W, 3] in [0, 255] to [B, H * W * 3 / 2]."""
    matrix = torch.as_tensor(RGB_TO_YUV, dtype=picture.dtype, device=picture.device)
    offset = torch.as_tensor(YUV_OFFSET, dtype=picture.dtype, device=picture.device)
    yuv = (picture @ matrix.T + offset).permute(0, 3, 1, 2)  # [B, 3, H, W]
    chroma = torch.nn.functional.avg_pool2d(yuv[:, 1:], 2)
    return torch.cat([yuv[:, 0].flatten(1), chroma.flatten(1)], 1)


def _bytes(values: Tensor) -> Tensor:
    return (values + 0.5).clamp(0, 255).to(torch.uint8)
