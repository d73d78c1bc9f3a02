"""Ears put where the photo shows them.

The head model's ears ride on its skull. Where they miss the photo's, the cheek is painted with an
ear, and the ear with what is behind the head.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from avatar_engine.gaussian.light import Light
from avatar_engine.gaussian.masks import closed
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import Labels
from avatar_engine.gaussian.smooth import blur_atlas, fill, mean_atlas, smoothstep
from avatar_engine.gaussian.unwrap import Samples
from avatar_engine.shapes import grid_neighbours, surface_groups, tangents
from avatar_engine.types import LabelKind

_SPLAT_PX = 1.5  # a texel's own width
_TOP_Y, _ROOT_X = 4.0, 7.3  # cm on the mean head
_RIM_TEXELS = 1.5
_SURE = 0.5  # trust that needs no help
_SHOWN = 0.3
_LEAST = 0.006  # of the square over the face: less of an ear says nothing about its shape
_EDGES = (4, 96)  # percentiles
_ACROSS, _UPRIGHT = (0.45, 1.8), (0.7, 1.45)  # how much an ear may grow
_FARTHEST = 0.12  # face widths
_REACH = (2.2, 1.0)  # ear radii: how far around it the head gives way
_WIDE = 1.5
_RELIEF = 4.0  # texels
_HOLLOW, _SHADE = np.array([1.3, 1.8, 1.8]), (-0.6, 0.12)  # log colour per cm; its range


def fit_ears(s: Sculpture, labels: Labels) -> tuple[bool, bool]:
    """Move and scale each ear onto the photo's; returns which were found (left, right).

    Args:
        s: The head.
        labels: Of the photo.
    """
    if labels.kinds is None:
        return False, False
    ear = (labels.kinds[..., LabelKind.EAR] > _SHOWN) & (s.view.matte > _SHOWN)
    sides = (s.regions.left, ~s.regions.left)
    return _fit(s, ear, sides[0]), _fit(s, ear, sides[1])


def _fit(s: Sculpture, shown: NDArray[np.bool_], side: NDArray[np.bool_]) -> bool:
    view = s.view
    x = s.source_shape()
    p = s.project(x)
    texels = auricle(s) & side
    have = view.face_frame(p[texels, :2])
    outward = np.sign(have[:, 0].mean())
    yy, xx = np.nonzero(_largest(shown, s, outward))
    if len(xx) < _LEAST * view.face_width**2:
        return False
    want = view.face_frame(np.stack([xx, yy], 1) + 0.5)
    have_low, have_high = np.percentile(np.abs(have), _EDGES, 0)
    want_low, want_high = np.percentile(np.abs(want), _EDGES, 0)
    want_high[0] -= _SPLAT_PX / view.face_width
    want_low[0] = have_low[0]  # where the ear begins is hidden by the cheek
    middle = (have_low + have_high) / 2
    limits = np.array([_ACROSS, _UPRIGHT]).T
    scale = np.clip((want_high - want_low) / np.maximum(have_high - have_low, 1e-3), *limits)
    target = (want_low + want_high) / 2
    target[0] = want_high[0] - scale[0] * (have_high[0] - have_low[0]) / 2
    shift = np.clip(target - middle, -_FARTHEST, _FARTHEST)
    sign = np.array([outward, 1.0])
    at = view.face_frame(p[:, :2])
    moved = (at - sign * middle) * (scale - 1) + sign * shift
    near = _around(s, texels) * side
    s.offset += s.lift(_in_pixels(s, moved) * near[:, None], p[:, 2])
    depth = x[:, 2] - x[texels, 2].mean()
    s.offset[:, 2] += near * depth * (scale[1] - 1)
    return True


def bare_ears_skin(
    s: Sculpture,
    samples: Samples,
    light: Light,
    found: tuple[bool, bool],
    fused: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Colours [N, 3] and trust [N] in which bare ears are skin where nothing shows them.

    Args:
        s: The head.
        samples: Of the photo.
        light: On the skin.
        found: By :func:`fit_ears`.
        fused: Colours and trust of both sides together.
    """
    color, trust = fused
    R = s.rig.resolution
    bare = s.regions.skin & (samples.hairy < 0.3) & (s.regions.scalp < 0.1)
    sure = np.clip(trust, 0, 1) * bare * (trust > _SURE)
    skin = fill(light.without(color).reshape(R, R, 3), sure.reshape(R, R)).reshape(-1, 3)
    side = np.where(s.regions.left, found[0], found[1])
    here = blur_atlas(auricle(s).reshape(R, R).astype(np.float32), _RIM_TEXELS).ravel()
    lent = np.minimum(2 * here, 1) * side * np.clip(_SURE - trust, 0, None)
    total = np.maximum(trust + lent, 1e-6)[:, None]
    mixed = (color * trust[:, None] + light.onto(skin) * lent[:, None]) / total
    return np.where(lent[:, None] > 0, mixed, color), trust + lent


