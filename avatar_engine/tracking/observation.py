"""What the tracker saw of a driving face in one picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.head.view import View


@dataclass(frozen=True, slots=True)
class Observation:
    """One face in one picture.

    Attributes:
        time_s: Of the picture.
        landmarks: [478, 3] pixels, as in ``Portrait.landmarks``.
        expression: [52] weights in [0, 1] that explain them, as this face makes them.
        view: Turn, scale and place of the head.
        gaze: [2] yaw and pitch of the eyes in the head, rad, as in ``FaceState``.
        openness: [2] subject's left and right: lid gap over eye width.
        score: Probability that this is a face, in [0, 1].
        error: Mean distance of the fitted landmarks over the distance of the outer eye corners.
        shape: [468, 3] cm in head space, the landmarks as seen: the fitted face's, moved across
            the line of sight to where the picture has them.
        left_over: [468, 3] cm of that what neither this face's bones nor the expression explain.
    """

    time_s: float
    landmarks: NDArray[np.float64]
    expression: NDArray[np.float64]
    view: View
    gaze: NDArray[np.float64]
    openness: NDArray[np.float64]
    score: float
    error: float
    shape: NDArray[np.float64]
    left_over: NDArray[np.float64]
