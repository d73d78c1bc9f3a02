import numpy as np
import pytest
from scipy.optimize import lsq_linear

from avatar_engine.head.bounded import minimise_bounded


@pytest.mark.parametrize("seed", range(8))
def test_it_finds_the_minimum_that_scipy_finds(seed: int):
    random = np.random.default_rng(seed)
    n = 40
    A = random.normal(size=(120, n)) * np.geomspace(1, 100, n)
    b = A @ random.uniform(-2, 2, n) + random.normal(size=120)
    low, high = np.full(n, -1.0), np.full(n, 0.7)
    low[:5], high[:5] = -np.inf, np.inf
    ours = minimise_bounded(A.T @ A, A.T @ b, low, high, np.zeros(n))
    theirs = lsq_linear(A, b, bounds=(low, high), method="bvls").x
    assert (ours >= low).all()
    assert (ours <= high).all()
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    # A start elsewhere does not matter: there is one minimum.
    start = random.uniform(-5, 5, n)
    np.testing.assert_allclose(
        minimise_bounded(A.T @ A, A.T @ b, low, high, start), ours, atol=1e-6
    )


def test_without_bounds_it_is_a_solve():
    H = np.array([[4.0, 1.0], [1.0, 3.0]])
    g = np.array([1.0, 2.0])
    free = np.full(2, np.inf)
    found = minimise_bounded(H, g, -free, free, np.zeros(2))
    np.testing.assert_allclose(found, np.linalg.solve(H, g))
