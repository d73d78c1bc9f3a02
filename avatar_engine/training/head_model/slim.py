"""Flattening without folds: a Tutte embedding to start, SLIM to give every triangle its size.

SLIM (Rabinovich et al. 2017, "Scalable Locally Injective Mappings") minimises the symmetric
Dirichlet energy |J|² + |J⁻¹|² by reweighted least squares. The line search never passes the step
at which a first triangle would flip, so a start without folds ends without folds.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg

from avatar_engine.training.head_model.mesh import Floats, Ints, signed_areas

_ENOUGH = 2e-4  # relative gain of an iteration below which we stop


def tutte(triangles: Ints, placed: NDArray[np.bool_], positions: Floats) -> Floats:
    """Each free vertex in the middle of its neighbours.

    Args:
        triangles: A disc.
        placed: [V] whose positions stand; they must lie on a convex outline.
        positions: [V, 2].
    """
    count = len(positions)
    a = triangles.ravel()
    b = triangles[:, [1, 2, 0]].ravel()
    graph = sparse.coo_matrix((np.ones(len(a)), (a, b)), shape=(count, count)).tocsr()
    graph = ((graph + graph.T) > 0).astype(np.float64)
    laplacian = sparse.diags(np.asarray(graph.sum(1)).ravel()) - graph
    free = ~placed
    factors = linalg.splu(laplacian[free][:, free].tocsc())
    x = positions.copy()
    x[free] = factors.solve(-(laplacian[free][:, placed] @ positions[placed]))
    return x


def slim(
    start: Floats,
    triangles: Ints,
    wanted: Floats,
    weights: Floats,
    free: NDArray[np.bool_],
    *,
    iterations: int = 120,
) -> tuple[Floats, float]:
    """Flatten so that triangles come close to their wanted shapes.

    Args:
        start: [V, 2] without a flipped triangle.
        triangles: [T, 3], counter-clockwise in ``start``.
        wanted: [T, 3, 2] each triangle's wanted shape in its own frame.
        weights: [T] how much each counts.
        free: [V, 2] coordinates that may move.
        iterations: At most.

    Returns:
        Positions [V, 2], and the mean energy (4 is perfect).
    """
    grad_x, grad_y, area = _gradients(wanted, triangles, len(start))
    mass = area * weights
    unknown = np.concatenate([free[:, 0], free[:, 1]])
    x, energy = start, _energy(_jacobians(grad_x, grad_y, start), mass)
    for _ in range(iterations):
        system, target = _proxy(grad_x, grad_y, mass, _jacobians(grad_x, grad_y, x))
        flat = np.concatenate([x[:, 0], x[:, 1]])
        moving = system[:, unknown]
        right = moving.T @ (target - system[:, ~unknown] @ flat[~unknown])
        hessian = (moving.T @ moving + 1e-6 * sparse.identity(int(unknown.sum()))).tocsc()
        flat[unknown] = linalg.splu(hessian, permc_spec="MMD_AT_PLUS_A").solve(right)
        direction = np.stack([flat[: len(x)], flat[len(x) :]], 1) - x
        step = min(1.0, 0.8 * _longest_step(x, direction, triangles))
        reached = np.inf
        while step > 1e-9:
            reached = _energy(_jacobians(grad_x, grad_y, x + step * direction), mass)
            if reached < energy:
                break
            step /= 2
        if reached >= energy:
            break
        gain, x, energy = (energy - reached) / energy, x + step * direction, reached
        if gain < _ENOUGH:
            break
    return x, energy


def _gradients(
    wanted: Floats, triangles: Ints, count: int
) -> tuple[sparse.csr_matrix, sparse.csr_matrix, Floats]:
    """Operators [T, V] to the derivative along each triangle's own axes, and its area."""
    e1, e2 = wanted[:, 1] - wanted[:, 0], wanted[:, 2] - wanted[:, 0]
    twice = e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]
    gx = np.stack([e1[:, 1] - e2[:, 1], e2[:, 1], -e1[:, 1]], 1) / twice[:, None]
    gy = np.stack([e2[:, 0] - e1[:, 0], -e2[:, 0], e1[:, 0]], 1) / twice[:, None]
    rows, shape = np.repeat(np.arange(len(triangles)), 3), (len(triangles), count)
    return (
        sparse.csr_matrix((gx.ravel(), (rows, triangles.ravel())), shape),
        sparse.csr_matrix((gy.ravel(), (rows, triangles.ravel())), shape),
        np.abs(twice) / 2,
    )


def _jacobians(grad_x: sparse.csr_matrix, grad_y: sparse.csr_matrix, x: Floats) -> Floats:
    return np.stack([grad_x @ x, grad_y @ x], -1)  # [T, 2, 2]


def _energy(jacobians: Floats, mass: Floats) -> float:
    det = np.linalg.det(jacobians)
    if det.min() <= 0:
        return np.inf
    norm = (jacobians**2).sum((1, 2))
    return float((mass * (norm + norm / det**2)).sum() / mass.sum())


def _proxy(
    grad_x: sparse.csr_matrix, grad_y: sparse.csr_matrix, mass: Floats, jacobians: Floats
) -> tuple[sparse.csc_matrix, Floats]:
    """Least squares whose minimum improves on ``jacobians``: W (J - nearest rotation) -> 0."""
    left, sigma, right = np.linalg.svd(jacobians)
    rotation = left @ right
    sigma = np.maximum(sigma, 1e-4)
    flat = np.abs(sigma - 1) < 1e-3  # the quotient's limit at 1 is 4
    ratio = (sigma - sigma**-3) / np.where(flat, 1, sigma - 1)
    stretch = np.sqrt(np.where(flat, 4, ratio))
    weight = np.einsum("tij,tj,tkj->tik", left, stretch, left) * np.sqrt(mass)[:, None, None]
    blocks = [
        [sparse.diags(weight[:, i, k]) @ gradient for k in (0, 1)]
        for i in (0, 1)
        for gradient in (grad_x, grad_y)
    ]
    target = weight @ rotation
    return (
        sparse.bmat(blocks, format="csc"),
        np.concatenate([target[:, i, j] for i in (0, 1) for j in (0, 1)]),
    )


def _longest_step(x: Floats, direction: Floats, triangles: Ints) -> float:
    """The step at which the first triangle loses its area: smallest positive root of a parabola."""
    constant = signed_areas(x, triangles)
    quadratic = signed_areas(direction, triangles)
    linear = signed_areas(x + direction, triangles) - constant - quadratic
    root = np.sqrt(np.maximum(linear**2 - 4 * quadratic * constant, 0))
    real = linear**2 >= 4 * quadratic * constant
    curved = np.abs(quadratic) > 1e-12
    longest = np.inf
    with np.errstate(all="ignore"):
        for sign in (-1, 1):
            bent = (-linear + sign * root) / (2 * quadratic)
            step = np.where(curved, bent, -constant / linear)
            hit = step[real & (step > 0)]
            longest = min(longest, float(hit.min(initial=np.inf)))
    return longest
