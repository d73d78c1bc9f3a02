"""What a photo shows beyond its Gaussians, worked out once from its own view."""

import numpy as np
import torch
from numpy.typing import NDArray

from avatar_engine.render import detail_definition as dd
from avatar_engine.render.definition import drawn_zoom
from avatar_engine.render.detail import Detail
from avatar_engine.render.gaussians import Gaussians, brought_up, enlarged
from avatar_engine.render.gpu.drawing import Drawing
from avatar_engine.render.gpu.layout import CARRIER_TINT_SHIFT, DetailPlane
from avatar_engine.render.gpu.packed import PackedPersona
from avatar_engine.render.gpu.stage import PackedDetail
from avatar_engine.render.plates import backdrop, framed_photo
from avatar_engine.render.protocol import RenderConfig


def packed_detail(
    persona: PackedPersona, config: RenderConfig, as_photographed: Drawing
) -> PackedDetail:
    """One persona's detail.

    Args:
        persona: Whose photo it is; without one there is no detail.
        config: What every picture looks like.
        as_photographed: Has just drawn the persona's source view, alone and without detail.
    """
    maps, plates, camera = persona.scene
    count = len(maps.positions)
    drivers, fading = dd.detail_fading(maps)
    carriers = dd.carrier_kinds(maps).astype(np.int32)
    carriers |= drivers.astype(np.int32) << CARRIER_TINT_SHIFT
    photo = framed_photo(plates, camera, config)
    if photo is None:
        nothing = np.zeros((config.height, config.width), np.int32)
        return PackedDetail(carriers, np.zeros((DetailPlane.COUNT, count), np.float32), nothing)
    size, zoom = (config.height, config.width), drawn_zoom(config.width, config.height)
    color, light = as_photographed.head()
    if zoom > 1:
        color, light = brought_up(color, light, size)
    through = light[0, ..., None].cpu()
    behind = backdrop(plates, camera, RenderConfig(config.width, config.height)).behind
    missing = torch.as_tensor(photo) - 255 * color[0].cpu() - through * torch.as_tensor(behind)
    share = torch.as_tensor(dd.detail_share((1 - through).numpy()))
    source, log_area = _source(as_photographed.records[0, :count].cpu())
    detail = Detail(enlarged(source, zoom), maps, missing * share)
    origins = np.zeros((DetailPlane.COUNT, count), np.float32)
    origins[: DetailPlane.LOG_AREA] = detail.came_from.T
    origins[DetailPlane.LOG_AREA] = log_area
    origins[DetailPlane.SEEN] = detail.seen
    origins[DetailPlane.FADING] = fading
    origins[DetailPlane.BEARS] = detail.bears
    return PackedDetail(carriers, origins, _in_words(detail.missing.numpy()))


def _source(records: torch.Tensor) -> tuple[Gaussians, torch.Tensor]:
    """Records [M, 12] as Gaussians of one frame, and half the logarithm of their determinants."""
    is_drawn = records[:, 5:6] > 0
    records = torch.where(is_drawn, records, torch.tensor([0.0, 0, 1, 0, 1, *[0] * 7]))
    a, b, c = records[:, 2:5].unbind(-1)
    determinant = (a * c - b * b).clamp_min(1e-12)
    gaussians = Gaussians(
        means=records[None, :, :2],
        covariances=(torch.stack([c, -b, a], -1) / determinant[:, None])[None],
        depths=records[None, :, 11],
        opacities=records[None, :, 5],
        colors=records[None, :, 6:9],
        tints=records.new_zeros(1, 6),
    )
    return gaussians, -0.5 * torch.log(determinant)


def _in_words(missing: NDArray[np.floating]) -> NDArray[np.int32]:
    """Whole differences [H, W, 3] within ±127 as three signed bytes of a word."""
    red, green, blue = np.moveaxis(missing.astype(np.int32) & 255, -1, 0)
    return np.asarray(red | green << 8 | blue << 16, np.int32)
