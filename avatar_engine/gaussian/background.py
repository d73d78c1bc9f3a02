"""The background behind a person who was photographed before it.

Beside the outline, where the turning head bares it, it goes on in patches of what is seen; deeper
it is a smooth fill.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.patches import carried_on
from avatar_engine.gaussian.smooth import blur_image, distance, fill, smoothstep

_STRAYS = 0.016  # of the picture's width, around the matte
_CARRIED = (0.17, 0.11)  # of the picture's width, inside the outline
_LOW = (0.14, 0.06)  # of the height, below the chin; the body hardly moves


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
    painted = _resized(smooth, size)
    share = _carried(gone > 0, chin)
    shares = np.clip(_resized(share, size), 0, 1) * hole
    field = carried_on(photo, hole > 0, shares > 0, smooth)
    if field is not None:
        sharp = painted.copy()
        field.fetch(photo, shares > 0, sharp)
        painted += (sharp - painted) * shares[..., None]
    share = blur_image(hole.astype(np.float32), 1.5)[..., None]
    share = np.maximum(share, hole[..., None])
    return photo * (1 - share) + painted * share


def _carried(gone: NDArray[np.bool_], chin: float) -> NDArray[np.float32]:
    """[S, S] how far patches stand for the smooth fill, which is what lies deep or low."""
    size = len(gone)
    rows = np.arange(size)[:, None] / size - chin
    depth = distance(gone) / size
    return (gone * smoothstep(depth, *_CARRIED) * smoothstep(rows, *_LOW)).astype(np.float32)


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


def _resized(picture: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_CUBIC)
