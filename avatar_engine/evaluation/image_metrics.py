"""How alike two pictures are: PSNR, SSIM, MS-SSIM, each over any region.

SSIM after Wang et al. 2004 (Gaussian window of 11 pixels, sigma 1.5), MS-SSIM after Wang et al.
2003 with its five weights; both on luma (BT.601) in [0, 255].
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SIGMA, _WINDOW = 1.5, 11
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two pictures compared over one region.

    Attributes:
        psnr: dB over RGB; 100 for equal pictures.
        ssim: Mean of the local SSIM.
        ms_ssim: Product over five scales; None where the region is too small for them.
    """

    psnr: float
    ssim: float
    ms_ssim: float | None


class Comparison:
    """Two pictures; whatever is asked about them is computed once.

    Args:
        a: [H, W, 3] uint8.
        b: Of the same size.
    """

    def __init__(self, a: NDArray[np.uint8], b: NDArray[np.uint8]) -> None:
        difference = a.astype(np.float64) - b
        self._squared = (difference**2).mean(-1)
        self._scales = _pyramid(a.astype(np.float64) @ _LUMA, b.astype(np.float64) @ _LUMA)

    def over(self, region: NDArray[np.floating] | None = None) -> Likeness:
        """Likeness over a region.

        Args:
            region: [H, W] weights; None is the whole picture.
        """
        weights = np.ones_like(self._squared) if region is None else np.asarray(region, np.float64)
        error = float((self._squared * weights).sum() / max(weights.sum(), 1e-9))
        psnr = 100.0 if error <= 1e-6 else min(100.0, 10 * np.log10(255**2 / error))
        luminance, structure = self._scales[0]
        ssim = _mean(luminance * structure, weights)
        product = 1.0
        for k, (share, (light, form)) in enumerate(zip(_SCALES, self._scales, strict=False)):
            if k:
                weights = cv2.resize(
                    weights, (light.shape[1], light.shape[0]), interpolation=cv2.INTER_AREA
                )
            value = _mean(light * form if k == len(_SCALES) - 1 else form, weights)
            product *= max(value, 0.0) ** share
        whole = len(self._scales) == len(_SCALES) and weights.sum() > 4
        return Likeness(float(psnr), ssim, product if whole else None)


def _pyramid(a: Floats, b: Floats) -> list[tuple[Floats, Floats]]:
    """Luminance and structure terms at up to five scales, while a window fits."""
    found = []
    for _ in _SCALES:
        if min(a.shape) < _WINDOW:
            break
        found.append(_terms(a, b))
        height, width = a.shape[0] // 2, a.shape[1] // 2
        a = cv2.resize(a[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
        b = cv2.resize(b[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    return found


def _terms(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    mean_a, mean_b = _blur(a), _blur(b)
    both = mean_a * mean_b
    spread = _blur(a * a) - mean_a**2 + _blur(b * b) - mean_b**2
    shared = _blur(a * b) - both
    luminance = (2 * both + _C1) / (mean_a**2 + mean_b**2 + _C1)
    return luminance, (2 * shared + _C2) / (spread + _C2)


def _blur(x: Floats) -> Floats:
    return np.asarray(
        cv2.GaussianBlur(x, (_WINDOW, _WINDOW), _SIGMA, borderType=cv2.BORDER_REFLECT), np.float64
    )


def _mean(values: Floats, weights: Floats) -> float:
    return float((values * weights).sum() / max(weights.sum(), 1e-9))
