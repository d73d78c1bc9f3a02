"""The background behind a person who was photographed before it.

Beside the outline folds and stars go on as their own mirror image, as sharp as they are and without
a seam; where that would put another thing there, and deeper, it is a smooth fill.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from avatar_engine.gaussian.smooth import blur_image, distance, fill, smoothstep

_STRAYS = 0.016  # of the picture's width, around the matte
_MIRRORED = (0.16, 0.09)  # of the picture's width, inside the outline
_CALM, _UNLIKE = 0.016, (0.2, 0.08)  # of the picture's width; colours in [0, 1]
_UPRIGHT = 2.5
_EVEN = 0.02  # of the picture's width; an outline's teeth must not be mirrored


def without_person(
    photo: NDArray[np.float32], matte: NDArray[np.float32], chin: float
) -> NDArray[np.float32]:
    """The photo without its person [S, S, 3].

    Args:
        photo: [S, S, 3] sRGB in [0, 1].
        matte: [S, S] in [0, 1].
        chin: Its height in the picture, as a share from the top.
    """
    size = len(photo)
    small_size = min(256, size)
    reach = 2 * round(_STRAYS * size) + 1  # sharpened rims and stray hairs would stay behind
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    hole = cv2.dilate((matte > 0.04).astype(np.uint8), disc)
    small = cv2.resize(photo, (small_size,) * 2, interpolation=cv2.INTER_AREA)
    gone = cv2.resize(hole, (small_size,) * 2, interpolation=cv2.INTER_LINEAR)
    gone = cv2.dilate(gone, np.ones((3, 3), np.uint8))
    if gone.all():
        return np.broadcast_to(photo.mean((0, 1)), photo.shape).astype(np.float32)
    smooth = _filled(small, gone)
    at, share = _mirrored(gone > 0, chin)
    # A wall or a window mirrored would stand around the head like a halo.
    apart = np.linalg.norm(blur_image(_seen_at(small, at) - smooth, _CALM * small_size), axis=-1)
    share = blur_image(share * smoothstep(apart, *_UNLIKE), _CALM * small_size / 2)
    at = (_resized(at, size) + 0.5) * np.float32(size / small_size) - 0.5
    weight = np.clip(_resized(share, size), 0, 1)[..., None]
    painted = _seen_at(photo, at) * weight + _resized(smooth, size) * (1 - weight)
    share = blur_image(hole.astype(np.float32), 1.5)[..., None]
    share = np.maximum(share, hole[..., None])
    return photo * (1 - share) + painted * share


def _mirrored(
    gone: NDArray[np.bool_], chin: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """For each pixel of a hole, the one [S, S, 2] (x, y) as far outside its border, and how far
    that one may stand for it [S, S]; ``chin`` is a share of the height.
    """
    size = len(gone)
    yy, xx = np.mgrid[0:size, 0:size]
    # Beside the head rather sideways: what stands upright behind it stays upright as it turns.
    beside, below = (
        np.stack([ix - xx, iy - yy], -1)
        for iy, ix in (
            distance_transform_edt(
                gone, sampling=(tall, 1), return_distances=False, return_indices=True
            )
            for tall in (_UPRIGHT, 1)
        )
    )
    share = smoothstep(yy / size, chin, chin - 0.1)[..., None]
    outward = beside * share + below * (1 - share)
    depth = np.linalg.norm(outward, axis=-1)
    at = np.stack([xx, yy], -1).astype(np.float32) + 2 * blur_image(outward, _EVEN * size)
    known = (~gone).astype(np.float32)
    shown = blur_image(cv2.erode(_seen_at(known, at), np.ones((5, 5), np.uint8)), 1.5)
    share = smoothstep(shown, 0.5, 1.0) * smoothstep(depth / size, *_MIRRORED)
    return at.astype(np.float32), share.astype(np.float32)


def _filled(small: NDArray[np.float32], gone: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The picture with its hole filled: what reaches its border goes on a little, then blurs."""
    half = len(small) // 2
    eight = cv2.resize((small * 255).astype(np.uint8), (half, half), interpolation=cv2.INTER_AREA)
    hole = (cv2.resize(gone, (half, half), interpolation=cv2.INTER_LINEAR) > 0).astype(np.uint8)
    near = cv2.inpaint(eight, hole, 3, cv2.INPAINT_TELEA).astype(np.float32) / 255
    near = _resized(near, len(small))
    wide = fill(small, 1.0 - gone, sigmas=(4, 8, 16, 32, 64), on_atlas=False)
    far = smoothstep(distance(gone > 0), 2, 14)[..., None]
    return (near * (1 - far) + wide * far).astype(np.float32)


def _seen_at(picture: NDArray[np.float32], at: NDArray[np.floating]) -> NDArray[np.float32]:
    """The picture at other places [S, S, 2] (x, y); beyond its border it is mirrored too."""
    places = at.astype(np.float32)
    return cv2.remap(picture, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def _resized(picture: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_CUBIC)
