"""Hair where the photo shows none: strands of light and dark along the way hair falls.

In the atlas and in the picture alike hair falls along the rows: from the crown over the forehead,
the temples and the nape. So strands are noise drawn long in that direction, as strong as the
hair's own contrast.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.smooth import blur_image

_ACROSS = 0.7  # texels or pixels; a strand's half width
_LONGEST = 14.0
_SHORTEST = 1.2
_RANGE = (0.03, 0.30)  # of the contrast, so that flat and noisy photos both look like hair


def strands(shape: tuple[int, int], *, length: float, contrast: float) -> NDArray[np.float32]:
    """Factors [H, W] on a hair tone, around 1.

    Args:
        shape: Of the map.
        length: 0 for the shortest hair to 1 for long hair.
        contrast: Of the hair, see :func:`contrast_of`.
    """
    noise = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    along = _SHORTEST + (_LONGEST - _SHORTEST) * length
    total = np.zeros(shape, np.float32)
    for scale, share in ((1.0, 0.75), (3.0, 0.5)):  # strands, and locks of them
        layer = cv2.GaussianBlur(
            np.roll(noise, 31 * int(scale), (0, 1)), (0, 0), _ACROSS * scale, sigmaY=along * scale,
            borderType=cv2.BORDER_REFLECT,
        )  # fmt: skip
        total += share * layer / max(float(layer.std()), 1e-6)
    total /= max(float(total.std()), 1e-6)
    return np.clip(1 + contrast * total, 0.4, 1.7)


def contrast_of(color: NDArray[np.floating], where: NDArray[np.bool_]) -> float:
    """How much the hair's lightness varies from strand to strand, as a share of itself.

    Args:
        color: [H, W, 3] with the hair in it.
        where: [H, W] the hair.
    """
    if where.sum() < 100:
        return _RANGE[0]
    light = np.asarray(color, np.float32).mean(-1)
    mass = np.maximum(blur_image(where.astype(np.float32), 3), 1e-3)
    low = blur_image(light * where, 3) / mass
    detail = (light - low)[where]
    return float(np.clip(detail.std() / max(float(low[where].mean()), 0.05), *_RANGE))
