"""Corrects the registration by what the landmark network really marks on photos of many people.

Two faces of different make never agree on where a brow or a jaw line begins. What remains, on
average over many people, after the model has been fitted to their landmarks, is that disagreement;
the landmarks are moved by it along the skin, and fitted again.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import PhotoError
from avatar_engine.head.fit import FACE_POINTS, LandmarkModel, Priors, fit_landmarks
from avatar_engine.portrait import read_portrait
from avatar_engine.training.head_model.contours import OUTER_EYE_CORNERS
from avatar_engine.training.head_model.landmarks import Registration, Skin, shifted
from avatar_engine.training.head_model.mesh import Floats
from avatar_engine.types import HeadRig

_ROUNDS = 6
# A persona must not be bent to eye corners that the network sets too far inside.
_NOT_EXACT_CM = 0.4
# Stiff in expression: else a wrinkled nose would explain a landmark that is set too low.
_PRIORS = Priors(identity=0.7, expression=2.4, presence=0.5)


def read_landmarks(photos: Sequence[Path], progress: Callable[[], None]) -> list[Floats]:
    """Landmarks [478, 3] of every photo that shows one usable face."""
    found = []
    for path in photos:
        try:
            found.append(read_portrait(path).landmarks.astype(np.float64))
        except PhotoError:
            continue
        finally:
            progress()
    return found


def refine(
    with_registration: Callable[[Registration], HeadRig],
    skin: Skin,
    start: Registration,
    people: Sequence[NDArray[np.floating]],
) -> tuple[Registration, list[float]]:
    """Move landmarks to where the network marks them.

    Args:
        with_registration: The rig with a registration put in.
        skin: Where landmarks may lie.
        start: What to improve.
        people: Landmarks [478, 3] of each photo.

    Returns:
        The registration, its ``distance`` now the root mean square misfit in the picture plane,
        and the mean misfit in mm before each round and after the last.
    """
    where = start
    misfit = _misfit(with_registration(where), people)
    history = [_mean_mm(misfit)]
    for _ in range(_ROUNDS):
        where = shifted(skin, where, misfit.mean(0))
        misfit = _misfit(with_registration(where), people)
        history.append(_mean_mm(misfit))
    distance = np.sqrt((misfit**2).sum(-1).mean(0))
    distance = (distance + distance[where.twin]) / 2
    corners = list(OUTER_EYE_CORNERS)
    distance[corners] = np.maximum(distance[corners], _NOT_EXACT_CM)
    return replace(where, distance=distance), history


def _misfit(rig: HeadRig, people: Sequence[NDArray[np.floating]]) -> Floats:
    """From the fitted to the marked places [B, 468, 3], in the picture plane, cm in head space."""
    model = LandmarkModel.of(rig, _PRIORS)
    found = []
    for landmarks in people:
        fit = fit_landmarks(model, landmarks)
        marked = landmarks[:FACE_POINTS] - fit.view.project(model.points(fit.coefficients))
        found.append(marked / fit.view.scale * [1, -1, 0] @ fit.view.turn)
    return np.array(found)


def _mean_mm(misfit: Floats) -> float:
    return 10 * float(np.linalg.norm(misfit, axis=-1).mean())
