"""A persona's landmarks brought to where a driving face has them.

The tracker explains a driver by the head model's straight lines. What it can say of a persona that
is made otherwise (lids that close farther, lips sealed by hand), and what no expression weight
says at all, stands in the landmarks themselves: small bounded least squares over the persona's own
modes read it there, once per picture.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avatar_engine.head.bounded import minimise_bounded
from avatar_engine.head.fit import FACE_POINTS, NOT_FITTED
from avatar_engine.types import ARKIT, FaceState, HeadMaps, HeadRig

LARGEST_CORRECTION = 1.5
"""Amount of a corrective mode that a wrong landmark may reach."""

_LOOSE_CM, _LOOSE_TRUST = 0.5, 0.3  # landmarks that are not registered well
_WEIGHT_CM, _CORRECTION_CM = 0.4, 0.6  # summed over landmarks, what one unit must explain
_EXPRESSIONS = len(ARKIT)


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
        self._trust = np.stack([trust, trust], 1)  # [468, 2]
        texels = rig.landmark_texels[:FACE_POINTS]
        shares = rig.landmark_weights[:FACE_POINTS]
        picked = maps.modes[:, texels, :2].astype(np.float64)
        modes = np.einsum("klcd,lc->kld", picked, shares)  # [53 + C, 468, 2]
        modes *= maps.mode_scales[:, None, None]
        modes[: len(ARKIT)][[name.startswith(NOT_FITTED) for name in ARKIT]] = 0
        free = np.delete(modes, len(ARKIT), 0)  # the source residual is nobody's expression
        self._free = (free * self._trust).reshape(len(free), -1)
        self._count = len(free) - _EXPRESSIONS
        beliefs = np.repeat([_WEIGHT_CM, _CORRECTION_CM], [_EXPRESSIONS, self._count])
        self._curvature = self._free @ self._free.T + np.diag(beliefs**2)

    @property
    def corrective_modes(self) -> int:
        """How many the persona has."""
        return self._count

    def matched(self, state: FaceState, missing: NDArray[np.floating]) -> FaceState:
        """The state with weights and corrections that bring the landmarks where they are wanted.

        Args:
            state: Nearly right.
            missing: [468, 3] cm in head space, how far the landmarks still have to move.
        """
        weights = np.clip(self._rest + state.blendshapes, 0.0, 1.0)
        most = np.full(self.corrective_modes, LARGEST_CORRECTION)
        found = minimise_bounded(
            self._curvature,
            self._asked(missing[:, :2]),
            np.concatenate([-weights, -most]),
            np.concatenate([1.0 - weights, most]),
            np.zeros(len(self._curvature)),
        )
        change, corrections = found[:_EXPRESSIONS], found[_EXPRESSIONS:]
        return replace(
            state,
            blendshapes=(weights + change - self._rest).astype(np.float32),
            corrections=corrections.astype(np.float32) if corrections.size else None,
        )

    def corrections(self, left: NDArray[np.floating]) -> NDArray[np.float64]:
        """Amounts [C] of the corrective modes for what a driver's weights leave over.

        Args:
            left: [468, 3] cm in head space, without what is the driver's own shape.
        """
        count = self.corrective_modes
        most = np.full(count, LARGEST_CORRECTION)
        return minimise_bounded(
            self._curvature[_EXPRESSIONS:, _EXPRESSIONS:],
            self._asked(left[:, :2])[_EXPRESSIONS:],
            -most,
            most,
            np.zeros(count),
        )

    def _asked(self, moved: NDArray[np.floating]) -> NDArray[np.float64]:
        return self._free @ (moved * self._trust).ravel()
