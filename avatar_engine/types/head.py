"""The parametric head and one person's fit of it."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Chart(IntEnum):
    """What a texel of the atlas belongs to; 0 is nothing."""

    EMPTY = 0
    SKIN = 1
    EYE = 2
    TEETH = 3
    GUM = 4
    TONGUE = 5
    CAVITY = 6
    HAIR = 7  # texels beyond the head's own atlas: a persona's hair volume


CHARTS: tuple[Chart, ...] = tuple(Chart)


@dataclass(frozen=True, slots=True)
class HeadRig:
    """The head model: maps over one left-right symmetric UV atlas. N = R * R, row-major.

    Flipping u maps a texel to its twin: texel (row, col) and (row, R - 1 - col). Columns
    >= R / 2 are the subject's left (x > 0).

    Attributes:
        resolution: R.
        chart: [R, R] uint8 of Chart.
        mean: [N, 3] float32, cm, head space.
        identity: [I, N, 3] float32 modes; coefficients are N(0, 1).
        expression: [52, N, 3] float32, ARKit order; linear deltas at weight 1.
        neck: [N] share of the head's rotation a texel follows (0 body, 1 head).
        jaw: [N] share of the jaw's motion.
        eye_centers: [2, 3] subject's left (x > 0), then right.
        eye_identity: [I, 2, 3] how identity moves them.
        eye_radius: cm.
        landmark_texels: [478, 4] int32 texels whose weighted sum is a landmark.
        landmark_weights: [478, 4], rows sum to one.
        landmark_distance: [478] cm by which a fitted face typically misses the landmark; rows
            above 0.35 are too loose for an exact warp.
    """

    resolution: int
    chart: NDArray[np.uint8]
    mean: NDArray[np.float32]
    identity: NDArray[np.float32]
    expression: NDArray[np.float32]
    neck: NDArray[np.float32]
    jaw: NDArray[np.float32]
    eye_centers: NDArray[np.float32]
    eye_identity: NDArray[np.float32]
    eye_radius: float
    landmark_texels: NDArray[np.int32]
    landmark_weights: NDArray[np.float32]
    landmark_distance: NDArray[np.float32]

    def landmarks(self, positions: NDArray[np.floating]) -> NDArray[np.float64]:
        """Landmarks [..., 478, 3] of maps [..., N, 3]."""
        picked = positions[..., self.landmark_texels, :]  # [..., 478, 4, 3]
        return np.einsum("...lkd,lk->...ld", picked, self.landmark_weights, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Camera:
    """Pinhole camera; x right, y down, z forward (OpenCV axes).

    Attributes:
        viewmat: [4, 4] world to camera. World: cm, x to the picture's right, y up, z toward the
            camera; its origin is the head model's origin in the source view.
        K: [3, 3] intrinsics in pixels; pixel centres at integer + 0.5.
        width, height: Of the picture.
    """

    viewmat: NDArray[np.float64]
    K: NDArray[np.float64]
    width: int
    height: int

    def project(self, world: NDArray[np.floating]) -> NDArray[np.float64]:
        """World points [..., 3] to (x px, y px, depth cm) [..., 3]."""
        cam = world @ self.viewmat[:3, :3].T + self.viewmat[:3, 3]
        xy = cam[..., :2] / cam[..., 2:] * np.diag(self.K)[:2] + self.K[:2, 2]
        return np.concatenate([xy, cam[..., 2:]], axis=-1)

    def framed(self, width: int, height: int) -> "Camera":
        """The same view filling another picture: scaled to cover it, centred, cropped."""
        scale = max(width / self.width, height / self.height)
        K = self.K.copy()
        K[:2] *= scale
        K[0, 2] += (width - scale * self.width) / 2
        K[1, 2] += (height - scale * self.height) / 2
        return Camera(self.viewmat, K, width, height)


@dataclass(frozen=True, slots=True)
class HeadFit:
    """One portrait explained by the head model.

    Attributes:
        identity: [I] coefficients, |a| <= 3.
        expression: [52] of the source photo, in [0, 1].
        placement: [3, 4] head space to world: rotation of the source pose, and translation.
        camera: The source view, at the portrait's pixels.
        residual_px: Mean landmark error in pixels of the portrait.
    """

    identity: NDArray[np.float64]
    expression: NDArray[np.float64]
    placement: NDArray[np.float64]
    camera: Camera
    residual_px: float
