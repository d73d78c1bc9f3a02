"""What stands behind the head: the body cut out with soft edges, over an in-painted background."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, binary_fill_holes

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import CLOTH, HAIR, SKIN, Labels
from avatar_engine.gaussian.smooth import blur_image, distance, fill, smoothstep
from avatar_engine.gaussian.view import CHIN
from avatar_engine.gaussian.zbuffer import Nearest, nearest
from avatar_engine.types import Plates, Portrait

_STILL = 0.6  # neck texels that follow the head less than this stay on the plate
_IN_SHADE = 0.93


def make_plates(s: Sculpture, labels: Labels, front: Nearest, portrait: Portrait) -> Plates:
    """Plates at the portrait's own size."""
    size = len(portrait.image)
    masks = _body_masks(s, labels, front)
    big = lambda m: cv2.resize(m.astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR)  # noqa: E731
    photo = (portrait.image / np.float32(255)).astype(np.float32)
    background = _background(photo, np.asarray(portrait.matte, np.float32))
    known, cover, fill_color = masks
    keep = big(known)[..., None]
    color = photo * keep + _resized(fill_color, size) * (1 - keep)
    # Inside the photo's own body the edge is the matte's; where the head was, it is our own.
    alpha = big(cover) * np.clip(np.maximum(portrait.matte, 1 - keep[..., 0]), 0, 1)
    body = np.concatenate([color, alpha[..., None]], -1)
    return Plates(_bytes(background), _bytes(body))


def _body_masks(
    s: Sculpture, labels: Labels, front: Nearest
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """[S, S] share of the photo's own pixels to keep, [S, S] coverage, [S, S, 3] fill colour."""
    view, regions = s.view, s.regions
    follow = front.gather(regions.triangles, s.rig.neck, empty=0.0)
    yy, xx = np.mgrid[0 : view.size, 0 : view.size]
    chin = view.landmarks[CHIN]
    cloth = labels.mask(CLOTH) & (view.matte > 0.2)
    skin = labels.mask(SKIN) & view.inside & ~view.face_hull(grow=3) & (yy > chin[1])
    still = skin & (follow < _STILL) & (yy > chin[1] + 0.04 * view.face_height)
    known = cloth | still
    column = _neck_column(s, chin)
    shoulders = _shoulders(s, cloth, labels.mask(HAIR), yy, xx)
    cover = binary_closing(np.pad(known | column | shoulders, 8, mode="edge"), iterations=4)
    cover = binary_fill_holes(cover)[8:-8, 8:-8]
    under_chin = cover & ~(known | shoulders)
    neck = skin & ~view.face_hull(grow=5) & (distance(skin) > 2)
    shaded = (0.7 * labels.skin_tone).astype(np.float32)
    neck_tone = np.broadcast_to(shaded, view.image.shape)
    if neck.sum() > 100:
        neck_tone = 0.4 * neck_tone + 0.6 * _IN_SHADE * _spread(view.image, neck)
    cloth_tone = (
        _spread(view.image, cloth & (distance(cloth) > 2)) if cloth.sum() > 200 else neck_tone
    )
    where_neck = blur_image((under_chin | still).astype(np.float32), 2)[..., None]
    color = neck_tone * where_neck + cloth_tone * (1 - where_neck)
    kept = smoothstep(distance(known), 0.5, 3.0) + (known & (view.matte < 0.9))
    soft = blur_image(cover.astype(np.float32), 0.8)
    return np.clip(kept, 0, 1).astype(np.float32), soft, color.astype(np.float32)


def _neck_column(s: Sculpture, chin: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The neck as it would be seen without the head, [S, S]."""
    p = s.project(s.source_shape())
    zone = s.regions.neck_zone & (s.rig.mean[:, 1] > -16)
    t = s.regions.triangles
    t = t[zone[t].all(1)]
    shown = nearest(p, t, width=s.view.size, height=s.view.size).covered
    yy = np.mgrid[0 : s.view.size, 0 : s.view.size][0]
    return shown & (s.view.matte > 0.5) & (yy > chin[1] - 0.2 * s.view.face_height)


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


def _background(photo: NDArray[np.float32], matte: NDArray[np.float32]) -> NDArray[np.float32]:
    """The photo without its person [S, S, 3]."""
    size = len(photo)
    small_size = min(256, size)
    hole = cv2.dilate((matte > 0.04).astype(np.uint8), np.ones((7, 7), np.uint8))
    small = cv2.resize(photo, (small_size,) * 2, interpolation=cv2.INTER_AREA)
    gone = cv2.resize(hole, (small_size,) * 2, interpolation=cv2.INTER_LINEAR)
    gone = cv2.dilate(gone, np.ones((3, 3), np.uint8))
    if gone.all():
        return np.broadcast_to(photo.mean((0, 1)), photo.shape).astype(np.float32)
    near = cv2.inpaint((small * 255).astype(np.uint8), gone, 5, cv2.INPAINT_TELEA) / np.float32(255)
    wide = fill(small, 1.0 - gone, sigmas=(4, 8, 16, 32, 64), on_atlas=False)
    far = smoothstep(distance(gone > 0), 2, 14)[..., None]
    painted = _resized((near * (1 - far) + wide * far).astype(np.float32), size)
    share = blur_image(hole.astype(np.float32), 1.5)[..., None]
    share = np.maximum(share, hole[..., None])
    return photo * (1 - share) + painted * share


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
