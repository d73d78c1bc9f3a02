"""What stands behind the head: the body cut out with soft edges, over an in-painted background."""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.background import without_person
from avatar_engine.gaussian.complete import BEHIND_TONE
from avatar_engine.gaussian.masks import opened, without_holes
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import BACKGROUND, CLOTH, HAIR, SKIN, Labels
from avatar_engine.gaussian.smooth import blur_image, distance, fill, smoothstep
from avatar_engine.gaussian.view import CHIN, View
from avatar_engine.gaussian.zbuffer import Nearest, nearest
from avatar_engine.types import Plates, Portrait

_STILL = 0.6  # neck texels that follow the head less than this stay on the plate
_IN_SHADE = 0.96
_COLUMN_TOP = 0.5  # face heights above the chin
_COLUMN_FOLLOWS = 0.88
_LEFT_OVER = 0.15  # face heights above the chin
_NOTCH, _NOTCH_TOP = 0.08, 0.03  # face widths; face heights above the chin
_CERTAIN = 0.9
_THROAT_Z = 1.0  # cm; behind it the neck is hair


def make_plates(
    s: Sculpture,
    labels: Labels,
    front: Nearest,
    portrait: Portrait,
    color: NDArray[np.float64],
    hair: NDArray[np.bool_],
) -> Plates:
    """Plates at the portrait's own size.

    Args:
        s: The head.
        labels: Of the photo.
        front: What of the head the camera meets first.
        portrait: The photo.
        color: [N, 3] of the head's texels; the neck under the head takes theirs.
        hair: [S, S] pixels that the hair's volume shows.
    """
    size = len(portrait.image)
    masks = _body_masks(s, labels, front, color, hair)
    big = lambda m: cv2.resize(m.astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR)  # noqa: E731
    photo = (portrait.image / np.float32(255)).astype(np.float32)
    chin = float(portrait.landmarks[CHIN, 1]) / size
    background = without_person(photo, np.asarray(portrait.matte, np.float32), chin)
    known, cover, fill_color = masks
    keep = big(known)[..., None]
    # At the outline the photo is half background, which must not stand before another one.
    rim = smoothstep(portrait.matte, 0.98, 0.85)[..., None].astype(np.float32)
    own = photo * (1 - rim) + _resized(s.view.clean, size) * rim
    color = own * keep + _resized(fill_color, size) * (1 - keep)
    # Inside the photo's own body the edge is the matte's; where the head was, it is our own.
    alpha = big(cover) * np.clip(np.maximum(portrait.matte, 1 - keep[..., 0]), 0, 1)
    body = np.concatenate([color, alpha[..., None]], -1)
    return Plates(_bytes(background), _bytes(body))


