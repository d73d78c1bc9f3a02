"""A persona's landmarks brought to where a driving face has them.

The tracker explains a driver by the head model's straight lines. What it can say of a persona that
is made otherwise (lids that close farther, lips sealed by hand), and what no expression weight
says at all, stands in the landmarks themselves: small bounded least squares over the persona's own
modes read it there, once per picture.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avatar_engine.head.bounded import minimise_bounded
from avatar_engine.head.fit import FACE_POINTS, NOT_FITTED
from avatar_engine.tracking.trust import LOWER_RIM, UPPER_RIM, landmark_trust
from avatar_engine.types import ARKIT, FaceState, HeadMaps, HeadRig
from avatar_engine.types.maps import PLAIN_MODES

LARGEST_CORRECTION = 1.5
"""Amount of a corrective mode that a wrong landmark may reach."""

Missing = Callable[[FaceState, float], NDArray[np.floating]]
"""Of a state drawn with a share of the photo's residual: how far its landmarks still have to move
[468, 3], cm in head space."""

_LOOSE_CM, _LOOSE_TRUST = 0.5, 0.3  # landmarks that are not registered well
# Summed over landmarks, what one unit must explain. Mouths are read less surely than eyes.
_MOUTH_CM, _WEIGHT_CM, _RESIDUAL_CM, _CORRECTION_CM = 1.0, 0.6, 0.5, 0.6
_GAP_TRUST = 3.0  # both rims of the lips are misread alike: how far they are apart is sure
_DRIVEN_CM = 5 * _CORRECTION_CM  # portraits' landmarks ask for a fifth of such a mode's unit
_ROUNDS = 2  # lips and drivers of corrective modes are not linear
_EXPRESSIONS = len(ARKIT)
_RESIDUAL = PLAIN_MODES - 1


class Likeness:
    """One persona's landmarks and what moves them.

    Only across and up count, in head space: what a camera hardly shows is not corrected.

    Args:
        maps: The persona's head.
        rig: The head model, which knows where in the atlas landmarks are.
    """

    def __init__(self, maps: HeadMaps, rig: HeadRig) -> None:
        self._rest = np.asarray(maps.rest, np.float64)
        trust = np.where(rig.landmark_distance[:FACE_POINTS] > _LOOSE_CM, _LOOSE_TRUST, 1.0)
        self._trust = (trust * landmark_trust())[:, None]
        texels = rig.landmark_texels[:FACE_POINTS]
        shares = rig.landmark_weights[:FACE_POINTS]
        picked = maps.modes[:, texels, :2].astype(np.float64)
        modes = np.einsum("klcd,lc->kld", picked, shares)  # [53 + C, 468, 2]
        modes *= maps.mode_scales[:, None, None]
        modes[:_EXPRESSIONS][[name.startswith(NOT_FITTED) for name in ARKIT]] = 0
        self._modes = self._weighed(modes)
        self._count = len(modes) - PLAIN_MODES
        beliefs = [_MOUTH_CM if name.startswith(("mouth", "jaw")) else _WEIGHT_CM for name in ARKIT]
        self._drivers, self._source = maps.drivers, maps.source
        is_driven = maps.drivers.linear.any(1)
        beliefs += [_RESIDUAL_CM, *np.where(is_driven, _DRIVEN_CM, _CORRECTION_CM)]
        self._belief = np.square(beliefs)
        self._curvature = self._modes @ self._modes.T + np.diag(self._belief)

    @property
    def corrective_modes(self) -> int:
        """How many the persona has."""
        return self._count

    def matched(self, guess: FaceState, missing: Missing) -> tuple[FaceState, float]:
        """Weights and corrections that bring the landmarks where they are wanted.

        Args:
            guess: Nearly right, drawn with the photo's residual.
            missing: What a state lacks.

        Returns:
            The state, and the share of the photo's residual in [0, 1] to draw it with: what the
            photo's expression was besides its weights goes where that expression goes.
        """
        given = np.append(np.clip(self._rest + guess.blendshapes, 0.0, 1.0), 1.0)
        nothing, farthest = np.zeros(PLAIN_MODES), np.full(self._count, LARGEST_CORRECTION)
        least, most = np.append(nothing, -farthest), np.append(nothing + 1, farthest)
        found = np.append(given, self._undriven(given))
        for _ in range(_ROUNDS):
            state = self._state(guess, found)
            asked = self._asked(missing(state, float(found[_RESIDUAL]))[:, :2])
            undriven = self._undriven(found)
            believed, middle = np.append(given, undriven), np.append(nothing, undriven)
            step = minimise_bounded(
                self._curvature,
                asked + self._belief * (believed - found),
                middle + least - found,
                middle + most - found,
                np.zeros(len(found)),
            )
            found = np.clip(found + step, middle + least, middle + most)
        return self._state(guess, found), float(found[_RESIDUAL])

    def corrections(self, left: NDArray[np.floating]) -> NDArray[np.float64]:
        """Amounts [C] of the corrective modes for what a driver's weights leave over.

        Args:
            left: [468, 3] cm in head space, without what is the driver's own shape.
        """
        count = self.corrective_modes
        most = np.full(count, LARGEST_CORRECTION)
        return minimise_bounded(
            self._curvature[PLAIN_MODES:, PLAIN_MODES:],
            self._asked(left[:, :2])[PLAIN_MODES:],
            -most,
            most,
            np.zeros(count),
        )

    def _undriven(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Corrections [C] that hold the modes where the photo has them, whatever the expression.

        The tracker's weights explain a face by straight lines alone; what expressions bring on
        besides would be counted twice, and carry the weights' noise to the lips.
        """
        drivers = self._drivers
        return drivers.amounts(self._source) - drivers.amounts(weights[:_EXPRESSIONS])

    def _asked(self, moved: NDArray[np.floating]) -> NDArray[np.float64]:
        return self._modes @ self._weighed(moved)

    def _weighed(self, moved: NDArray[np.floating]) -> NDArray[np.float64]:
        """Displacements [..., 468, 2] as far as they are trusted, and the lips' gaps, [..., R]."""
        gaps = moved[..., UPPER_RIM, 1] - moved[..., LOWER_RIM, 1]
        flat = (moved * self._trust).reshape(*moved.shape[:-2], -1)
        return np.concatenate([flat, _GAP_TRUST * gaps], -1)

    def _state(self, guess: FaceState, found: NDArray[np.float64]) -> FaceState:
        return replace(
            guess,
            blendshapes=(found[:_EXPRESSIONS] - self._rest).astype(np.float32),
            corrections=found[PLAIN_MODES:].astype(np.float32) if self._count else None,
        )
