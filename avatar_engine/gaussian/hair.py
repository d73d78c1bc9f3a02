"""Hair that the head's surface cannot carry: a volume of its own in further rows of the atlas.

The volume is closed and rounded: as thick as it is far from the person's outline, like the head it
continues. A fine sheet in front shows the photo's hair, also where it lies on the scalp, whose
texels are too few for strands; coarser, darker sheets inside give the volume body, so that a
turning head neither sees through it nor past it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_opening, distance_transform_edt, label

from avatar_engine.gaussian.complete import BEHIND_TONE
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import BACKGROUND, CLOTH, HAIR, SKIN, Labels
from avatar_engine.gaussian.shelves import packed
from avatar_engine.gaussian.smooth import blur_image, distance, fill, smoothstep
from avatar_engine.gaussian.strands import contrast_of, strands
from avatar_engine.gaussian.view import View
from avatar_engine.gaussian.zbuffer import Nearest, nearest
from avatar_engine.shapes import grid_neighbours
from avatar_engine.types import Chart

_FINE_PX, _BACK_PX, _COARSE_PX = 1.6, 2.4, 5.0
_WITHIN = (0.3, 0.6)  # where the coarse sheets lie between front and back
_ROUND = 0.34  # the outline's rounding radius, in face widths
_FINE_SIGMA, _COARSE_SIGMA = 0.55, 0.9
_CLEAR_CM = 0.15  # hair lies this far in front of the skin it hides
_COAT_CM = 0.06  # and this far in front of the scalp it grows on
_COAT_FACING = 0.35
_THIN_CM = 0.5  # thinner hair has no inside
_INSET_PX, _BACK_INSET_PX = 8, 1.5
_TORN_CM = 1.2
_LEAST_PIXELS = 60
_STRAYS_PX = 16
_SEEN_THROUGH = 0.85
_HOLD_PX = 4  # how wide a border holds the curtain
_TURNED_CM = 0.5  # the outline lies this far behind the ears' plane
_PUFF = 0.25
_HALF_WIDTH, _DEEP_CM = 0.5, 7.5  # long hair reaches this far back at this many face widths
_HANGING = 0.45  # below this height, in face heights, hair hangs free of the head
_CROWN = 1.05  # above it the scalp's own texels are hair enough
_OVER_CM = 0.25  # hair on the back lies this far behind the skin
_STRETCH, _CURTAIN_STRETCH = 2.2, 5.0  # how steep a sheet may run before it opens
_RIM_BLUR = 0.03
_RIM_LOW, _LONG_LOW = 0.36, -0.15  # in face heights; below it a sliver is collar
_SHADE_LOW = 0.05  # above it, what hangs beside long hair and looks like cloth is hair in shade


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


@dataclass(frozen=True, slots=True)
class _Volume:
    """The hair over the picture, [S, S] each; depths in cm from the camera, ``edge`` in pixels.

    ``behind`` is where the head hides hair that falls down its back; ``color`` [S, S, 3] is that
    of the back.
    """

    mask: NDArray[np.bool_]
    front: NDArray[np.float64]
    back: NDArray[np.float64]
    alpha: NDArray[np.float32]
    edge: NDArray[np.float32]
    behind: NDArray[np.bool_]
    color: NDArray[np.float32]
    stretch: NDArray[np.float64]


def hair_chart(s: Sculpture, labels: Labels, opacity: NDArray[np.float64]) -> HairChart:
    """Raise the hair volume.

    Args:
        s: The carved head.
        labels: Of the photo.
        opacity: [N] of the head's own texels.
    """
    volume = _volume(s, labels, opacity)
    sheets = []
    if volume.mask.sum() >= _LEAST_PIXELS:
        sheets.append(_sheet(s, volume, step=_FINE_PX, within=0.0))
        sheets += [_sheet(s, volume, step=_COARSE_PX, within=t) for t in _WITHIN]
        sheets.append(_sheet(s, volume, step=_BACK_PX, within=1.0))
    maps = packed(sheets)
    return HairChart(maps, maps.pop("trust"), volume.mask)


def _volume(s: Sculpture, labels: Labels, opacity: NDArray[np.float64]) -> _Volume:
    view = s.view
    size = view.size
    p = s.project(s.source_shape())
    solid = _drawn(s, p, opacity)
    solid_behind = _drawn(s, p, opacity, away=True)
    head = nearest(p, solid, width=size, height=size)
    root = float(s.project(np.array([[0.0, 2.0, 0.5]]))[0, 2])
    _, facing = s.normals(s.source_shape())
    # Farther back it is the nape, seen past a torn ear.
    met = (head.gather(solid, facing) > _COAT_FACING) & (head.depth < root + _TURNED_CM)
    mask, rim = _hair_pixels(s, labels, head, met & (head.gather(solid, s.regions.scalp) > 0.6))
    coat = _coat(s, labels) & met & ~mask
    px_per_cm = view.camera.K[0, 0] / root
    front = _front(s, labels, head, mask, coat, root)
    front = np.where(rim & ~coat, _beside(head, root, view.face_width), front)
    radius = _ROUND * view.face_width
    q = np.minimum(distance(mask | head.covered), radius)
    bulge = np.sqrt(np.maximum(2 * radius * q - q * q, 0)) / px_per_cm
    deep = 0.7 * bulge
    behind = np.zeros_like(mask)
    if labels.is_long:  # down to the shoulders hair is as deep as the head it falls from
        t = np.clip(distance(mask | head.covered) / (_HALF_WIDTH * view.face_width), 0, 1)
        deep = _DEEP_CM * np.sqrt(t * (2 - t))
        away = nearest(p * [1, 1, -1], solid_behind, width=size, height=size)
        deep = np.where(away.covered, np.maximum(deep, _OVER_CM - away.depth - root), deep)
        behind = _behind(s, away.covered, mask)
    back = np.where(rim | coat, front, np.maximum(root + deep, front))
    shown = mask | head.covered
    mask = mask | coat
    soft = np.clip(2.0 * blur_image(shown.astype(np.float32), 1.0) - 0.9, 0, 1)
    edge = distance(mask | head.covered)
    alpha = soft * np.clip(2.0 * view.matte - 0.9, 0, 1) * (mask | behind)
    alpha *= 1 - _SEEN_THROUGH * _strays(view, edge)
    edge = distance(mask | head.covered)
    stretch = np.where(rim, _STRETCH, _CURTAIN_STRETCH)
    color = _behind_color(s, labels, mask & (labels.share[..., HAIR] > 0.7), back - root)
    return _Volume(mask, front, back, alpha.astype(np.float32), edge, behind, color, stretch)


def _front(
    s: Sculpture,
    labels: Labels,
    head: Nearest,
    mask: NDArray[np.bool_],
    coat: NDArray[np.bool_],
    root: float,
) -> NDArray[np.float64]:
    """Depth [S, S] of the surface that the photo shows.

    It leaves the face where the hair meets it and runs back to the ears' plane at the outline, as
    a curtain does: a turning head then shows the photo's own hair, and not what it hides.
    """
    view = s.view
    px_per_cm, radius = view.camera.K[0, 0] / root, _ROUND * view.face_width
    over = np.where(head.covered, head.depth - _CLEAR_CM, np.inf)
    beside = (head.depth < root) & ~mask & (distance(~mask) < _HOLD_PX)
    outline = mask & (distance(labels.share[..., BACKGROUND] < 0.5) < _HOLD_PX) & ~head.covered
    held = np.where(coat, head.depth - _COAT_CM, np.where(beside, over, root + _TURNED_CM))
    weight = (coat | beside | outline).astype(np.float32)
    held = np.where(weight > 0, held, 0)
    curtain = fill(held[..., None], weight, sigmas=(2, 4, 8, 16, 32, 64), on_atlas=False)[..., 0]
    q = np.minimum(distance(mask), radius)
    bulge = np.sqrt(np.maximum(2 * radius * q - q * q, 0)) / px_per_cm
    front = np.minimum(curtain - _PUFF * bulge * smoothstep(q, 0, 0.4 * radius), over)
    smooth = fill(front[..., None], mask.astype(np.float32), sigmas=(2.5,), on_atlas=False)[..., 0]
    front = np.minimum(np.where(mask, smooth, front), over)
    return np.where(coat, head.depth - _COAT_CM, front)


def _strays(view: View, edge: NDArray[np.float32]) -> NDArray[np.float32]:
    """[S, S] 1 where between stray hairs near the outline the photo shows the background."""
    within = edge > _STRAYS_PX
    beyond = distance(~view.inside)
    outside = (beyond > 3) & (beyond < 40)
    if within.sum() < _LEAST_PIXELS or outside.sum() < _LEAST_PIXELS:
        return np.zeros_like(edge)
    inner = _local_tone(view.lab, within)
    outer = _local_tone(view.lab, outside)
    to_inner = np.linalg.norm(view.lab - inner, axis=-1)
    to_outer = np.linalg.norm(view.lab - outer, axis=-1)
    like = smoothstep(to_outer / np.maximum(to_inner + to_outer, 1.0), 0.4, 0.25)
    apart = smoothstep(np.linalg.norm(inner - outer, axis=-1), 30, 50)
    return (like * apart * (edge <= _STRAYS_PX)).astype(np.float32)


def _local_tone(picture: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    return fill(picture, where.astype(np.float32), sigmas=(4, 10, 24, 60), on_atlas=False)


def _beside(head: Nearest, root: float, face_width: float) -> NDArray[np.float64]:
    """Depth [S, S] of slivers beside the head: they continue its rim, smoothly along it."""
    _, (iy, ix) = distance_transform_edt(~head.covered, return_indices=True)
    rim = np.minimum(np.where(head.covered, head.depth, root)[iy, ix], root + _TURNED_CM)
    return blur_image(rim, _RIM_BLUR * face_width).astype(np.float64)


def _behind(s: Sculpture, head: NDArray[np.bool_], mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels [S, S] where the head hides the hair that falls down its back."""
    yy, xx = np.mgrid[0 : s.view.size, 0 : s.view.size]
    height = s.view.face_frame(np.stack([xx, yy], -1) + 0.5)[..., 1]
    hanging = mask & (height < _HANGING)
    first = np.where(hanging.any(1), hanging.argmax(1), s.view.size)
    last = np.where(hanging.any(1), s.view.size - 1 - hanging[:, ::-1].argmax(1), -1)
    within = (xx >= first[:, None]) & (xx <= last[:, None])
    beside = within & (height < _HANGING)
    return (beside | (height >= _HANGING)) & head & ~mask & (height < _CROWN)


