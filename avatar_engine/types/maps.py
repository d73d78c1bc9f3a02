"""A persona's maps: everything a renderer needs, and nothing else."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from avatar_engine.types.compensation import Drivers
from avatar_engine.types.head import Camera

PLAIN_MODES = 53
"""Modes that every head has: 52 expressions, and the source residual."""


class TintDriver(IntEnum):
    """What brings a texel's tint on, from 0 in the photo's own expression to 1."""

    NONE = 0
    LEFT_LID = 1  # the subject's left eye closes
    RIGHT_LID = 2
    RELAX = 3  # the photo's smile goes
    LIPS = 4  # lips that meet in the photo part, or lips that are apart in it meet
    MOUTH = 5  # lips stand another way apart than in the photo, or its smile has gone


@dataclass(frozen=True, slots=True)
class HeadMaps:
    """One texel, one Gaussian. M = rows * 256 texels, row-major; the head's atlas is the first
    256 rows (N = 65536 texels), hair volume follows in whole rows. Head space, cm.

    The surface under a texel is ``positions + sum_k w_k * modes[k] * mode_scales[k]`` with
    ``w = clip(rest + blendshapes, 0, 1)`` over 52 expression modes, one more mode (index 52, the
    *source residual*) that only the source view uses, and C *corrective modes* (from 53 on) for
    what no straight line describes. Then, in this order: eyeballs turn
    about their centres, lids are pushed out of the eyeballs, joints move the head, the camera
    projects. ``avatar_engine/CONVENTIONS.md`` gives the formulas.

    Attributes:
        positions: [M, 3] float32 at expression zero.
        modes: [53 + C, 65536, 3] int16, for the head's own atlas; hair moves rigidly.
        mode_scales: [53 + C] float32, cm per unit.
        rest: [52] float32 expression the face rests in.
        source: [52] float32 expression of the photo (with the residual mode at 1 it shows it).
        head_weight: [M] float32 share of head rotation (0 body, 1 head).
        chart: [M] uint8 of Chart.
        neighbours: [M] uint8 bits: 1 left, 2 right, 4 up, 8 down share the texel's surface.
        colors: [M, 3] float32 sRGB in [0, 1].
        opacities: [M] float32 in [0, 0.99]; 0 is no Gaussian.
        sigmas: [M, 2] float32 standard deviation in texel steps along u and v.
        tangent_caps: [M, 2] float32 longest tangent in cm (inf: none).
        winding: [M] int8 sign of the projected tangents' cross product on a front face; 0 is
            two-sided.
        depth_bias: [M] float32 cm added to the depth used for sorting (positive is farther).
        eye_centers: [2, 3] float32; subject's left, then right.
        eye_radius: cm.
        eye_gaze: [2, 2] float32 rest gaze per eye (yaw, pitch), rad.
        lid_texels: [L] int32 texels that may touch an eyeball.
        lip_upper, lip_lower: [P] int32 paired texels along the inner lips, by rising x.
        placement: [3, 4] float32 head space to world.
        pivot: [3] float32 neck pivot, head space.
        tints: [65536, 3] float32 change of colour when its driver is at 1, or [0, 3]: none.
        tint_drivers: [65536] uint8 of TintDriver, or [0].
        drivers: How far the C corrective modes act in an expression.
    """

    positions: NDArray[np.float32]
    modes: NDArray[np.int16]
    mode_scales: NDArray[np.float32]
    rest: NDArray[np.float32]
    source: NDArray[np.float32]
    head_weight: NDArray[np.float32]
    chart: NDArray[np.uint8]
    neighbours: NDArray[np.uint8]
    colors: NDArray[np.float32]
    opacities: NDArray[np.float32]
    sigmas: NDArray[np.float32]
    tangent_caps: NDArray[np.float32]
    winding: NDArray[np.int8]
    depth_bias: NDArray[np.float32]
    eye_centers: NDArray[np.float32]
    eye_radius: float
    eye_gaze: NDArray[np.float32]
    lid_texels: NDArray[np.int32]
    lip_upper: NDArray[np.int32]
    lip_lower: NDArray[np.int32]
    placement: NDArray[np.float32]
    pivot: NDArray[np.float32]
    tints: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    tint_drivers: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    drivers: Drivers = field(default_factory=Drivers.none)


@dataclass(frozen=True, slots=True)
class Plates:
    """What stands behind the head, at the source view's pixels.

    Attributes:
        background: [S, S, 3] uint8, head and body taken out.
        body: [S, S, 4] uint8, straight (not premultiplied) colour and coverage of neck and body.
        photo: [S, S, 3] uint8 the picture itself, whose finer detail the renderers take up, or
            [0, 0, 3]: none.
    """

    background: NDArray[np.uint8]
    body: NDArray[np.uint8]
    photo: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0, 3), np.uint8))


class Drawable(Protocol):
    """Whoever can be drawn; a persona is."""

    @property
    def maps(self) -> HeadMaps:
        """The head."""
        ...

    @property
    def plates(self) -> Plates:
        """What stands behind it."""
        ...

    @property
    def camera(self) -> Camera:
        """The source view."""
        ...
