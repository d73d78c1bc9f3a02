"""Colour solve: with geometry fixed a picture is linear in colour, so the photo can be met.

Conjugate gradients on the damped normal equations, with the renderer's own blend weights.
"""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import distance
from avatar_engine.types import Camera, Chart, HeadMaps, Plates

BlendWeights = Callable[[HeadMaps, Camera], tuple[csr_matrix, NDArray[np.floating]]]
"""Sparse weights [H * W, M] of the source view, and the light left over [H, W]."""

_DAMPING = 0.005
_INNER_DAMPING = 2.0  # else the solve draws the smile's teeth on the lips, a grid on the tongue
_STEP = 0.8
_RIM_PX = 2.0


def solve_colors(
    s: Sculpture,
    maps: HeadMaps,
    plates: Plates,
    blend_weights: BlendWeights,
    reluctance: NDArray[np.float64],
    *,
    iterations: int = 45,
) -> HeadMaps:
    """The same maps with colours that re-render the photo in the source view.

    Args:
        s: The head.
        maps: Before the solve.
        plates: What shows through.
        blend_weights: Of the source view.
        reluctance: [M] how unwillingly each texel's colour moves; 0 where the photo shows it well,
            some 10 where it shows something else.
        iterations: Of conjugate gradients.
    """
    view = s.view
    weights, left = blend_weights(maps, view.camera)
    behind = composed_plate(plates, view.size)
    depth = distance(view.inside)
    rim = depth <= _RIM_PX
    mask = ((left < 0.7) & (depth > 0)) * np.where(rim, 0.5, 1.0)
    # Over our own background the rim is to have the person's own colours, not the photo's mixture.
    light = np.asarray(left, np.float32)[..., None]
    over = 0.5 * (view.clean * (1 - light) + behind * light + view.image)
    target = np.where(rim[..., None], over, view.image).reshape(-1, 3)
    mask = mask.reshape(-1, 1).astype(np.float32)
    A = csr_matrix(diags(mask[:, 0]) @ weights).astype(np.float32)
    start = maps.colors
    shown = target - behind.reshape(-1, 3) * left.reshape(-1, 1)
    residual = (shown * mask).astype(np.float32) - A @ start
    damping = _damping(s, reluctance)[:, None]
    transposed = csr_matrix(A.T)
    step = _conjugate_gradients(
        lambda v: transposed @ (A @ v) + damping * v, transposed @ residual, iterations
    )
    step = np.clip(step, -_STEP, _STEP)
    return replace(maps, colors=np.clip(start + step, 0, 1).astype(np.float32))


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
    apply: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    target: NDArray[np.float32],
    iterations: int,
) -> NDArray[np.float32]:
    """Solve apply(x) = target for each column [M, 3] at once."""
    x = np.zeros_like(target)
    r = target.copy()
    d = r.copy()
    rr = (r * r).sum(0)
    first = np.maximum(rr, 1e-20)
    for _ in range(iterations):
        if (rr / first < 1e-8).all():
            break
        q = apply(d)
        a = rr / np.maximum((d * q).sum(0), 1e-20)
        x += a * d
        r -= a * q
        new = (r * r).sum(0)
        d = r + new / np.maximum(rr, 1e-20) * d
        rr = new
    return x