def _behind_color(
    s: Sculpture, labels: Labels, hair: NDArray[np.bool_], depth: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Colours [S, S, 3] of the sheet behind: the photo's at the outline, where both sheets meet,
    then strands in the hair's own tone, as on the scalp.

    Args:
        s: The head.
        labels: Of the photo.
        hair: [S, S] certain hair.
        depth: [S, S] cm behind the ears' plane.
    """
    texture = strands(hair.shape, length=1.0, contrast=contrast_of(s.view.clean, hair))
    grown = np.clip(BEHIND_TONE * labels.hair_tone * texture[..., None], 0, 1)
    share = smoothstep(depth, 0.5, 4.0)[..., None]
    return (s.view.clean * (1 - share) + grown * share).astype(np.float32)


def _drawn(
    s: Sculpture, p: NDArray[np.float64], opacity: NDArray[np.float64], *, away: bool = False
) -> NDArray[np.int32]:
    """Triangles [T, 3] that splats really cover: opaque, facing the camera (or away from it),
    not torn wide.
    """
    t = s.regions.triangles
    a, b, c = (p[t[:, k], :2] for k in range(3))
    ab, ac = b - a, c - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    widest = np.maximum.reduce([np.hypot(*ab.T), np.hypot(*ac.T), np.hypot(*(c - b).T)])
    px_per_cm = s.view.camera.K[0, 0] / np.median(p[:, 2])
    drawn = (area * s.regions.skin_winding * (-1 if away else 1) > 0) & (
        widest < _TORN_CM * px_per_cm
    )
    return t[drawn & (opacity[t] > 0.5).all(1)]


def _coat(s: Sculpture, labels: Labels) -> NDArray[np.bool_]:
    """Pixels [S, S] of hair that lies on the head, eyebrows and beard not meant."""
    view = s.view
    yy, xx = np.mgrid[0 : view.size, 0 : view.size]
    height = view.face_frame(np.stack([xx, yy], -1) + 0.5)[..., 1]
    hair = (labels.share[..., HAIR] > 0.6) & view.inside
    return binary_opening(hair & ~(view.face_hull() & (height < 0.88)) & (height > 0.35))


def _hair_pixels(
    s: Sculpture, labels: Labels, head: Nearest, scalp: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Pixels [S, S] the volume shows, and those among them that are but a rim of the head."""
    view = s.view
    yy, xx = np.mgrid[0 : view.size, 0 : view.size]
    height = view.face_frame(np.stack([xx, yy], -1) + 0.5)[..., 1]
    share = labels.share[..., HAIR]
    hair = (share > 0.5) & view.inside
    short = ~head.covered & (height > _RIM_LOW)
    apart = ~view.face_hull(grow=-3) & ~scalp if labels.is_long else short
    mask = binary_opening(hair & apart)
    # What the head leaves uncovered above the chin is a rim of it.
    low = _LONG_LOW if labels.is_long else _RIM_LOW
    cloth = cv2.dilate(labels.share[..., CLOTH], np.ones((5, 5), np.uint8)) > 0.2
    cloth &= (height < _SHADE_LOW) | (not labels.is_long)
    above = view.inside & ~head.covered & (height > low) & ~cloth
    rim = above & ((share > 0.3) | (labels.share[..., SKIN] > 0.5) | labels.is_long)
    # Flakes that hang on nothing would float when the head turns.
    parts, _ = label(mask | rim | head.covered)
    held = np.isin(parts, np.unique(parts[head.covered])) & (mask | rim)
    wide = binary_opening(held, iterations=5)
    bare = labels.share[..., SKIN] > np.maximum(share, 0.3)  # an ear has no volume of hair
    return held, held & ((~wide & (distance(~head.covered) < 8)) | bare)


def _sheet(s: Sculpture, volume: _Volume, *, step: float, within: float) -> dict[str, NDArray]:
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

    gy, gx = np.mgrid[0:count, 0:count]
    at = (np.stack([gx, gy], -1) + 0.5) * step
    depth = mean(volume.front * (1 - within) + volume.back * within)
    depth = np.where(inside, depth, s.view.camera.K[0, 0])
    positions = _unprojected(s, at, depth)
    picture = volume.color if within == 1 else s.view.clean
    picture = blur_image(picture, 2) if is_inside else picture
    shade = 1 - 0.3 * within if is_inside else 1.0
    steepest = _STRETCH if is_inside else mean(volume.stretch)
    step_cm = step * depth / s.view.camera.K[0, 0]
    along = positions[..., 1] + 13.5 + 0.15 * (1 - positions[..., 2])
    return {
        "positions": positions,
        "colors": np.clip(mean(picture) * shade, 0, 1),
        "sigmas": np.full((*share.shape, 2), _COARSE_SIGMA if is_inside else _FINE_SIGMA),
        "tangent_caps": np.repeat((steepest * step_cm)[..., None], 2, -1),
        "head_weight": smoothstep(along, 0, 7.0),
        "chart": np.where(inside, int(Chart.HAIR), 0),
        "neighbours": grid_neighbours(inside.astype(np.uint8)),
        "opacities": np.where(inside, 0.99 * mean(volume.alpha), 0),
        "trust": smoothstep(mean(volume.edge), 1.5, 5.0) * (within == 0),
        "winding": np.zeros(share.shape),
        "depth_bias": np.zeros(share.shape),
    }


def _unprojected(
    s: Sculpture, at: NDArray[np.float64], depth: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Pixels [..., 2] at depths [...] cm, in head space."""
    camera, a = s.view.camera, s.fit.placement
    rays = (at - camera.K[:2, 2]) / np.diag(camera.K)[:2]
    cam = np.concatenate([rays, np.ones((*rays.shape[:-1], 1))], -1) * depth[..., None]
    world = (cam - camera.viewmat[:3, 3]) @ camera.viewmat[:3, :3]
    return (world - a[:, 3]) @ a[:, :3]
