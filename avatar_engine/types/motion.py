"""Motion: what a face does, frame by frame."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


def _zeros(n: int) -> NDArray[np.float32]:
    return np.zeros(n, np.float32)


@dataclass(frozen=True, slots=True)
class FaceState:
    """One frame of Motion: what every renderer is asked to draw.

    Attributes:
        blendshapes: [52] weights in [0, 1], ARKit order, on top of the persona's rest expression.
        head_pose: [3] yaw, pitch, roll in radians about the neck pivot, relative to the source
            view; right-handed about +y (toward the subject's left), +x (down), +z
            (counter-clockwise as the viewer sees it).
        head_shift: [3] translation of the head in cm, world space.
        gaze: [2] yaw and pitch of both eyes in radians, relative to the head's source gaze; same
            signs as the head's.
        orbit: Camera azimuth about the head in radians; pi shows the back.
        corrections: [C] amounts of the persona's corrective modes, added to what its drivers
            infer from the expression: what was seen of a driving face besides. None adds nothing.
        torso: [2] translation of the whole figure, shoulders, neck and head, in cm to the
            picture's right and up; ``head_shift`` comes on top of it.
    """

    blendshapes: NDArray[np.float32] = field(default_factory=lambda: _zeros(52))
    head_pose: NDArray[np.float32] = field(default_factory=lambda: _zeros(3))
    head_shift: NDArray[np.float32] = field(default_factory=lambda: _zeros(3))
    gaze: NDArray[np.float32] = field(default_factory=lambda: _zeros(2))
    orbit: float = 0.0
    corrections: NDArray[np.float32] | None = None
    torso: NDArray[np.float32] = field(default_factory=lambda: _zeros(2))


@dataclass(frozen=True, slots=True)
class Motion:
    """T frames of motion at a constant rate.

    Attributes:
        blendshapes: [T, 52]; head_pose: [T, 3]; head_shift: [T, 3]; gaze: [T, 2] as in FaceState.
        fps: Frames per second.
        corrections: [T, C] as in FaceState, or None.
        torso: [T, 2] as in FaceState, or None: it stands still.
    """

    blendshapes: NDArray[np.float32]
    head_pose: NDArray[np.float32]
    head_shift: NDArray[np.float32]
    gaze: NDArray[np.float32]
    fps: float = 25.0
    corrections: NDArray[np.float32] | None = None
    torso: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.blendshapes)

    def __getitem__(self, t: int) -> FaceState:
        return FaceState(
            self.blendshapes[t],
            self.head_pose[t],
            self.head_shift[t],
            self.gaze[t],
            corrections=None if self.corrections is None else self.corrections[t],
            torso=_zeros(2) if self.torso is None else self.torso[t],
        )
