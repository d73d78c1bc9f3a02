"""Transparency for programs that read no alpha: colour on the left, alpha in grey on the right."""

import numpy as np
from numpy.typing import NDArray


def beside_alpha(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A transparent picture as one of twice its width, without alpha.

    The left half is straight colour, the right half the same pixels' alpha as grey: what OBS calls
    a side-by-side matte. Where nothing shows, the left half is black, which encodes to nothing.

    Args:
        picture: [H, W, 4] with straight alpha.

    Returns:
        [H, 2 W, 3].
    """
    height, width = picture.shape[:2]
    both = np.empty((height, 2 * width, 3), np.uint8)
    both[:, :width] = np.where(picture[..., 3:] > 0, picture[..., :3], 0)
    both[:, width:] = picture[..., 3:]
    return both
