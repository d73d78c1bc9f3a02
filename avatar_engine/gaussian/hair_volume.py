"""The hair's volume over the picture: where its front and its back lie, and what they show.

The front is a curtain: it leaves the face where the hair meets it and runs back to the outline.
The back of short hair is rounded like the head it continues; long hair is as deep as the head it
falls from, down to the shoulders.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from avatar_engine.gaussian.hair_back import back_color
from avatar_engine.gaussian.hair_pixels import coat_pixels, hair_pixels
from avatar_engine.gaussian.jewels import held_whole, jewel_pixels, painted_over
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import BACKGROUND, HAIR, Labels
from avatar_engine.gaussian.smooth import blur_image, distance, fill, smoothstep
from avatar_engine.gaussian.view import View
from avatar_engine.gaussian.zbuffer import Nearest, nearest

STRETCH = 2.2
"""How steep a sheet may run before it opens."""

LEAST_PIXELS = 60
"""Less hair than this is none."""

_CURTAIN_STRETCH = 5.0
_ROUND = 0.34  # the outline's rounding radius, in face widths
_CLEAR_CM = 0.15  # hair lies this far in front of the skin it hides
_COAT_CM = 0.06  # and this far in front of the scalp it grows on
_COAT_FACING = 0.35
_TORN_CM = 1.2
_STRAYS_PX = 16
_SEEN_THROUGH = 0.85
_HOLD_PX = 4  # how wide a border holds the curtain
_TURNED_CM = 0.5  # the outline lies this far behind the ears' plane
_PUFF = 0.25
_HALF_WIDTH, _DEEP_CM = 0.5, 7.5  # long hair reaches this far back at this many face widths
_STEEPEST = 3.5  # cm of depth per cm; steeper, the sheet behind would open at the outline
_ROUNDED_PX, _ROUNDED = 6.0, 0.7  # a flat outline would stand out as a fin
_HANGING = 0.45  # below this height, in face heights, hair hangs free of the head
_CROWN = 1.05  # above it the scalp's own texels are hair enough
_OVER_CM = 0.25  # hair on the back lies this far behind the skin
_RIM_BLUR = 0.03


@dataclass(frozen=True, slots=True)
class HairVolume:
    """The hair over the picture, [S, S] each; depths in cm from the camera, ``edge`` in pixels.

    ``behind`` is where the head hides hair that falls down its back; ``color`` [S, S, 3] is that
    of the back; ``over`` is where hair lies over the head; ``jewels`` [S, S] bool hang free of it.
    """

    mask: NDArray[np.bool_]
    front: NDArray[np.float64]
    back: NDArray[np.float64]
    alpha: NDArray[np.float32]
    edge: NDArray[np.float32]
    behind: NDArray[np.bool_]
    color: NDArray[np.float32]
    stretch: NDArray[np.float64]
    over: NDArray[np.bool_]
    jewels: NDArray[np.bool_]


def hair_volume(s: Sculpture, labels: Labels, opacity: NDArray[np.float64]) -> HairVolume:
    """Find the hair.

    Args:
        s: The carved head.
        labels: Of the photo.
        opacity: [N] of the head's own texels.
    """
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
    mask, rim = hair_pixels(s, labels, head, met & (head.gather(solid, s.regions.scalp) > 0.6))
    coat = coat_pixels(s, labels) & met & ~mask
    px_per_cm = view.camera.K[0, 0] / root
    near = _beside(head, root, view.face_width)
    # The far side of a turned head ends before the ears' plane, and so does hair on it.
    gap = distance(~head.covered) / px_per_cm
    outer = np.minimum(root + _TURNED_CM, near + _TURNED_CM + gap)
    front = _front(s, labels, head, mask, coat, root, outer)
    front = np.where(rim & ~coat, near, front)
    jewels = jewel_pixels(view, labels)
    front = held_whole(front, jewels, mask)
    radius = _ROUND * view.face_width
    q = np.minimum(distance(mask | head.covered), radius)
    bulge = np.sqrt(np.maximum(2 * radius * q - q * q, 0)) / px_per_cm
    deep = 0.7 * bulge
    behind = np.zeros_like(mask)
    if labels.is_long:  # down to the shoulders hair is as deep as the head it falls from
        t = np.clip(distance(mask | head.covered) / (_HALF_WIDTH * view.face_width), 0, 1)
        deep = np.minimum(_DEEP_CM * np.sqrt(t * (2 - t)), _STEEPEST * q / px_per_cm)
        away = nearest(p * [1, 1, -1], solid_behind, width=size, height=size)
        deep = np.where(away.covered, np.maximum(deep, _OVER_CM - away.depth - root), deep)
        behind = _behind(s, away.covered, mask)
    # Where hair falls behind a coat the back goes on, or it would be drawn out at the coat's end.
    start = root if labels.is_long else np.minimum(root, outer)
    back = np.where(rim | (coat & ~behind), front, np.maximum(start + deep, front))
    shown = mask | head.covered
    mask = mask | coat
    soft = np.clip(2.0 * blur_image(shown.astype(np.float32), 1.0) - 0.9, 0, 1)
    edge = distance(mask | head.covered)
    alpha = soft * np.clip(2.0 * view.matte - 0.9, 0, 1) * (mask | behind)
    # Before the head it would be the scalp, not the background, that is seen through them.
    alpha *= 1 - _SEEN_THROUGH * _strays(view, edge) * ~head.covered
    edge = distance(mask | head.covered)
    stretch = np.where(rim, STRETCH, _CURTAIN_STRETCH)
    certain = mask & (labels.share[..., HAIR] > 0.7)
    color = back_color(view, labels, certain, edge, back - root)
    over, alpha = mask & head.covered, alpha.astype(np.float32)
    hang = (jewels > 0) & mask
    color = painted_over(color, hang, mask)
    return HairVolume(mask, front, back, alpha, edge, behind, color, stretch, over, hang)


def _front(
    s: Sculpture,
    labels: Labels,
    head: Nearest,
    mask: NDArray[np.bool_],
    coat: NDArray[np.bool_],
    root: float,
    outer: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Depth [S, S] of the surface that the photo shows.

    It leaves the face where the hair meets it and runs back to the ears' plane at the outline, or
    to another ``outer`` depth [S, S], as a curtain does: a turning head then shows the photo's own
    hair, and not what it hides.
    """
    view = s.view
    px_per_cm, radius = view.camera.K[0, 0] / root, _ROUND * view.face_width
    over = np.where(head.covered, head.depth - _CLEAR_CM, np.inf)
    beside = (head.depth < root) & ~mask & (distance(~mask) < _HOLD_PX)
    outline = mask & (distance(labels.share[..., BACKGROUND] < 0.5) < _HOLD_PX) & ~head.covered
    held = np.where(coat, head.depth - _COAT_CM, np.where(beside, over, outer))
    weight = (coat | beside | outline).astype(np.float32)
    held = np.where(weight > 0, held, 0)
    curtain = fill(held[..., None], weight, sigmas=(2, 4, 8, 16, 32, 64), on_atlas=False)[..., 0]
    q = np.minimum(distance(mask), radius)
    bulge = np.sqrt(np.maximum(2 * radius * q - q * q, 0)) / px_per_cm
    front = np.minimum(curtain - _PUFF * bulge * smoothstep(q, 0, 0.4 * radius), over)
    near = np.minimum(distance(mask | head.covered), _ROUNDED_PX)
    front = front - np.sqrt(near * (2 * _ROUNDED_PX - near)) * _ROUNDED / px_per_cm
    smooth = fill(front[..., None], mask.astype(np.float32), sigmas=(2.5,), on_atlas=False)[..., 0]
    front = np.minimum(np.where(mask, smooth, front), over)
    return np.where(coat, head.depth - _COAT_CM, front)


def _strays(view: View, edge: NDArray[np.float32]) -> NDArray[np.float32]:
    """[S, S] 1 where between stray hairs near the outline the photo shows the background."""
    within = edge > _STRAYS_PX
    beyond = distance(~view.inside)
    outside = (beyond > 3) & (beyond < 40)
    if within.sum() < LEAST_PIXELS or outside.sum() < LEAST_PIXELS:
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
    xx = np.arange(s.view.size)[None]
    height = s.view.frame()[..., 1]
    hanging = mask & (height < _HANGING)
    first = np.where(hanging.any(1), hanging.argmax(1), s.view.size)
    last = np.where(hanging.any(1), s.view.size - 1 - hanging[:, ::-1].argmax(1), -1)
    within = (xx >= first[:, None]) & (xx <= last[:, None])
    beside = within & (height < _HANGING)
    return (beside | (height >= _HANGING)) & head & ~mask & (height < _CROWN)


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
