"""The numbers of ``CONVENTIONS.md`` that every renderer shares, so that none can drift."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.types import Chart

COLUMNS = 256
"""Texels per row, of the atlas and of the hair that follows it."""
ATLAS_ROWS = 256
ALPHA_CUT = 1 / 255
"""A Gaussian covers the bounding box of the ellipse where its alpha is at least this."""
OPACITY_LIMIT = 0.99
LOW_PASS_PX2 = 0.3
"""Added to both variances: no Gaussian is thinner than about half a pixel."""
LID_CLEARANCE = 1.03
"""Lids keep this many eyeball radii from the eyeball's centre."""
APERTURE_CM = (0.03, 0.15)
"""Teeth, gums and tongue fade in over this range of lip gaps."""
INNER_MOUTH = (Chart.TEETH, Chart.GUM, Chart.TONGUE, Chart.CAVITY)
"""What the gap between the lips lights."""
SHADED_CM = (0.05, 0.7)
"""The inner mouth is lit more and more over this range of lip gaps."""
SHADE_FLOOR = 0.42
"""Light on the inner mouth where the lips meet, as a share of an open mouth's."""
SHADE_RGB = (0.24, 0.08, 0.07)
"""What the inner mouth falls to without light: the mouth's own red."""
ARCH_Z_CM = 5.2
"""Centre of the dental arch: teeth and gums face away from it."""
TOOTH_AMBIENT = 0.42
"""Light on teeth and gums that face away from the light."""
LIGHT_WORLD = (0.0, 0.26, 0.966)
"""Where the light on the teeth comes from: the camera's side, from above."""
LIDS_TINTED = 0.6
"""Tints of lids are complete when an eye has closed by this share of its way."""
LIPS_PARTED_CM = 0.12
"""At this gap between the middle of the lips, their tints take them for apart."""
NEAR_CM = 5.0
"""What is nearer to the camera is not drawn."""
JOINT_SHARES = (0.0, 0.5, 1.0)
"""Share of the head's motion that each of the three joints makes."""
TORSO_LIMIT_CM = 0.6
"""A still picture of a body slides no farther than this."""
COLLAR_CM = 1.5
"""So far below the neck's pivot the body plate begins to slide less."""
LEAST_SLIDING_ROWS = 0.15
"""Of the picture's height: the plate's slide runs out over no fewer rows at the lower edge."""
SLIDE_STEPS = 8
"""The plate slides in steps of this part of a pixel, so that a slow breath need not redraw it."""


def inner_neighbours(bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Neighbour bits [R, COLUMNS] without those that point out of the grid."""
    bits = bits.copy()
    bits[:, 0] &= 0b1110
    bits[:, -1] &= 0b1101
    bits[0] &= 0b1011
    bits[-1] &= 0b0111
    return bits


LARGEST_DRAWN_PX = 768
"""Gaussians of pictures with a longer side are drawn at half their size: they are wider than a
pixel there, and what is finer comes from the photo (step 12)."""


def drawn_zoom(width: int, height: int) -> int:
    """How many pixels of a picture, along each side, one pixel of its Gaussians covers: 1 or 2."""
    return 2 if max(width, height) > LARGEST_DRAWN_PX else 1
