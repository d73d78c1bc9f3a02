"""Hair that the head's surface cannot carry: a volume of its own in further rows of the atlas.

The volume is closed. A fine sheet in front shows the photo's hair, also where it lies on the scalp,
whose texels are too few for strands; another closes it behind; coarser, darker sheets inside give
it body, so that a turning head neither sees through it nor past it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.hair_volume import LEAST_PIXELS, STRETCH, HairVolume, hair_volume
from avatar_engine.gaussian.jewels import painted_over
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import Labels
from avatar_engine.gaussian.shelves import packed
from avatar_engine.gaussian.smooth import blur_image, smoothstep
from avatar_engine.shapes import grid_neighbours
from avatar_engine.types import Chart

_FINE_PX, _BACK_PX, _COARSE_PX = 2.2, 3.6, 6.0
_WITHIN = (0.3, 0.6)  # where the coarse sheets lie between front and back
_FINE_SIGMA, _COARSE_SIGMA = 0.55, 0.9
_THIN_CM = 0.5  # thinner hair has no inside
_OVER_BIAS_CM = 0.3  # else the head's own, wider texels come through in stripes
_STEEP = (3.0, 1.2)  # cm of depth per cm
_INSET_PX, _BACK_INSET_PX = 8, 0.5


@dataclass(frozen=True, slots=True)
class HairChart:
    """Maps of the hair's texels, by the names of ``HeadMaps``; whole rows of 256, maybe none.

    Attributes:
        maps: By name, [K] or [K, C].
        trust: [K] in [0, 1], 1 for the sheet that the photo shows, less towards the outline, where
            faint texels would take on any colour; 0 for the sheets within.
        mask: [S, S] bool, the photo's pixels it shows.
    """

    maps: dict[str, NDArray]
    trust: NDArray[np.float64]
    mask: NDArray[np.bool_]


def hair_chart(s: Sculpture, labels: Labels, opacity: NDArray[np.float64]) -> HairChart:
    """Raise the hair volume.

    Args:
        s: The carved head.
        labels: Of the photo.
        opacity: [N] of the head's own texels.
    """
    volume = hair_volume(s, labels, opacity)
    sheets = []
    if volume.mask.sum() >= LEAST_PIXELS:
        sheets.append(_sheet(s, volume, step=_FINE_PX, within=0.0))
        sheets += [_sheet(s, volume, step=_COARSE_PX, within=t) for t in _WITHIN]
        sheets.append(_sheet(s, volume, step=_BACK_PX, within=1.0))
    maps = packed(sheets)
    return HairChart(maps, maps.pop("trust"), volume.mask)


def _sheet(s: Sculpture, volume: HairVolume, *, step: float, within: float) -> dict[str, NDArray]:
    """One sheet of texels over the whole picture: maps [H, W] or [H, W, C]."""
    is_inside = 0 < within < 1
    mask = volume.mask
    if within > 0:  # the inside is kept off the outline, so that it makes no halo
        inset = _INSET_PX if is_inside else _BACK_INSET_PX
        mask = mask & (volume.back - volume.front > _THIN_CM) & (volume.edge > inset)
        mask = mask | (volume.behind & (within == 1))
    count = round(s.view.size / step)
    step = s.view.size / count
    shrunk = lambda a: cv2.resize(  # noqa: E731
        np.asarray(a, np.float32), (count, count), interpolation=cv2.INTER_AREA
    )
    share = shrunk(mask)
    inside = share > 0.25

    def mean(a: NDArray) -> NDArray[np.float64]:
        wide = (slice(None), slice(None), None)[: a.ndim]
        finite = np.where(mask[wide], a, 0)
        return (shrunk(finite) / np.maximum(share, 1e-3)[wide]).astype(np.float64)

    hangs = (mean(volume.jewels.astype(float)) > 0.5) & (within == 0)
    groups = inside.astype(np.uint8) + (inside & hangs).astype(np.uint8)
    gy, gx = np.mgrid[0:count, 0:count]
    at = (np.stack([gx, gy], -1) + 0.5) * step
    depth = mean(volume.front * (1 - within) + volume.back * within)
    depth = np.where(inside, depth, s.view.camera.K[0, 0])
    positions = _unprojected(s, at, depth)
    picture = volume.color if within == 1 else s.view.clean
    if is_inside:
        picture = blur_image(painted_over(picture, volume.jewels, volume.mask), 2)
    shade = 1 - 0.3 * within if is_inside else 1.0
    steepest = STRETCH if is_inside else mean(volume.stretch)
    step_cm = step * depth / s.view.camera.K[0, 0]
    along = positions[..., 1] + 13.5 + 0.15 * (1 - positions[..., 2])
    return {
        "positions": positions,
        "colors": np.clip(mean(picture) * shade, 0, 1),
        "sigmas": np.full((*share.shape, 2), _COARSE_SIGMA if is_inside else _FINE_SIGMA),
        "tangent_caps": np.repeat((steepest * step_cm)[..., None], 2, -1),
        "head_weight": smoothstep(along, 0, 7.0),
        "chart": np.where(inside, int(Chart.HAIR), 0),
        "neighbours": grid_neighbours(groups),
        "opacities": np.where(inside, 0.99 * mean(volume.alpha), 0),
        "trust": smoothstep(mean(volume.edge), 1.5, 5.0) * (within == 0) * _level(depth, step_cm),
        "winding": np.zeros(share.shape),
        "depth_bias": -_OVER_BIAS_CM * mean(volume.over.astype(float)) * (within == 0),
    }


def _level(depth: NDArray[np.float64], step_cm: NDArray[np.float64]) -> NDArray[np.float64]:
    """[H, W] 1 where a sheet faces the camera; 0 where it runs back so steeply that what the solve
    gives single texels would be drawn out into ripples.
    """
    slope = np.hypot(*np.gradient(blur_image(depth, 1.0))) / step_cm
    return smoothstep(slope, *_STEEP)


def _unprojected(
    s: Sculpture, at: NDArray[np.float64], depth: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Pixels [..., 2] at depths [...] cm, in head space."""
    camera, a = s.view.camera, s.fit.placement
    rays = (at - camera.K[:2, 2]) / np.diag(camera.K)[:2]
    cam = np.concatenate([rays, np.ones((*rays.shape[:-1], 1))], -1) * depth[..., None]
    world = (cam - camera.viewmat[:3, 3]) @ camera.viewmat[:3, :3]
    return (world - a[:, 3]) @ a[:, :3]
