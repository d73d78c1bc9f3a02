"""Lids: at full blink the upper meets the lower, and shows skin, a crease and lashes."""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import blur_atlas, fill, mean_atlas, smoothstep
from avatar_engine.gaussian.unwrap import texel_area
from avatar_engine.types import ARKIT_INDEX

BLINKS = (ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"])
_UPPER_SHARE = 0.85
_OVERLAP_CM = 0.09
_IN_FRONT_CM = 0.08
_REACH_CM = 0.9  # from the edge of a lid, along which its skin gives way
_BESIDE_TEXELS = 4.0
_ROUNDS = 4  # lids slide on the ball, so the first tries fall short
_LID_TEXELS = 13.0  # from the edge to well below the brow
_SOFT_TEXELS = 2.0
_RING = 7.0, 22.0  # texels from the gap, where the skin around an eye lends its colour
_BROW = 0.97  # of the usual light about an eye: what is darker is hair, liner or a fold
_LIGHTEST = 1.04  # of the light under the eye
_SHADOW_SHARE, _SHADOW_MOST = 0.25, 5.0  # of eye shadow's colour kept; Lab
_CREASE = 0.15
_LASH_LIGHT = 0.46  # of the usual light about an eye, at most
_ROLLED_ROWS = 8


def folded_lids(s: Sculpture) -> NDArray[np.float64]:
    """[N] 1 where a lid lies folded in the photo and unfolds when the eye closes.

    What the photo shows there is lashes, liner and the crease; stretched over the closed lid they
    would make rings.
    """
    weights = s.rest.copy()
    weights[list(BLINKS)] = 1.0
    shown = texel_area(s, s.project(s.source_shape()))
    closed = texel_area(s, s.project(s.shape(weights)))
    unfolds = smoothstep(closed / np.maximum(shown, 0.02), 1.15, 1.6)
    distance = s.regions.lid_distance
    place = smoothstep(distance, _LID_TEXELS + 4, _LID_TEXELS - 2)
    # Next to the edge all is lashes, whether it stretches or not; the fold above fades with them.
    edge = smoothstep(distance, 11.0, 4.5)
    lids = np.where(s.regions.skin & s.regions.above_lids, np.maximum(unfolds, edge) * place, 0)
    under = smoothstep(distance, 6.5, 1.5)
    corner = smoothstep(distance, 10.0, 4.0) * (1 - _along_eye(s, 1.0, -1.0))
    under = np.where(s.regions.skin & ~s.regions.above_lids, np.maximum(under, corner), 0)
    R = s.rig.resolution
    whole = cv2.morphologyEx(
        np.maximum(lids, 0.8 * under).reshape(R, R).astype(np.float32),
        cv2.MORPH_CLOSE,
        np.ones((9, 9), np.uint8),
    )
    soft = mean_atlas(
        whole[..., None], s.regions.skin.reshape(R, R).astype(np.float32), _SOFT_TEXELS
    )
    return np.where(s.regions.skin, np.minimum(1.2 * soft.ravel(), 1), 0)


def closed_lids(
    s: Sculpture,
    color: NDArray[np.floating],
    folded: NDArray[np.float64],
    glasses: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Colours [N, 3] of closed lids: the skin around them, a crease, a shadow along the edge.

    Args:
        s: The head.
        color: [N, 3] of the open eyes.
        folded: [N] of :func:`folded_lids`.
        glasses: [N] of ``glasses.glasses_share``.
    """
    R = s.rig.resolution
    light = color.mean(1)
    distance = s.regions.lid_distance
    ring = s.regions.skin & (distance > _RING[0]) & (distance < _RING[1])
    bare = ring & (folded < 0.5) & (glasses < 0.3)
    bare = bare if bare.sum() > 60 else ring
    usual = float(np.percentile(light[bare], 70))
    clear = ring * (1 - folded) ** 2 * smoothstep(light, (_BROW - 0.2) * usual, _BROW * usual)
    clear *= (1 - glasses) ** 4
    clear *= 1 - 0.8 * smoothstep(light, 1.15 * usual, 1.4 * usual)
    weight = clear.astype(np.float32).reshape(R, R)
    around = fill(np.asarray(color).reshape(R, R, 3), weight, sigmas=(2.5, 5, 9, 16))
    closed = blur_atlas(around, 2.5).reshape(-1, 3).astype(np.float64)
    # Powder and lenses shine; a lid is hardly lighter than the skin under the eye.
    under = light[bare & ~s.regions.above_lids]
    most = _LIGHTEST * float(np.median(under)) if under.size > 30 else 1.0
    closed *= np.minimum(1, most / np.maximum(closed.mean(1, keepdims=True), 0.05))
    closed = _with_shadow(s, color, closed, folded, usual)
    # Lid skin is thin and lies in the socket: a little darker and redder than the brow's.
    closed = closed * [0.985, 0.97, 0.965]
    above = s.regions.skin & s.regions.above_lids
    ball = np.exp(-(((distance - 6.5) / 3.0) ** 2))  # the lid bulges over the eyeball
    crease = np.exp(-(((distance - 9.0) / 1.1) ** 2)) * _along_eye(s)
    closed *= np.where(above, 1 + 0.05 * ball - _CREASE * crease, 1)[:, None]
    return np.clip(closed, 0, 1)


def _with_shadow(
    s: Sculpture,
    color: NDArray[np.floating],
    closed: NDArray[np.float64],
    folded: NDArray[np.float64],
    usual: float,
) -> NDArray[np.float64]:
    """Colours [N, 3] of lids on which a little of the photo's eye shadow lies."""
    distance = s.regions.lid_distance
    worn = s.regions.skin & s.regions.above_lids & (folded > 0.6) & (distance > 5)
    worn &= color.mean(1) > 0.72 * usual
    if worn.sum() < 24:
        return closed
    lab = cv2.cvtColor(closed.astype(np.float32)[None], cv2.COLOR_RGB2LAB)[0]
    shown = cv2.cvtColor(np.clip(color[worn], 0, 1).astype(np.float32)[None], cv2.COLOR_RGB2LAB)[0]
    change = _SHADOW_SHARE * np.median(shown - lab[worn], 0)
    change = np.clip(change, -_SHADOW_MOST, _SHADOW_MOST) * [0.5, 1, 1]
    place = (s.regions.above_lids * smoothstep(distance, 14, 6))[:, None]
    soft = (lab + change * place).astype(np.float32)
    return cv2.cvtColor(soft[None], cv2.COLOR_LAB2RGB)[0].astype(np.float64)


def lid_depth_bias(s: Sculpture) -> NDArray[np.float64]:
    """[N] cm: the upper lid closes over the lower one."""
    upper = s.regions.skin & s.regions.above_lids
    return np.where(upper, -_IN_FRONT_CM * smoothstep(s.regions.lid_distance, 9, 4), 0)


def close_lids(s: Sculpture) -> None:
    """Bake correctives into the blink modes, and compensate them in the source view."""
    for eye, k in enumerate(BLINKS):
        weights = s.rest.copy()
        weights[k] = 1.0
        for _ in range(_ROUNDS):
            x = s.shape(weights)
            upper, lower = lid_edges(s, eye, x)
            meeting = x[lower][np.argsort(x[lower, 0])]
            gap = x[upper, 1] - np.interp(x[upper, 0], meeting[:, 0], meeting[:, 1]) + _OVERLAP_CM
            gap = np.convolve(np.pad(gap, 2, "edge"), [0.1, 0.2, 0.4, 0.2, 0.1], "valid")
            for edge, move, is_upper in (
                (upper, -_UPPER_SHARE * gap, True),
                (lower, (1 - _UPPER_SHARE) * gap, False),
            ):
                moved = _spread(s, x, edge, move, above=is_upper)
                s.blink[eye][:, 1] += moved / (1 - s.rest[k])
        s.residual -= (s.source[k] - s.rest[k]) * s.blink[eye]


def lid_edges(
    s: Sculpture, eye: int, x: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Texels along the visible edges of the upper and the lower lid, by column.

    Beyond its edge a lid rolls inward, to the eyeball.

    Args:
        s: The head.
        eye: 0 is the subject's left.
        x: [N, 3] the shape whose edges are wanted.
    """
    R = s.rig.resolution
    columns, first, last = slit(s, eye)
    steps = np.arange(_ROLLED_ROWS)[:, None]
    upper = (first - 1 - steps) * R + columns  # [rows, columns], away from the slit
    lower = (last + 1 + steps) * R + columns
    at = np.arange(len(columns))
    y = x[:, 1]
    return (
        upper[_even(y[upper].argmin(0)), at],
        lower[_even(y[lower].argmax(0)), at],
    )


def slit(s: Sculpture, eye: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Columns of the gap between an eye's lids, and its first and last row in each."""
    R = s.rig.resolution
    side = s.regions.left if eye == 0 else ~s.regions.left
    slit = ((s.regions.lid_distance == 0) & side).reshape(R, R)
    columns = np.nonzero(slit.any(0))[0]
    return columns, slit[:, columns].argmax(0), R - 1 - slit[::-1, columns].argmax(0)


def _even(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Row offsets along a lid without jumps."""
    padded = np.pad(rows, 2, "edge")
    return np.median(np.stack([padded[k : k + len(rows)] for k in range(5)]), 0).astype(np.intp)


def _spread(
    s: Sculpture,
    x: NDArray[np.float64],
    edge: NDArray[np.intp],
    move: NDArray[np.float64],
    *,
    above: bool,
) -> NDArray[np.float64]:
    """A lid edge's move [E] carried into the skin behind it: [N] cm."""
    R = s.rig.resolution
    columns = edge % R
    col = np.arange(R * R) % R
    near = s.regions.skin & (s.regions.above_lids == above) & (s.regions.lid_distance < 24)
    near &= (col > columns.min() - 3 * _BESIDE_TEXELS) & (col < columns.max() + 3 * _BESIDE_TEXELS)
    at = np.nonzero(near)[0]
    along = np.interp(col[at], columns, np.arange(len(edge)))
    position = np.stack([np.interp(along, np.arange(len(edge)), x[edge, c]) for c in range(3)], 1)
    behind = np.linalg.norm(x[at] - position, axis=1)
    beside = np.maximum(np.maximum(columns.min() - col[at], col[at] - columns.max()), 0)
    fade = smoothstep(behind, _REACH_CM, 0.05) * np.exp(-((beside / _BESIDE_TEXELS) ** 2))
    out = np.zeros(R * R)
    out[at] = np.interp(col[at], columns, move) * fade
    return out


def _along_eye(s: Sculpture, start: float = -1.0, full: float = 5.0) -> NDArray[np.float64]:
    """[N] 1 in the columns of an eye from ``full`` inside its corners, 0 before ``start``."""
    R = s.rig.resolution
    col = np.arange(R * R) % R
    out = np.zeros(R * R)
    for eye in (0, 1):
        columns, _, _ = slit(s, eye)
        inside = np.minimum(col - columns.min() + 2, columns.max() + 2 - col)
        out = np.maximum(out, smoothstep(inside, start, full))
    return out


def lash_tone(s: Sculpture, eye: int, color: NDArray[np.floating]) -> NDArray[np.float64]:
    """Colour [3] of an eye's lashes: as dark as the darkest the photo shows on its upper lid.

    Args:
        s: The head.
        eye: 0 is the subject's left.
        color: [N, 3] of the open eyes.
    """
    side = s.regions.left if eye == 0 else ~s.regions.left
    upper = s.regions.skin & s.regions.above_lids & side
    distance, light = s.regions.lid_distance, color.mean(1)
    usual = float(np.percentile(light[upper & (distance > _RING[0]) & (distance < _RING[1])], 70))
    shown = color[upper & (distance < 5.0)].astype(np.float64)
    dark = shown[shown.mean(1) <= np.percentile(shown.mean(1), 20)].mean(0)
    return np.asarray(np.minimum(dark, _LASH_LIGHT * usual))
