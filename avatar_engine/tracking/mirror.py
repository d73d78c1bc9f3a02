"""The mirror: a driver's face beside the picture drawn after it, and what is seen otherwise there.

The network misreads a pose a little, by a face's light, brows or make-up. Drawn where it was read,
the face is misread in the same way once more; so the second reading, against the first, shows the
error of both. So does every landmark besides: lips drawn a little beside those that were read are
asked for a little to the other side. Both hold while the head stays where it is, and are forgotten
as the head turns. Lips go as one piece: how far they are apart is read differently behind other
teeth, and would be driven astray.
"""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.head import load_head_rig
from avatar_engine.head.fit import FACE_POINTS
from avatar_engine.head.view import FACE_MIDDLE, View
from avatar_engine.portrait.detection import detect_faces
from avatar_engine.portrait.landmarks import Face, find_landmarks, follow_landmarks
from avatar_engine.portrait.networks import Networks, default_networks
from avatar_engine.tracking.observation import Observation
from avatar_engine.tracking.retarget import angles_of, rotation_of
from avatar_engine.tracking.trust import LIPS, OUTLINE

_GAIN = 0.3  # of what a picture shows; more would follow the reading's noise
_FORGET_TURN = 0.05  # rad, over which what was learnt of the pose fades to a third
_FORGET_LANDMARKS_TURN = 0.1  # and of single landmarks
_LANDMARK_GAIN = 0.2  # a single landmark is read less surely than the pose of all
_LANDMARK_MEMORY = 0.97  # per picture: an expression goes, and what was learnt on it
_FARTHEST_CM = 0.3  # that a landmark may be asked beside where it is wanted
_STEADY_Y_CM = -2.2  # lower landmarks go with the mouth and say little of the pose
_BROW_Y_CM = 4.3
_BROW_TRUST = 0.5  # and of the forehead
_TURN_BELIEF_CM2 = 30.0  # per rad²: that the turn is right already; it looks much like a shift
_SURE = 0.5  # of a face


class Mirror:
    """Corrects what a persona is drawn by, for a driver who is the persona's own person.

    Not for several threads at once. Costs one look of the landmark network per picture.

    Args:
        networks: What looks; the shipped networks unless given.
    """

    def __init__(self, *, networks: Networks | None = None) -> None:
        self._networks = networks or default_networks()
        self._face: Face | None = None
        self._turn: NDArray[np.float64] | None = None
        # Yaw, pitch and roll in rad, right and down in cm, log of the scale.
        self._error = np.zeros(6)
        self._beside = np.zeros((FACE_POINTS, 3))
        self._trust = _steadiness()[:, None]
        self._one_piece = one_piece()

    @property
    def beside(self) -> NDArray[np.float64]:
        """How much farther than wanted landmarks are to be asked to go [468, 3], cm, head space."""
        return self._beside

    def corrected(self, seen: Observation) -> View:
        """The view to draw for the next picture of the driver; to be asked once for each."""
        turn = seen.view.turn
        if self._turn is not None:
            turned = float(np.linalg.norm(angles_of(turn @ self._turn.T)))
            self._error *= np.exp(-turned / _FORGET_TURN)
            self._beside *= np.exp(-turned / _FORGET_LANDMARKS_TURN) * _LANDMARK_MEMORY
        self._turn = turn
        return View(
            rotation_of(self._error[:3]) @ turn,
            seen.view.scale * float(np.exp(self._error[5])),
            seen.view.centre + seen.view.scale * np.array([*self._error[3:5], 0.0]),
        )

    def look(self, drawn: NDArray[np.uint8], seen: Observation) -> None:
        """Compare the drawn picture with what was seen.

        Args:
            drawn: [H, W, 3] uint8, framed as the driver's picture was.
            seen: What it was drawn for.
        """
        face = self._read(drawn)
        if face is None:
            return
        apart = (seen.landmarks[:FACE_POINTS, :2] - face.points[:FACE_POINTS, :2]) / seen.view.scale
        x, y, z = ((seen.shape - FACE_MIDDLE) @ seen.view.turn.T).T
        none, all_ = np.zeros(FACE_POINTS), np.ones(FACE_POINTS)
        # Where each unknown moves a landmark: to the right, and down.
        right = np.stack([z, none, -y, all_, none, x])
        down = np.stack([none, z, -x, none, all_, -y])
        moved = np.stack([right, down], -1)  # [6, 468, 2]
        J = (moved * self._trust).reshape(6, -1)
        belief = np.array([_TURN_BELIEF_CM2, _TURN_BELIEF_CM2, 1e-3, 1e-3, 1e-3, 1e-3])
        found = np.linalg.solve(J @ J.T + np.diag(belief), J @ (apart * self._trust).ravel())
        self._error += _GAIN * found
        besides = (apart - np.tensordot(found, moved, 1)) * [1, -1]
        more = _LANDMARK_GAIN * np.pad(besides, ((0, 0), (0, 1))) @ seen.view.turn
        more[list(LIPS)] = self._one_piece @ more[list(LIPS)]
        self._beside = np.clip(self._beside + more, -_FARTHEST_CM, _FARTHEST_CM)

    def _read(self, drawn: NDArray[np.uint8]) -> Face | None:
        face = self._face
        if face is not None:
            face = follow_landmarks(drawn, face, self._networks)
        else:
            detections = detect_faces(drawn, self._networks)
            if detections:
                largest = max(detections, key=lambda d: d.size)
                face = find_landmarks(drawn, largest, self._networks)
        self._face = face if face is not None and face.score >= _SURE else None
        return self._face


def one_piece() -> NDArray[np.float64]:
    """What makes displacements of the lips a move, a turn and a widening [80, 80]."""
    rig = load_head_rig()
    across = rig.landmarks(rig.mean)[list(LIPS), :1]
    along = np.concatenate([np.ones_like(across), across], 1)
    return np.asarray(along @ np.linalg.pinv(along), np.float64)


def _steadiness() -> NDArray[np.float64]:
    """What each landmark says of the pose [468]: outline and mouth nothing, brows half."""
    rig = load_head_rig()
    y = rig.landmarks(rig.mean)[:FACE_POINTS, 1]
    trust = np.where(y > _BROW_Y_CM, _BROW_TRUST, 1.0)
    trust[y < _STEADY_Y_CM] = 0.0
    trust[list(OUTLINE)] = 0.0
    return trust
