"""The tracker: one face followed through a video, explained by the head model frame by frame.

The same fit as a photo's, warm-started. While the first frames pass, identity is fitted with
everything else and averaged; then it is held, because a face does not change its bones, and what
is left to explain is expression, pose and gaze alone: the driver's shape cannot leak into them.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from avatar_engine.head import LandmarkFit, LandmarkModel, Priors, fit_landmarks, load_head_rig
from avatar_engine.head.fit import FACE_POINTS
from avatar_engine.portrait.detection import detect_faces
from avatar_engine.portrait.landmarks import (
    LEFT_LIDS,
    RIGHT_LIDS,
    Face,
    eye_openness,
    find_landmarks,
    follow_landmarks,
)
from avatar_engine.portrait.networks import Networks, default_networks
from avatar_engine.tracking.gaze import gaze_of
from avatar_engine.tracking.observation import Observation
from avatar_engine.tracking.trust import landmark_trust
from avatar_engine.types import ARKIT, HeadRig

IDENTITY_FRAMES = 12
"""Frames over which the driver's bones are averaged."""

_SURE = 0.5  # of a face, below which the tracker looks for one again
_LARGEST_ERROR = 0.16  # of the eye-corner distance: what was found is not this face
_SEARCH_EVERY_S = 0.2  # the detector costs more than following does
# A video says more often what a face does than one photo does: weights may answer more freely.
_PRIORS = Priors(identity=0.4, expression=0.5, presence=0.15)


@dataclass(frozen=True)
class _Bones:
    """What identity does to the face: the model without it, and the eyes."""

    model: LandmarkModel
    eye_centers: NDArray[np.float64]


class FaceTracker:
    """Follows the largest face of a video.

    Not for several threads at once. Costs about a tenth of a core at 25 pictures a second.

    Args:
        networks: What looks; the shipped networks unless given.
        identity_frames: Frames to learn the driver's bones from; 1 for a persona of this very
            first frame.
    """

    def __init__(
        self,
        *,
        networks: Networks | None = None,
        identity_frames: int = IDENTITY_FRAMES,
    ) -> None:
        self._networks = networks or default_networks()
        self._rig = _shared_rig()
        self._full = _full_model()
        self._identity_frames = max(1, identity_frames)
        self._identity = np.zeros(self._full.identities)
        self._learned = 0
        self._bones: _Bones | None = None
        self._fit: LandmarkFit | None = None
        self._face: Face | None = None
        self._searched_s = -np.inf

    @property
    def identity(self) -> NDArray[np.float64]:
        """The driver's identity coefficients [I] as learned so far."""
        return self._identity.copy()

    def track(self, picture: NDArray[np.uint8], time_s: float) -> Observation | None:
        """Look at the next picture.

        Args:
            picture: [H, W, 3] uint8 sRGB.
            time_s: When; should rise.

        Returns:
            What the face does, or None while there is none.
        """
        face = self._look(picture, time_s)
        if face is None:
            self._forget()
            return None
        points = face.points
        expression, fit = self._explain(points)
        shape, left_over, error = self._beyond(fit, points)
        if error > _LARGEST_ERROR:
            self._forget()
            return None
        self._face, self._fit = face, fit
        centers = self._eye_centers()
        return Observation(
            time_s=time_s,
            landmarks=points,
            expression=expression,
            view=fit.view,
            gaze=gaze_of(points, fit.view, centers, self._rig.eye_radius).mean(0),
            openness=np.array([eye_openness(points, LEFT_LIDS), eye_openness(points, RIGHT_LIDS)]),
            score=face.score,
            error=error,
            shape=shape,
            left_over=left_over,
        )

    def restart(self) -> None:
        """Forget the driver: another one is coming."""
        self._forget()
        self._learned = 0
        self._bones = None
        self._searched_s = -np.inf

    def _look(self, picture: NDArray[np.uint8], time_s: float) -> Face | None:
        if self._face is not None:
            face = follow_landmarks(picture, self._face, self._networks)
            if face.score >= _SURE and _is_inside(face, picture):
                return face
        elif time_s - self._searched_s < _SEARCH_EVERY_S and time_s >= self._searched_s:
            return None
        self._searched_s = time_s
        detections = detect_faces(picture, self._networks)
        if not detections:
            return None
        face = find_landmarks(picture, max(detections, key=lambda d: d.size), self._networks)
        return face if face.score >= _SURE else None

    def _explain(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], LandmarkFit]:
        """Expression [52], and the fit it comes from."""
        if self._learned < self._identity_frames:
            self._learn(points)
        assert self._bones is not None
        model = self._bones.model
        start = self._fit if self._fit and len(self._fit.coefficients) == len(model.modes) else None
        fit = fit_landmarks(model, points, start)
        expression = np.zeros(len(ARKIT))
        expression[model.expressions] = fit.coefficients
        return expression, fit

    def _beyond(
        self, fit: LandmarkFit, points: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """The landmarks in head space, what of them the fit leaves over, and its error."""
        assert self._bones is not None
        explained = self._bones.model.points(fit.coefficients)
        missed = points[:FACE_POINTS, :2] - fit.view.project(explained)[:, :2]
        size = float(np.linalg.norm(points[263, :2] - points[33, :2]))
        error = float(np.linalg.norm(missed, axis=1).mean()) / max(size, 1e-6)
        across = np.pad(missed * [1, -1] / fit.view.scale, ((0, 0), (0, 1)))
        left_over = across @ fit.view.turn
        return explained + left_over, left_over, error

    def _learn(self, points: NDArray[np.float64]) -> None:
        """One more look at the bones; looks from the front count most."""
        fit = fit_landmarks(self._full, points)
        found = fit.coefficients[: self._full.identities]
        self._learned += 1
        self._identity += (found - self._identity) / self._learned
        self._bones = self._with_identity(self._identity)

    def _with_identity(self, identity: NDArray[np.float64]) -> _Bones:
        full, count = self._full, self._full.identities
        model = replace(
            full,
            mean=full.mean + np.tensordot(identity, full.modes[:count], 1),
            modes=full.modes[count:],
            identities=0,
        )
        centers = self._rig.eye_centers + np.tensordot(identity, self._rig.eye_identity, 1)
        return _Bones(model, centers)

    def _eye_centers(self) -> NDArray[np.float64]:
        assert self._bones is not None
        return self._bones.eye_centers

    def _forget(self) -> None:
        self._face = self._fit = None


def _is_inside(face: Face, picture: NDArray[np.uint8]) -> bool:
    height, width = picture.shape[:2]
    x, y = face.centre
    return bool(0 <= x < width and 0 <= y < height and face.height > 24)


@lru_cache(maxsize=1)
def _shared_rig() -> HeadRig:
    return load_head_rig()


@lru_cache(maxsize=1)
def _full_model() -> LandmarkModel:
    model = LandmarkModel.of(_shared_rig(), _PRIORS)
    return replace(model, weights=model.weights * landmark_trust()[:, None])
