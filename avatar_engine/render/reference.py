"""The reference renderer: plain torch, float64, differentiable, slow, and obviously right."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avatar_engine.errors import RenderError
from avatar_engine.render import definition as d
from avatar_engine.render.colour import to_bytes, to_i420
from avatar_engine.render.detail import Detail
from avatar_engine.render.detail_definition import detail_share
from avatar_engine.render.gaussians import Gaussians, TorchMaps, brought_up, enlarged
from avatar_engine.render.plates import backdrop, framed_photo
from avatar_engine.render.protocol import RenderConfig
from avatar_engine.render.slide import SlidingPlates
from avatar_engine.render.torso import TorsoRule
from avatar_engine.types import Camera, FaceState, HeadMaps, Plates


@dataclass(frozen=True, slots=True)
class Contributions:
    """Which Gaussian shows in which pixel, pixel by pixel and near first.

    Attributes:
        pixels: [L] row-major pixel.
        texels: [L] Gaussian.
        weights: [L] share of the pixel's colour.
        light: [H * W] share left for what stands behind.
    """

    pixels: Tensor
    texels: Tensor
    weights: Tensor
    light: Tensor

    def image(self, colors: Tensor) -> Tensor:
        """Premultiplied picture [H * W, 3] of colours [M, 3]."""
        image = colors.new_zeros(len(self.light), 3)
        return image.index_add(0, self.pixels, self.weights[:, None] * colors[self.texels])


def contributions(gaussians: Gaussians, width: int, height: int) -> Contributions:
    """Step 10: blend one frame (B = 1) front to back.

    Differentiable in the means, covariances and opacities.
    """
    means, conics = gaussians.means[0], gaussians.conics[0]
    opacities = gaussians.opacities[0]
    with torch.no_grad():
        texels, pixels = _touched(gaussians, width, height)
    at = torch.stack([pixels % width, pixels // width], -1) + 0.5
    dx, dy = (at - means[texels]).unbind(-1)
    a, b, c = conics[texels].unbind(-1)
    alpha = opacities[texels] * torch.exp(-0.5 * (a * dx * dx + c * dy * dy) - b * dx * dy)
    # Light in front of an entry: the product of (1 - alpha) over the pixel's nearer entries.
    absorbed = torch.log1p(-alpha.double()).cumsum(0)
    before = torch.cat([absorbed.new_zeros(1), absorbed])[:-1]
    is_first = torch.ones_like(pixels, dtype=torch.bool)
    is_first[1:] = pixels[1:] != pixels[:-1]
    start = torch.cummax(torch.where(is_first, torch.arange(len(pixels)), 0), 0).values
    light_before = torch.exp(before - before[start]).to(alpha.dtype)
    total = absorbed.new_zeros(width * height).index_add(0, pixels, torch.log1p(-alpha.double()))
    return Contributions(pixels, texels, alpha * light_before, torch.exp(total).to(alpha.dtype))


_CHUNK = 4096


def _touched(gaussians: Gaussians, width: int, height: int) -> tuple[Tensor, Tensor]:
    """Pairs (texel, pixel) of all footprints, by pixel and then by depth."""
    opacities = gaussians.opacities[0]
    drawn = torch.nonzero(opacities >= d.ALPHA_CUT)[:, 0]
    drawn = drawn[torch.argsort(gaussians.depths[0, drawn], stable=True)]
    texels, pixels = [], []
    for some in drawn.split(_CHUNK):
        mean = gaussians.means[0, some]
        variance = gaussians.covariances[0, some][:, [0, 2]]
        reach = 2 * torch.log(opacities[some] / d.ALPHA_CUT)
        half = torch.sqrt(reach[:, None] * variance)
        limit = torch.tensor([width, height])
        first = torch.ceil(mean - half - 0.5).clamp_min(0).long()
        last = torch.floor(mean + half - 0.5).minimum(limit - 1).long()
        size = (last - first + 1).clamp_min(0)
        count = size.prod(-1)
        owner = torch.repeat_interleave(torch.arange(len(some)), count)
        place = torch.arange(int(count.sum())) - (count.cumsum(0) - count)[owner]
        x = first[owner, 0] + place % size[owner, 0].clamp_min(1)
        y = first[owner, 1] + place // size[owner, 0].clamp_min(1)
        texels.append(some[owner])
        pixels.append(y * width + x)
    if not texels:
        none = torch.zeros(0, dtype=torch.long)
        return none, none
    all_pixels = torch.cat(pixels)
    by_pixel = torch.argsort(all_pixels, stable=True)
    return torch.cat(texels)[by_pixel], all_pixels[by_pixel]


class ReferenceRenderer:
    """Implements ``Renderer``; a second or so per frame.

    ``linear`` gives the picture before rounding, differentiable in the persona's tensors.
    """

    def __init__(
        self,
        maps: HeadMaps,
        plates: Plates,
        camera: Camera,
        config: RenderConfig,
        *,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        self.maps = TorchMaps(maps, dtype=dtype)
        self._config = config
        self._zoom = d.drawn_zoom(config.width, config.height)
        self._drawn = config.width // self._zoom, config.height // self._zoom
        self._camera = camera.framed(*self._drawn)
        rule = TorsoRule.of(maps, camera.framed(config.width, config.height))
        self._plates = SlidingPlates(backdrop(plates, camera, config), rule, dtype=torch.float64)
        self._is_closed = False
        self._detail = self._look_for_detail(plates, camera)

    @property
    def config(self) -> RenderConfig:
        """What it was opened with."""
        return self._config

    def linear(self, state: FaceState, *, source_residual: float = 0.0) -> tuple[Tensor, Tensor]:
        """Premultiplied colour of the head [H, W, 3] in [0, 1], and the light [H, W] behind it."""
        if self._is_closed:
            raise RenderError("this renderer is closed: open another one")
        width, height = self._drawn
        gaussians = self.maps.project([state], self._camera, source_residual=source_residual)
        parts = contributions(gaussians, width, height)
        image, light = parts.image(gaussians.colors[0]), parts.light
        image, light = image.view(1, height, width, 3), light.view(1, height, width)
        if self._zoom > 1:
            image, light = brought_up(image, light, (self._config.height, self._config.width))
        return image[0], light[0]

    def _placed(self, state: FaceState, source_residual: float) -> Gaussians:
        """The Gaussians on the picture's own pixels."""
        drawn = self.maps.project([state], self._camera, source_residual=source_residual)
        return enlarged(drawn, self._zoom)

    @torch.no_grad()
    def render(self, state: FaceState, *, source_residual: float = 0.0) -> NDArray[np.uint8]:
        """Draw one frame; see ``Renderer.render``."""
        color, light = (t.numpy() for t in self.linear(state, source_residual=source_residual))
        behind, cover = (t.numpy() for t in self._plates.at(state))
        picture = 255 * color + light[..., None] * behind
        alpha = 1 - light[..., None] * (1 - cover[..., None])
        if self._config.pixel_format == "rgba":
            picture = picture / np.maximum(alpha, 1e-6)
        if self._detail is not None:
            gaussians = self._placed(state, source_residual)
            picture = self._detail.added(gaussians, torch.as_tensor(picture)[None])[0].numpy()
        if self._config.pixel_format == "i420":
            return to_i420(np.clip(picture, 0, 255))
        if self._config.pixel_format == "rgb":
            return to_bytes(picture)
        return to_bytes(np.concatenate([picture, 255 * alpha], -1))

    @torch.no_grad()
    def _look_for_detail(self, plates: Plates, camera: Camera) -> Detail | None:
        """The photo minus the Gaussians' own picture of it, at the output's pixels."""
        photo = framed_photo(plates, camera, self._config)
        if photo is None:
            return None
        maps, config = self.maps.maps, self._config
        as_photographed = FaceState(blendshapes=maps.source - maps.rest)
        color, light = self.linear(as_photographed, source_residual=1.0)
        behind = backdrop(plates, camera, RenderConfig(config.width, config.height)).behind
        through = light[..., None]
        missing = torch.as_tensor(photo) - 255 * color - through * torch.as_tensor(behind)
        source = self._placed(as_photographed, 1.0)
        share = torch.as_tensor(detail_share((1 - through).numpy()))
        return Detail(source, maps, missing * share)

    @torch.no_grad()
    def coverage(self, state: FaceState, *, source_residual: float = 0.0) -> NDArray[np.float32]:
        """How much of each pixel the head covers; see ``Renderer.coverage``."""
        _, light = self.linear(state, source_residual=source_residual)
        return (1 - light).numpy().astype(np.float32)

    def close(self) -> None:
        """Refuse further frames."""
        self._is_closed = True
