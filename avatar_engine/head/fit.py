"""Explains a portrait's landmarks by the head model: who it is, which face it makes, seen how.

Gauss-Newton on identity, expression and view together under a true pinhole camera; each step is an
exact bounded least squares. Identity is N(0, 1) beforehand, so a stranger stays a plausible person;
expression weights pay for being there at all, so opposite ones do not fight.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import ShapeError
from avatar_engine.head.bounded import Floats, minimise_bounded
from avatar_engine.head.view import POSE, View, first_view
from avatar_engine.types import ARKIT, HeadFit, HeadRig, Portrait

NOT_FITTED = ("eyeLook", "tongueOut", "cheekPuff", "jawForward")
"""Expressions that landmarks do not show, by the beginning of their names."""

FACE_POINTS = 468
"""Landmarks that are fitted; the irises follow the gaze, which the persona measures."""

_LONGEST_IDENTITY = 3.0
_DEPTH_WEIGHT = 0.3  # the network guesses depth
_LOOSE_WEIGHT, _LOOSE_CM = 0.3, 0.5  # landmarks that are not registered well
_ROUNDS, _STILL = 12, 1e-3


@dataclass(frozen=True)
class Priors:
    """What is believed before a face is seen; lengths weigh against misfits summed over landmarks.

    Attributes:
        identity: cm per standard deviation.
        expression: cm per unit of weight.
        presence: cm² that each unit of weight costs besides.
    """

    identity: float = 0.4
    expression: float = 0.8
    presence: float = 0.3


@dataclass(frozen=True)
class LandmarkModel:
    """The head model as its landmarks see it.

    Attributes:
        mean: [468, 3] cm.
        modes: [M, 468, 3] identity, then the fitted expressions.
        weights: [468, 3] trust in right, down and depth.
        identities: How many modes are identity.
        expressions: ARKit index of each of the rest.
        priors: See :class:`Priors`.
    """

    mean: Floats
    modes: Floats
    weights: Floats
    identities: int
    expressions: NDArray[np.intp]
    priors: Priors

    @classmethod
    def of(cls, rig: HeadRig, priors: Priors | None = None) -> "LandmarkModel":
        """The landmarks of a rig."""
        fitted = [k for k, name in enumerate(ARKIT) if not name.startswith(NOT_FITTED)]
        modes = [rig.landmarks(rig.identity), rig.landmarks(rig.expression[fitted])]
        weights = np.ones((FACE_POINTS, 3))
        weights[:, 2] = _DEPTH_WEIGHT
        weights[rig.landmark_distance[:FACE_POINTS] > _LOOSE_CM] *= _LOOSE_WEIGHT
        return cls(
            mean=rig.landmarks(rig.mean)[:FACE_POINTS],
            modes=np.concatenate(modes)[:, :FACE_POINTS],
            weights=weights,
            identities=len(rig.identity),
            expressions=np.array(fitted),
            priors=priors or Priors(),
        )

    def points(self, coefficients: Floats) -> Floats:
        """Landmarks [468, 3] in head space."""
        return self.mean + np.tensordot(coefficients, self.modes, 1)


@dataclass(frozen=True)
class LandmarkFit:
    """Coefficients [M] of a :class:`LandmarkModel`, and the view."""

    coefficients: Floats
    view: View


def fit_head(rig: HeadRig, portrait: Portrait) -> HeadFit:
    """Fit identity, expression, pose and camera to a portrait's landmarks.

    The camera stands 130 cm before the face and looks straight at it; focal length and principal
    point are free, as a crop's are.

    Args:
        rig: The head model.
        portrait: Its landmarks and picture size are used.

    Raises:
        ShapeError: The landmarks are not [478, 3].
    """
    model = LandmarkModel.of(rig)
    fit = fit_landmarks(model, portrait.landmarks)
    expression = np.zeros(len(ARKIT))
    expression[model.expressions] = fit.coefficients[model.identities :]
    found = fit.view.project(model.points(fit.coefficients))
    misfit = found[:, :2] - portrait.landmarks[:FACE_POINTS, :2]
    return HeadFit(
        identity=fit.coefficients[: model.identities],
        expression=expression,
        placement=fit.view.placement(),
        camera=fit.view.camera(portrait.image.shape[1], portrait.image.shape[0]),
        residual_px=float(np.linalg.norm(misfit, axis=1).mean()),
    )


def fit_landmarks(
    model: LandmarkModel, landmarks: NDArray[np.floating], start: LandmarkFit | None = None
) -> LandmarkFit:
    """Fit a model to landmarks.

    Args:
        model: What may move, and what is believed beforehand.
        landmarks: [478, 3] pixels right, down, and depth at the same scale (smaller is nearer).
        start: The fit of a similar picture (the frame before); saves rounds.

    Raises:
        ShapeError: The landmarks are not [478, 3].
    """
    if landmarks.shape != (478, 3):
        raise ShapeError(f"landmarks are {list(landmarks.shape)}, needed are [478, 3]")
    seen = landmarks[:FACE_POINTS].astype(np.float64)
    fit = start or LandmarkFit(np.zeros(len(model.modes)), first_view(model.mean, seen))
    low, high = _bounds(model)
    curvature, slope = _beliefs(model)
    for _ in range(_ROUNDS):
        points = model.points(fit.coefficients)
        misfit = (seen - fit.view.project(points)) / fit.view.scale * model.weights
        J = (fit.view.jacobian(points, model.modes) * model.weights).reshape(len(low), -1)
        # Unknown are the pose's change and the coefficients themselves, on which beliefs bear.
        before = np.concatenate([np.zeros(POSE), fit.coefficients])
        JJ = J @ J.T
        g = J @ misfit.ravel() + JJ @ before - slope
        after = minimise_bounded(JJ + np.diag(curvature), g, low, high, before)
        fit = LandmarkFit(after[POSE:], fit.view.changed(after[:POSE]))
        if np.abs(after - before).max() < _STILL:
            break
    return fit


def _bounds(model: LandmarkModel) -> tuple[Floats, Floats]:
    expressions = len(model.expressions)
    pose, identity = np.full(POSE, np.inf), np.full(model.identities, _LONGEST_IDENTITY)
    return (
        np.concatenate([-pose, -identity, np.zeros(expressions)]),
        np.concatenate([pose, identity, np.ones(expressions)]),
    )


def _beliefs(model: LandmarkModel) -> tuple[Floats, Floats]:
    """Curvature and slope of the priors' cost in each unknown."""
    sizes = [POSE, model.identities, len(model.expressions)]
    priors = model.priors
    curvature = np.repeat([1e-9, priors.identity**2, priors.expression**2], sizes)
    return curvature, np.repeat([0.0, 0.0, priors.presence], sizes)
