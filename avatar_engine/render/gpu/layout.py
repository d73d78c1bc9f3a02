"""Where each number lies in the buffers that the tile renderer's kernels share."""

from enum import IntEnum

MODE_TEXELS = 65536
"""Texels of the head's own atlas; hair, which follows, has no modes."""
TILE = 16
"""Side of a tile in drawn pixels: what one program blends."""
RECORD = 12
"""Numbers per record: mean (2), conic (3), opacity, colour (3), half box (2), depth."""


class Plane(IntEnum):
    """Planes [M] of a persona's texels."""

    X = 0
    Y = 1
    Z = 2
    HEAD_WEIGHT = 3
    RED = 4
    GREEN = 5
    BLUE = 6
    OPACITY = 7
    SIGMA_U = 8
    SIGMA_V = 9
    CAP_U = 10
    CAP_V = 11
    WINDING = 12
    DEPTH_BIAS = 13
    TINT_RED = 14
    TINT_GREEN = 15
    TINT_BLUE = 16


class Trait(IntEnum):
    """Bits of a texel's traits; the lowest four are ``HeadMaps.neighbours``."""

    EYE = 1 << 4
    LID = 1 << 5
    MOUTH = 1 << 6
    FADES = 1 << 7
    TOOTH = 1 << 8


TINT_SHIFT = 9
"""Three bits from here on: the texel's TintDriver."""


class Fixed(IntEnum):
    """Numbers of a persona that no frame changes: eyes, then the framed camera."""

    EYE_CENTERS = 0
    EYE_CLEARANCE = 6
    FOCAL_X = 7
    FOCAL_Y = 8
    CENTER_X = 9
    CENTER_Y = 10
    LIP_PAIRS = 11
    COUNT = 12


class Input(IntEnum):
    """What changes from frame to frame; the modes' weights follow."""

    PERSONA = 0
    EYES = 1  # [2, 3, 3]
    JOINTS = 19  # [3, 3, 4]
    TINTS = 55  # [6]
    LIGHT = 61  # [3]
    SLIDE = 64  # [2] pixels
    WEIGHTS = 66


class View(IntEnum):
    """Planes [M] of a frame's posed texels."""

    X = 0
    Y = 1
    DEPTH = 2
    SHOWN = 3  # factor on opacity
    LIT = 4  # light on the colour
    COUNT = 5


class DetailPlane(IntEnum):
    """Planes [M] of a persona's texels that carry the photo's detail."""

    CAME_X = 0
    CAME_Y = 1
    LOG_AREA = 2
    SEEN = 3
    FADING = 4
    BEARS = 5
    COUNT = 6


CARRIER_TINT_SHIFT = 2
"""A texel's carrier kind takes two bits; above stands the TintDriver that takes detail away."""


class Key(IntEnum):
    """Lowest bits of the parts of a sorting key, near first within a tile within a frame.

    18 bits of texel keep equal depths in the order of texels; 25 bits of depth are steps of
    1/65536 cm, as fine as float32 at the camera's distance.
    """

    DEPTH = 18
    TILE = 43
    FRAME = 57


DEPTH_STEPS_PER_CM = 65536
MOST_FRAMES, MOST_TILES, MOST_TEXELS = 1 << 6, 1 << 14, (1 << 18) - 1
NO_ENTRY = (1 << 63) - 1
"""The key of a place in the buffer that no entry took; it sorts last."""
