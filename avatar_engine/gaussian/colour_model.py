"""Colour models and picture-guided smoothing, by which pixels find the class they look like."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


def softmax(energy: NDArray[np.floating]) -> NDArray[np.float32]:
    """Shares [..., K] from their logarithms."""
    e = np.exp(energy - energy.max(-1, keepdims=True))
    return (e / e.sum(-1, keepdims=True)).astype(np.float32)


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
        weights = np.full(count, 1 / count)
        spread = np.cov(x.T) + 4 * np.eye(3)
        covariances = np.repeat((spread / count)[None], count, 0)
        mixture = cls._made(weights, means, covariances)
        for _ in range(8):
            energy = mixture._log_each(x)
            share = np.exp(energy - energy.max(1, keepdims=True))
            share /= share.sum(1, keepdims=True)
            mass = share.sum(0) + 1e-3
            means = share.T @ x / mass[:, None]
            d = x[:, None] - means[None]
            covariances = np.einsum("nk,nki,nkj->kij", share, d, d) / mass[:, None, None]
            mixture = cls._made(mass / mass.sum(), means, covariances + 6 * np.eye(3))
        return mixture

    @classmethod
    def _made(cls, weights, means, covariances):  # type: ignore[no-untyped-def]
        log_norms = -0.5 * np.linalg.slogdet(covariances)[1]
        return cls(weights, means, np.linalg.inv(covariances), log_norms)

    def _log_each(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        d = x[..., None, :] - self.means
        q = np.einsum("...ki,kij,...kj->...k", d, self.precisions, d, optimize=True)
        return -0.5 * q + self.log_norms + np.log(self.weights)

    def log_density(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Logarithm of the density [...] (without constants), floored by an outlier's."""
        energy = self._log_each(x)
        top = energy.max(-1)
        total = top + np.log(np.exp(energy - top[..., None]).sum(-1))
        return np.maximum(total, -30.0)
