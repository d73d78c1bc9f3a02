"""Colour solve: with geometry fixed a picture is linear in colour, so the photo can be met.

Preconditioned conjugate gradients on the damped normal equations, with the renderer's own blend
weights.
"""

from dataclasses import replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from avatar_engine.device import compiled
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import distance
from avatar_engine.gaussian.source_view import SourceView
from avatar_engine.gaussian.ties import ties
from avatar_engine.types import Chart, HeadMaps, Plates

_DAMPING = 0.005
_INNER_DAMPING = 2.0  # else the solve draws the smile's teeth on the lips, a grid on the tongue
_STEP = 0.8
_HELD_BACK = 1.0  # pixels of light
_RIM_PX = 2.0


def solve_colors(
    s: Sculpture,
    maps: HeadMaps,
    plates: Plates,
    source: SourceView,
    reluctance: NDArray[np.float64],
    *,
    iterations: int = 14,
) -> HeadMaps:
    """The same maps with colours that re-render the photo in the source view.

    Args:
        s: The head.
        maps: Before the solve.
        plates: What shows through.
        source: Opened with these maps.
        reluctance: [M] how unwillingly each texel's colour moves; 0 where the photo shows it well,
            some 10 where it shows something else.
        iterations: Of conjugate gradients.
    """
    view = s.view
    weights, light = source.weights(maps.opacities)
    left = light.reshape(view.size, view.size)
    behind = composed_plate(plates, view.size)
    depth = distance(view.inside)
    rim = depth <= _RIM_PX
    mask = ((left < 0.7) & (depth > 0)) * np.where(rim, 0.5, 1.0)
    # Over our own background the rim is to have the person's own colours, not the photo's mixture.
    through = left[..., None]
    over = 0.5 * (view.clean * (1 - through) + behind * through + view.image)
    target = np.where(rim[..., None], over, view.image) - behind * through
    trust = (mask * mask).ravel().astype(np.float32)
    step = _conjugate_gradients(
        weights,
        trust,
        target.reshape(-1, 3) - weights @ maps.colors,
        _damping(s, reluctance),
        ties(s, len(maps.colors)),
        iterations,
    )
    step = np.clip(step, -_STEP, _STEP)
    return replace(maps, colors=np.clip(maps.colors + step, 0, 1).astype(np.float32))


def composed_plate(plates: Plates, size: int) -> NDArray[np.float32]:
    """Body over background [S, S, 3] in [0, 1] at a size."""
    body = plates.body.astype(np.float32) / 255
    cover = body[..., 3:]
    picture = plates.background.astype(np.float32) / 255 * (1 - cover) + body[..., :3] * cover
    if len(picture) != size:
        shrink = cv2.INTER_AREA if len(picture) > size else cv2.INTER_LINEAR
        picture = cv2.resize(picture, (size, size), interpolation=shrink)
    return picture.astype(np.float32)


def _damping(s: Sculpture, reluctance: NDArray[np.float64]) -> NDArray[np.float32]:
    damping = _DAMPING + reluctance
    inner = np.isin(s.chart, (Chart.GUM, Chart.TONGUE, Chart.CAVITY))
    inner |= s.regions.skin & (s.regions.lip_depth < 0.25)
    damping[: len(inner)][inner] += _INNER_DAMPING
    return damping.astype(np.float32)


def _conjugate_gradients(
    weights: csr_array,
    trust: NDArray[np.float32],
    residual: NDArray[np.float32],
    damping: NDArray[np.float32],
    tied: csr_array,
    iterations: int,
) -> NDArray[np.float32]:
    """Colour steps [M, 3] that take away the residual [P, 3].

    Pixels are trusted [P], texels damped [M], and tied to each other [M, M].
    The preconditioner knows how much light each texel sends. It is held back where that is little:
    what is hardly seen would otherwise take on any colour that serves a pixel.
    """
    matrix = weights.indptr, weights.indices, weights.data, trust
    gradient = weights.T @ (residual * trust[:, None])
    lit = (weights.data**2 * np.repeat(trust, np.diff(weights.indptr))).astype(np.float32)
    lit = np.bincount(weights.indices, lit, minlength=len(damping))
    ease = (1 / (lit + damping + tied.diagonal() + _HELD_BACK)).astype(np.float32)[:, None]
    x, r = np.zeros_like(gradient), gradient
    z = ease * r
    d = z.copy()
    rz = np.vdot(r, z)
    for _ in range(iterations):
        q = damping[:, None] * d + tied @ d
        _add_normal(*matrix, d, q)
        a = rz / max(np.vdot(d, q), 1e-20)
        x += a * d
        r -= a * q
        z = ease * r
        new = np.vdot(r, z)
        d *= new / max(rz, 1e-20)
        d += z
        rz = new
    return x


@partial(compiled, nogil=True, fastmath=True, error_model="numpy")
def _add_normal(starts, texels, weights, trust, v, out):  # type: ignore[no-untyped-def]
    """Add ``Wᵀ diag(trust) W v`` to [M, 3], row by row of W, so that W is read once."""
    for p in range(starts.shape[0] - 1):
        if trust[p] == 0:
            continue
        r, g, b = np.float32(0), np.float32(0), np.float32(0)
        for k in range(starts[p], starts[p + 1]):
            t, w = np.uint32(texels[k]), weights[k]
            r += w * v[t, 0]
            g += w * v[t, 1]
            b += w * v[t, 2]
        r, g, b = r * trust[p], g * trust[p], b * trust[p]
        for k in range(starts[p], starts[p + 1]):
            t, w = np.uint32(texels[k]), weights[k]
            out[t, 0] += w * r
            out[t, 1] += w * g
            out[t, 2] += w * b
