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
from avatar_engine.gaussian.smooth import distance, fill
from avatar_engine.gaussian.view import View
from avatar_engine.types import Camera, Chart, HeadMaps, Plates

BlendWeights = Callable[[HeadMaps, Camera], tuple[csr_matrix, NDArray[np.floating]]]
"""Sparse weights [H * W, M] of the source view, and the light left over [H, W]."""

_DAMPING = 0.005
_UNSEEN_DAMPING = 0.5
_INNER_DAMPING = 4.0  # else the solve draws the smile's teeth on the lips, a grid on the tongue
_STEP = 0.5
_RIM_PX = 3


def solve_colors(
    s: Sculpture,
    maps: HeadMaps,
    plates: Plates,
    blend_weights: BlendWeights,
    trust: NDArray[np.float64],
    *,
    iterations: int = 60,
) -> HeadMaps:
    """The same maps with colours that re-render the photo in the source view.

    Args:
        s: The head.
        maps: Before the solve.
        plates: What shows through.
        blend_weights: Of the source view.
        trust: [N] in [0, 1], how well the photo shows each texel; the rest hardly moves.
        iterations: Of conjugate gradients.
    """
    view = s.view
    weights, left = blend_weights(maps, view.camera)
    behind = composed_plate(plates, view.size)
    depth = distance(view.inside)
    mask = ((left < 0.7) & (depth > 0)).astype(np.float32) * np.where(depth > _RIM_PX, 1.0, 0.5)
    target = _without_spill(view, behind, left, depth)
    mask, target = mask.reshape(-1, 1).astype(np.float32), target.reshape(-1, 3)
    A = csr_matrix(diags(mask[:, 0]) @ weights).astype(np.float32)
    start = maps.colors
    shown = target - behind.reshape(-1, 3) * left.reshape(-1, 1)
    residual = (shown * mask).astype(np.float32) - A @ start
    damping = _damping(s, trust, len(start))[:, None]
    transposed = csr_matrix(A.T)
    step = _conjugate_gradients(
        lambda v: transposed @ (A @ v) + damping * v, transposed @ residual, iterations
    )
    step = np.clip(step, -_STEP, _STEP)
    return replace(maps, colors=np.clip(start + step, 0, 1).astype(np.float32))


def _without_spill(
    view: View,
    behind: NDArray[np.float32],
    left: NDArray[np.floating],
    depth: NDArray[np.float32],
) -> NDArray[np.float32]:
    """The photo [S, S, 3], its rim repainted from further in over our own background.

    The photo's rim is half background; solved for as it is, the head would carry that along.
    """
    own = fill(
        view.image, (depth > _RIM_PX).astype(np.float32), sigmas=(1.0, 2.0, 4.0), on_atlas=False
    )
    light = np.asarray(left, np.float32)[..., None]
    rim = (depth <= _RIM_PX)[..., None]
    return np.where(rim, own * (1 - light) + behind * light, view.image)


def composed_plate(plates: Plates, size: int) -> NDArray[np.float32]:
    """Body over background [S, S, 3] in [0, 1] at a size."""
    body = plates.body.astype(np.float32) / 255
    cover = body[..., 3:]
    picture = plates.background.astype(np.float32) / 255 * (1 - cover) + body[..., :3] * cover
    if len(picture) != size:
        shrink = cv2.INTER_AREA if len(picture) > size else cv2.INTER_LINEAR
        picture = cv2.resize(picture, (size, size), interpolation=shrink)
    return picture


def _damping(s: Sculpture, trust: NDArray[np.float64], count: int) -> NDArray[np.float32]:
    damping = np.full(count, _DAMPING, np.float32)
    n = len(s.chart)
    unseen = np.where(s.regions.skin, 1 - np.clip(trust, 0, 1), 0)
    damping[:n] += (_UNSEEN_DAMPING * unseen).astype(np.float32)
    inner = np.isin(s.chart, (Chart.GUM, Chart.TONGUE, Chart.CAVITY))
    inner |= s.regions.skin & (s.regions.lip_depth < 0.25)
    damping[:n][inner] += _INNER_DAMPING
    return damping


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
