"""Where a persona's own landmarks stand in the picture that is drawn of it."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.head import load_head_rig
from avatar_engine.render.joints import expression_weights, joint_blend, joint_matrices
from avatar_engine.types import Camera, FaceState, HeadMaps

_FACE_POINTS = 468


class PosedLandmarks:
    """The face's landmarks on one persona's maps.

    Args:
        maps: The persona's head.
        camera: Framed to the picture.
    """

    def __init__(self, maps: HeadMaps, camera: Camera) -> None:
        rig = load_head_rig()
        texels = rig.landmark_texels[:_FACE_POINTS]
        self._shares = rig.landmark_weights[:_FACE_POINTS].astype(np.float64)
        self._maps, self._camera = maps, camera
        self._still = self._mean(maps.positions[texels])  # [468, 3]
        self._modes = self._mean(maps.modes[:, texels]) * maps.mode_scales[:, None, None]
        self._joints = self._mean(joint_blend(maps.head_weight)[texels])  # [468, 3]

    def missing(
        self, state: FaceState, seen: NDArray[np.floating], residual: float = 1.0
    ) -> NDArray[np.float64]:
        """How far landmarks would have to move [468, 3] cm, in head space, to be where seen.

        Args:
            state: What is drawn.
            seen: [468+, 2+] pixels.
            residual: Share of the photo's residual that it is drawn with.
        """
        weights = expression_weights(self._maps, state, residual)
        surface = self._still + np.tensordot(weights, self._modes, 1)
        joints = joint_matrices(self._maps, self._camera, state)
        by_joint = np.einsum("jck,lk->ljc", joints[..., :3], surface) + joints[..., 3]
        view = np.einsum("lj,ljc->lc", self._joints, by_joint)  # camera axes, cm
        focal, centre = np.diag(self._camera.K)[:2], self._camera.K[:2, 2]
        drawn = view[:, :2] / view[:, 2:] * focal + centre
        across = (np.asarray(seen, np.float64)[:_FACE_POINTS, :2] - drawn) * view[:, 2:] / focal
        return np.asarray(np.pad(across, ((0, 0), (0, 1))) @ joints[-1, :, :3])

    def _mean(self, corners: NDArray[np.generic]) -> NDArray[np.float64]:
        """Of values at the corners [..., 468, 4, D]."""
        return np.einsum("...lcd,lc->...ld", corners.astype(np.float64), self._shares)