def _body_masks(
    s: Sculpture,
    labels: Labels,
    front: Nearest,
    texels: NDArray[np.float64],
    hair: NDArray[np.bool_],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """[S, S] share of the photo's own pixels to keep, [S, S] coverage, [S, S, 3] fill colour."""
    view, regions = s.view, s.regions
    follow = front.gather(regions.triangles, s.rig.neck, empty=0.0)
    yy, xx = np.mgrid[0 : view.size, 0 : view.size]
    chin = view.landmarks[CHIN]
    cloth = labels.mask(CLOTH) & (view.matte > 0.2)
    skin = labels.mask(SKIN) & view.inside & ~view.face_hull(grow=3) & (yy > chin[1])
    still = skin & (follow < _STILL) & (yy > chin[1] + 0.04 * view.face_height)
    # What neither head nor hair shows must stand still here, or it would be a hole.
    nobody = view.inside & ~front.covered & ~hair & (yy > chin[1] - _LEFT_OVER * view.face_height)
    nobody &= ~labels.mask(SKIN) | (yy > chin[1])  # an ear is no collar
    known = cloth | still | (nobody & ~labels.mask(HAIR))  # a lock's torn end is no collar
    column, throat, front_neck = _neck_column(s, chin, texels)
    shoulders = _shoulders(s, cloth, labels.mask(HAIR), yy, xx)
    cover = known | nobody | column | shoulders
    # Between neck and collar a turned head would bare the background.
    low = view.inside & (yy > chin[1] - _NOTCH_TOP * view.face_height)
    cover |= low & _closed(cover, round(_NOTCH * view.face_width))
    cover = without_holes(_closed(cover, 4))
    cover = cloth | opened(cover, 2)  # a lock's thread would stand on the collar
    under_chin = cover & ~(known | shoulders)
    neck_tone = (_IN_SHADE * throat).astype(np.float32)
    cloth_tone = (
        _spread(view.image, cloth & (distance(cloth) > 2)) if cloth.sum() > 200 else neck_tone
    )
    around_neck = cv2.dilate((under_chin | still).astype(np.uint8), np.ones((9, 9), np.uint8))
    around_neck[cloth] = 0
    where_neck = blur_image(around_neck, 2)[..., None]
    color = neck_tone * where_neck + cloth_tone * (1 - where_neck)
    color = _with_bared_hair(view, labels, color, under_chin & ~front_neck)
    kept = smoothstep(distance(known), 0.5, 3.0) + (known & (view.matte < 0.9))
    soft = blur_image(cover.astype(np.float32), 0.8)
    return np.clip(kept, 0, 1).astype(np.float32), soft, color.astype(np.float32)


def _with_bared_hair(
    view: View, labels: Labels, color: NDArray[np.float32], within: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Colours [S, S, 3] where hair that turns away bares more of it, and no skin.

    Args:
        view: The source view.
        labels: Of the photo.
        color: [S, S, 3] without that hair.
        within: [S, S] what lies under the head, but for the throat.
    """
    behind = within & (labels.mask(HAIR) | (labels.is_long & labels.mask(BACKGROUND)))
    certain = labels.share[..., HAIR] > _CERTAIN
    if not (behind.any() and certain.any()):
        return color
    share = blur_image(behind.astype(np.float32), 1.5)[..., None]
    return color + (np.float32(BEHIND_TONE) * _spread(view.clean, certain) - color) * share


def _neck_column(
    s: Sculpture, chin: NDArray[np.float64], texels: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.bool_]]:
    """The neck as it would be seen without the head: where [S, S], its colour [S, S, 3], and where
    it is the throat [S, S].

    The colour is the head's own, so that the plate does not show beside a turned neck.
    """
    size = s.view.size
    p = s.project(s.source_shape())
    zone = s.regions.neck_zone & (s.rig.mean[:, 1] > -16)
    t = s.regions.triangles
    t = t[zone[t].all(1)]
    still = t[(s.rig.neck[t] < _COLUMN_FOLLOWS).all(1)]  # the rest goes with the head itself
    column = nearest(p, still, width=size, height=size).covered & (s.view.matte > 0.5)
    yy = np.mgrid[0:size, 0:size][0]
    column &= yy > chin[1] - _COLUMN_TOP * s.view.face_height
    throat = t[(s.rig.mean[t, 2] > _THROAT_Z).all(1)]
    shown = nearest(p, throat, width=size, height=size)
    seen = shown.covered & column
    if seen.sum() < 100:
        flat = np.zeros((size, size, 3), np.float32) + s.view.image.mean((0, 1))
        return column, flat, seen
    planes = [shown.gather(throat, texels[:, c]) for c in range(3)]
    return column, blur_image(_spread(np.stack(planes, -1), seen), 1.5), seen


def _shoulders(s, cloth, hair, yy, xx):  # type: ignore[no-untyped-def]
    """Body under hair that hangs over it: below a line joined across the shoulders seen."""
    view = s.view
    chin = view.landmarks[CHIN]
    top = np.where(cloth.any(0), cloth.argmax(0), view.size)
    columns = np.arange(view.size)
    over = hair[np.clip(top - 4, 0, view.size - 1), columns]
    seen = (top < view.size) & ~over & (np.abs(columns - chin[0]) > 0.35 * view.face_width)
    anchors_x = [chin[0] - 0.28 * view.face_width, chin[0] + 0.28 * view.face_width]
    anchors_y = [chin[1] + 0.30 * view.face_height] * 2
    x = np.r_[columns[seen], anchors_x]
    y = np.r_[top[seen], anchors_y]
    order = np.argsort(x, kind="stable")
    line = np.interp(columns, x[order], y[order])
    return hair & (yy > line[None, :]) & (view.matte > 0.3)


def _closed(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """The mask with notches up to twice as wide as some pixels closed."""
    padded = np.pad(mask, 2 * pixels, mode="edge").astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1,) * 2)
    inner = slice(2 * pixels, -2 * pixels)
    return cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc)[inner, inner] > 0


def _spread(image: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Colours of a mask carried outward over the whole picture."""
    half = len(image) // 2
    small = cv2.resize(image, (half, half), interpolation=cv2.INTER_AREA)
    weight = cv2.resize(mask.astype(np.float32), (half, half), interpolation=cv2.INTER_AREA)
    spread = fill(
        small, (weight > 0.99).astype(np.float32), sigmas=(2, 4, 8, 16, 32, 64, 128), on_atlas=False
    )
    return _resized(spread, len(image))


def _resized(picture: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_CUBIC)


def _bytes(picture: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