def shaded_ears(
    s: Sculpture, samples: Samples, found: tuple[bool, bool], color: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Colours [N, 3] in which bare ears that neither side shows have an ear's hollows.

    Args:
        s: The head.
        samples: Of the photo.
        found: By :func:`fit_ears`.
        color: [N, 3], ears filled with skin.
    """
    R = s.rig.resolution
    seen = np.maximum(samples.weight, samples.weight[s.regions.twin]) * s.regions.skin
    unseen = 1 - np.clip(_WIDE * blur_atlas(seen.reshape(R, R), _RIM_TEXELS).ravel(), 0, 1)
    side = np.where(s.regions.left, found[0], found[1])
    share = (unseen * side * s.regions.ear_weight)[:, None]
    light = np.clip(_relief(s)[:, None] * _HOLLOW, *_SHADE)
    return np.where(share > 0, color * np.exp(share * light), color)


def _relief(s: Sculpture) -> NDArray[np.float64]:
    """[N] cm by which the mean head rises over its own surroundings; negative in hollows."""
    R = s.rig.resolution
    x = s.rig.mean.astype(np.float64).reshape(R, R, 3)
    tu, tv = tangents(x, grid_neighbours(surface_groups(s.rig.chart)))
    normal = np.cross(tv, tu) * s.regions.skin_winding
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
    skin = s.regions.skin.reshape(R, R).astype(np.float32)
    low, outward = np.split(mean_atlas(np.concatenate([x, normal], -1), skin, _RELIEF), 2, -1)
    return np.asarray(((x - low) * outward).sum(-1).ravel(), np.float64)


def auricle(s: Sculpture) -> NDArray[np.bool_]:
    """[N] the ears without the skull around them."""
    x, y, _ = s.rig.mean.T
    return s.regions.ear & (y < _TOP_Y) & (np.abs(x) > _ROOT_X)


def _largest(shown: NDArray[np.bool_], s: Sculpture, outward: float) -> NDArray[np.bool_]:
    """The largest piece of ear on one side of the face."""
    across = s.view.frame()[..., 0]
    parts, count = label(closed(shown & (across * outward > 0), 2))
    if not count:
        return np.zeros_like(shown)
    return parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])


def _around(s: Sculpture, texels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[N] 1 on the ear, falling off over the head around it."""
    mean = s.rig.mean.astype(np.float64)
    centre = mean[texels].mean(0)
    away = np.linalg.norm(mean - centre, axis=1)
    radius = np.percentile(away[texels], 95)
    return smoothstep(away / radius, *_REACH) * s.regions.skin


def _in_pixels(s: Sculpture, frame: NDArray[np.float64]) -> NDArray[np.float64]:
    """A displacement [N, 2] in the face's frame, in pixels."""
    marks = s.view.landmarks
    up = marks[10] - marks[152]
    up = up / np.linalg.norm(up)
    across = np.array([-up[1], up[0]])
    return frame[:, :1] * across * s.view.face_width + frame[:, 1:] * up * s.view.face_height
