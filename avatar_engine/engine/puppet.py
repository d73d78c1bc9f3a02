"""Another face's motion in place of one's own: eased in, eased out, and given up when it stops."""

import threading

import numpy as np

from avatar_engine.types import ARKIT, FaceState

EASE_S = 0.4
STALE_S = 1.0
"""A driver that sends nothing for so long is gone."""

_MOUTH = np.array([name.startswith(("jaw", "mouth", "tongue")) for name in ARKIT])


class Puppet:
    """Mixes a driver's faces into a performer's.

    Args:
        fps: Frames per second.
    """

    def __init__(self, fps: float) -> None:
        self._step = 1.0 / (EASE_S * fps)
        self._stale = max(1, round(STALE_S * fps))
        self._lock = threading.Lock()
        self._wanted: FaceState | None = None
        self._last = FaceState()
        self._age = 0
        self._share = 0.0

    def follow(self, state: FaceState | None) -> None:
        """Show this face from the next frame on; None gives the face back. From any thread."""
        with self._lock:
            self._wanted = state
            self._age = 0

    def face(self, own: FaceState, *, is_speaking: bool) -> FaceState:
        """The face of the next frame.

        Args:
            own: The performer's.
            is_speaking: While a line is spoken the mouth is its own; eyes, brows and head follow.
        """
        with self._lock:
            wanted = self._wanted
            self._age += 1
            if wanted is not None and self._age > self._stale:
                wanted = self._wanted = None
        if wanted is not None:
            self._last = wanted
            self._share = min(1.0, self._share + self._step)
        elif self._share > 0.0:
            self._share = max(0.0, self._share - self._step)
        if self._share == 0.0:
            return own
        share = np.float32(self._share**2 * (3.0 - 2.0 * self._share))
        theirs = self._last
        weights = own.blendshapes + share * (theirs.blendshapes - own.blendshapes)
        if is_speaking:
            weights = np.where(_MOUTH, own.blendshapes, weights)
        return FaceState(
            weights.astype(np.float32),
            own.head_pose + share * (theirs.head_pose - own.head_pose),
            own.head_shift + share * (theirs.head_shift - own.head_shift),
            own.gaze + share * (theirs.gaze - own.gaze),
            own.orbit,
            # What was seen of the driver's mouth would not suit lips that speak a line.
            corrections=None
            if is_speaking or theirs.corrections is None
            else share * theirs.corrections,
            torso=own.torso,  # a driver shows a face; the shoulders go on breathing
        )
