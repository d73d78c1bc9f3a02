"""One photo becomes one cached head: read, fitted, unwrapped by a persona's own first half."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from avatar_engine.gaussian.painting import PaintedHead, paint_head
from avatar_engine.gaussian.regions import Regions, regions_of
from avatar_engine.gaussian.residual import apply_residual
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import smoothstep
from avatar_engine.gaussian.view import view_of
from avatar_engine.head import fit_head
from avatar_engine.portrait import read_portrait
from avatar_engine.training.portraits.cached import CachedHead, as_bytes
from avatar_engine.training.portraits.coarse import CoarseGrid
from avatar_engine.types import HeadFit, HeadRig, Portrait

_SHARP_PX = 320
"""A crop smaller than this in its photo gives shapes only: its colours are too coarse to learn."""

_NEAR_CM = (0.6, 2.0)  # from a landmark, within which it speaks for the surface
_FACING = (0.1, 0.45)
_TIGHT_CM = 0.35


class Unwrapper:
    """Turns photos into cached heads; keeps what all of them share.

    Args:
        rig: The head model.
    """

    def __init__(self, rig: HeadRig) -> None:
        self.rig = rig
        self.regions: Regions = regions_of(rig)
        self.grid = CoarseGrid(rig, self.regions)
        marks = rig.landmarks(rig.mean)[:468][rig.landmark_distance[:468] < _TIGHT_CM]
        near, _ = cKDTree(marks).query(rig.mean)
        self._spoken = smoothstep(near, _NEAR_CM[1], _NEAR_CM[0]) * self.regions.skin

    def photo(self, path: Path) -> CachedHead:
        """The cached head of a photo.

        Raises:
            PhotoError: The photo cannot become a persona.
        """
        portrait = read_portrait(path)
        fit = fit_head(self.rig, portrait)
        if portrait.crop[2] < _SHARP_PX:
            return self._shape_only(portrait, fit)
        return self.painted(paint_head(self.rig, fit, portrait))

    def painted(self, head: PaintedHead) -> CachedHead:
        """The cached head of a painted one."""
        R, told = self.rig.resolution, head.seen_head()
        shown = told.seen > 0
        return CachedHead(
            **self._shape(head.s, head.linear_misfit),
            color=as_bytes(head.samples.color * shown[:, None]).reshape(R, R, 3),
            seen=as_bytes(told.seen).reshape(R, R),
            hairy=as_bytes(told.hairy).reshape(R, R),
            base=as_bytes(told.color).reshape(R, R, 3),
        )

    def _shape_only(self, portrait: Portrait, fit: HeadFit) -> CachedHead:
        view = view_of(portrait, fit.camera)
        s = Sculpture.started(self.rig, fit, view, self.regions)
        apply_residual(s)
        return CachedHead(**self._shape(s, s.offset + s.residual))

    def _shape(self, s: Sculpture, misfit: NDArray[np.float64]) -> dict[str, NDArray]:
        _, facing = s.normals(s.source_shape())
        spoken = self._spoken * smoothstep(facing, *_FACING)
        return {
            "residual": self.grid.of(misfit).astype(np.float16),
            "residual_seen": as_bytes(self.grid.of(spoken)),
            "positions": self.grid.of(s.straight_shape()).astype(np.float16),
            "source": s.source.astype(np.float16),
            "pose": pose_of(s.fit.placement[:, :3]),
        }


def pose_of(turn: NDArray[np.floating]) -> NDArray[np.float32]:
    """Yaw, pitch and roll [3] of a rotation [3, 3], as CONVENTIONS defines them."""
    pitch = np.arcsin(np.clip(-turn[1, 2], -1, 1))
    yaw = np.arctan2(turn[0, 2], turn[2, 2])
    roll = np.arctan2(turn[1, 0], turn[1, 1])
    return np.array([yaw, pitch, roll], np.float32)
