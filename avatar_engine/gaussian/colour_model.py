"""Colour models and picture-guided smoothing, by which pixels find the class they look like."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


def softmax(energy: NDArray[np.floating]) -> NDArray[np.float32]:
    """Shares [..., K] from their logarithms."""
    e = np.exp(energy - _largest(energy)[..., None])
    return (e / _total(e)[..., None]).astype(np.float32)


# numpy is slow at short last axes.
def _largest(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.maximum.reduce([values[..., k] for k in range(values.shape[-1])])


def _total(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return values @ np.ones(values.shape[-1], values.dtype)


def guided(
    guide: NDArray[np.float32], values: NDArray[np.float32], radius: int
) -> NDArray[np.float32]:
    """Guided filter: smooth ``values`` where the guide is smooth."""
    box = lambda a: cv2.boxFilter(a, -1, (2 * radius + 1,) * 2)  # noqa: E731
    guide = guide.astype(np.float32)
    values = values.astype(np.float32)
    mean_g, mean_v = box(guide), box(values)
    slope = (box(guide * values) - mean_g * mean_v) / (box(guide * guide) - mean_g**2 + 4e-4)
    return np.clip(box(slope) * guide + box(mean_v - slope * mean_g), 0, 1)


@dataclass(frozen=True, slots=True)
class Mixture:
    """A few Gaussians in colour."""

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    precisions: NDArray[np.float64]
    log_norms: NDArray[np.float64]

    @classmethod
    def fitted(cls, samples: NDArray[np.floating], count: int) -> "Mixture":
        """Expectation-maximisation from means spread over lightness; deterministic."""
        x = samples[:: max(1, len(samples) // 2500)].astype(np.float64)
        order = np.argsort(x[:, 0])
        means = x[order[np.linspace(0, len(x) - 1, 2 * count + 1).astype(int)[1::2]]]
        products = (x[:, :, None] * x[:, None]).reshape(-1, 9)
        weights = np.full(count, 1 / count)
        spread = np.cov(x.T) + 4 * np.eye(3)
        covariances = np.repeat((spread / count)[None], count, 0)
        mixture = cls._made(weights, means, covariances)
        for _ in range(8):
            energy = mixture._log_each(x)
            share = np.exp(energy - _largest(energy)[..., None])
            share /= _total(share)[..., None]
            mass = share.sum(0) + 1e-3
            means = share.T @ x / mass[:, None]
            squares = (share.T @ products).reshape(-1, 3, 3) / mass[:, None, None]
            # The small mass added above keeps a little of the mean in an empty Gaussian.
            filled = (share.sum(0) / mass)[:, None, None]
            covariances = squares - (2 - filled) * means[:, :, None] * means[:, None]
            mixture = cls._made(mass / mass.sum(), means, covariances + 6 * np.eye(3))
        return mixture

    @classmethod
    def _made(cls, weights, means, covariances):  # type: ignore[no-untyped-def]
        log_norms = -0.5 * np.linalg.slogdet(covariances)[1]
        return cls(weights, means, np.linalg.inv(covariances), log_norms)

    def _log_each(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        # The quadratic forms multiplied out: one matrix product for all pixels and Gaussians.
        p, m = self.precisions, self.means
        pm = np.einsum("kij,kj->ki", p, m)
        table = np.stack(
            [
                p[:, 0, 0], p[:, 1, 1], p[:, 2, 2],
                2 * p[:, 0, 1], 2 * p[:, 0, 2], 2 * p[:, 1, 2],
                *(-2 * pm.T),
            ]
        )  # fmt: skip
        a, b, c = np.moveaxis(np.asarray(x, np.float64), -1, 0)
        terms = np.stack([a * a, b * b, c * c, a * b, a * c, b * c, a, b, c], -1)
        q = terms @ table + (pm * m).sum(1)
        return -0.5 * q + self.log_norms + np.log(self.weights)

    def log_density(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Logarithm of the density [...] (without constants), floored by an outlier's."""
        energy = self._log_each(x)
        top = _largest(energy)
        total = top + np.log(_total(np.exp(energy - top[..., None])))
        return np.maximum(total, -30.0)
