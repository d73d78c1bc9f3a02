"""A small convex quadratic between bounds, solved exactly."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDS = 60


def minimise_bounded(H: Floats, g: Floats, low: Floats, high: Floats, start: Floats) -> Floats:
    """Minimise ``x·H·x / 2 - g·x`` with ``low <= x <= high`` by projected Newton steps.

    A Newton step is taken in the unknowns that no bound holds, projected back, and shortened until
    it gains; it ends when the gradient points out of the box wherever a bound holds and vanishes
    elsewhere, which is the condition of the one minimum.

    Args:
        H: [n, n] positive definite.
        g: [n].
        low: [n], -inf where free.
        high: [n], inf where free.
        start: [n]; near the answer it saves rounds.
    """
    x = np.clip(start, low, high)
    tolerance = 1e-9 * max(1.0, float(np.abs(g).max()))
    for _ in range(_ROUNDS):
        gradient = H @ x - g
        held = ((x <= low) & (gradient > 0)) | ((x >= high) & (gradient < 0))
        free = ~held
        if np.abs(gradient[free]).max(initial=0) < tolerance:
            break
        newton = np.zeros_like(x)
        newton[free] = -np.linalg.solve(H[np.ix_(free, free)], gradient[free])
        step = 1.0
        while step > 1e-12:
            ahead = np.clip(x + step * newton, low, high)
            moved = ahead - x
            if moved @ (gradient + H @ moved / 2) < 0:
                break
            step /= 2
        else:
            break
        x = ahead
    return x
