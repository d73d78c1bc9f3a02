"""The skull: a parametric full head in UV space, and its fit to one portrait."""

from avatar_engine.head.fit import LandmarkFit, LandmarkModel, Priors, fit_head, fit_landmarks
from avatar_engine.head.model import load_head_rig

__all__ = [
    "LandmarkFit",
    "LandmarkModel",
    "Priors",
    "fit_head",
    "fit_landmarks",
    "load_head_rig",
]
