"""The photo, brought into the atlas: a colour for each texel and how far it can be trusted."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sampling import sample
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import BACKGROUND, CLOTH, HAIR, SKIN, Labels
from avatar_engine.gaussian.smooth import blur_atlas, distance, smoothstep
from avatar_engine.gaussian.zbuffer import Nearest
from avatar_engine.shapes import grid_neighbours, surface_groups, tangents

INNER_LIPS = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
INNER_LIPS += [324, 318, 402, 317, 14, 87, 178, 88, 95]
LEFT_EYE = [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466]
RIGHT_EYE = [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246]
UPPER_LOWER_LIP = [(80, 88), (81, 178), (82, 87), (13, 14), (312, 317), (311, 402), (310, 318)]
_BEHIND_CM = 0.3  # a texel this far behind the nearest surface is hidden


@dataclass(frozen=True, slots=True)
class Samples:
    """What the photo says about each texel (N of them).

    Attributes:
        color: [N, 3] sRGB under the texel.
        weight: [N] in [0, 1], trusted as texture.
        tone: [N] in [0, 1], trusted as a tone only (grazing view).
        allowed: [N] in [0, 1], the photo shows a class that belongs there.
        apart: [N] in [0, 1], the same, and nothing foreign close by where it could be a collar.
        facing: [N] cosine between normal and ray to the camera.
        visible: [N] bool, nothing in front.
        clothed: [N] in [0, 1], the photo shows clothing there.
        hairy: [N] in [0, 1], the photo shows hair there.
        bare: [N] in [0, 1], the photo shows skin there.
        pixels: (row, column) [N] each, of the pixel under the texel.
        mouth_open_px: Gap between the lips in the photo.
    """

    color: NDArray[np.float64]
    weight: NDArray[np.float64]
    tone: NDArray[np.float64]
    allowed: NDArray[np.float64]
    apart: NDArray[np.float64]
    facing: NDArray[np.float64]
    visible: NDArray[np.bool_]
    clothed: NDArray[np.float64]
    hairy: NDArray[np.float64]
    bare: NDArray[np.float64]
    pixels: tuple[NDArray[np.int64], NDArray[np.int64]]
    mouth_open_px: float


def unwrap(s: Sculpture, labels: Labels, front: Nearest) -> Samples:
    """Sample the photo at every texel of the fitted, carved head."""
    view, regions = s.view, s.regions
    size, R = view.size, s.rig.resolution
    x = s.source_shape()
    p = s.project(x)
    _, facing = s.normals(x)
    col = np.clip(p[:, 0].astype(np.int64), 0, size - 1)
    row = np.clip(p[:, 1].astype(np.int64), 0, size - 1)
    inside = (p[:, :2] > 1).all(1) & (p[:, :2] < size - 2).all(1)
    visible = inside & (p[:, 2] < front.depth[row, col] + _BEHIND_CM)
    color = sample(view.clean, p)
    share = sample(labels.share, p)
    near = cv2.erode(labels.share[..., SKIN], np.ones((5, 5), np.uint8))
    depth_in_matte = sample(distance(view.inside), p)
    foreign = cv2.dilate(
        labels.share[..., BACKGROUND] + labels.share[..., CLOTH], np.ones((5, 5), np.uint8)
    )
    allowed = _allowed(s, share, sample(near, p), facing)
    apart = allowed * _apart(s, sample(foreign, p))
    rim = view.spilled[row, col]
    side = _side(s)
    deep = smoothstep(depth_in_matte, 2, 6)
    deep = np.where(regions.ear, smoothstep(depth_in_matte, 1, 3), deep)
    weight = visible * smoothstep(facing - 0.15 * side, 0.18, 0.55) * deep
    weight *= smoothstep(texel_area(s, p), 0.08, 0.35) * apart * ~rim
    tone = visible * smoothstep(facing, 0.05, 0.30) * smoothstep(depth_in_matte, 1.5, 4)
    tone *= apart * ~rim * ~regions.ear * (1 - 0.7 * side)
    upper, lower = np.array(UPPER_LOWER_LIP).T
    mouth_open = float((view.landmarks[lower, 1] - view.landmarks[upper, 1]).mean())
    banned = _features(s, row, col, color, weight, mouth_open)
    weight[banned] = 0
    tone[banned] = 0
    # A lone trusted texel is noise.
    dense = blur_atlas((weight * regions.skin).reshape(R, R), 2.0).ravel()
    weight = np.where(regions.skin, weight * smoothstep(dense, 0.12, 0.5), weight)
    drop_half_seen_ear(s, weight)
    hairy, clothed = share[:, HAIR] * visible, share[:, CLOTH] * visible
    bare = share[:, SKIN] * visible
    return Samples(
        color, weight, tone, allowed, apart, facing, visible, clothed, hairy, bare, (row, col),
        mouth_open,
    )  # fmt: skip


def texel_area(s: Sculpture, p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels of the photo per texel [N]."""
    R = s.rig.resolution
    bits = grid_neighbours(surface_groups(s.rig.chart))
    tu, tv = tangents(p[:, :2].reshape(R, R, 2), bits)
    return np.abs(tu[..., 0] * tv[..., 1] - tu[..., 1] * tv[..., 0]).ravel()


def _side(s: Sculpture) -> NDArray[np.float64]:
    """[N] 1 on bare cheeks before the ears, where skin turns away."""
    bare = s.regions.skin & ~s.regions.ear
    return smoothstep(s.rig.mean[:, 2], 8.0, 5.5) * bare * (1 - s.regions.scalp)


def _apart(s: Sculpture, foreign_near: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N] 0 low on the head beside cloth: a pixel of collar would turn along with the jaw."""
    low = smoothstep(s.rig.mean[:, 1], 0.0, -2.0) * (1 - s.regions.scalp)
    return 1 - low * smoothstep(foreign_near, 0.15, 0.5)


def _allowed(
    s: Sculpture,
    share: NDArray[np.float64],
    skin_around: NDArray[np.float64],
    facing: NDArray[np.float64],
) -> NDArray[np.float64]:
    """[N] how far the class seen at a texel is one that belongs there."""
    body_free = 1 - smoothstep(share[:, BACKGROUND] + share[:, CLOTH], 0.15, 0.5)
    neck = smoothstep(skin_around, 0.4, 0.8)
    crown = s.regions.scalp > 0.95
    # A high forehead is seen well and is skin; skin at the crown's rim is a mistaken label.
    bare = share[:, SKIN] * smoothstep(facing, 0.25, 0.45)
    hair = share[:, HAIR] + bare + (0 if share[crown, HAIR].mean() > 0.25 else 1)
    hair = smoothstep(hair, 0.3, 0.7)
    return np.where(s.regions.neck_zone, neck, np.where(crown, body_free * hair, body_free))


def _features(s, row, col, color, weight, mouth_open):  # type: ignore[no-untyped-def]
    """[N] skin texels on which the photo shows eyeballs, teeth or the inner mouth instead."""
    view, regions = s.view, s.regions
    holes = view.polygon(LEFT_EYE) | view.polygon(RIGHT_EYE)
    if mouth_open > 3:
        holes |= view.polygon(INNER_LIPS, grow=2)
    banned = holes[row, col]
    lab = cv2.cvtColor(np.clip(color, 0, 1).astype(np.float32)[None], cv2.COLOR_RGB2LAB)[0]
    face = regions.skin & (weight > 0.5) & (s.rig.mean[:, 2] > 7)
    redness = np.median(lab[face, 1]) if face.any() else 0.0
    # Where lips turn inward nothing is seen; beside an open mouth, tooth-coloured means teeth.
    banned |= regions.lip_depth < (0.2 if mouth_open > 3 else 0.0)
    banned |= (regions.lip_depth < 0.8) & (lab[:, 1] < redness - 3) & (mouth_open > 3)
    return banned & regions.skin


def drop_half_seen_ear(s: Sculpture, weight: NDArray[np.float64]) -> None:
    """An ear seen much worse than its twin takes the twin's colours altogether."""
    ears = [s.regions.ear & side for side in (s.regions.left, ~s.regions.left)]
    seen = [weight[ear].mean() for ear in ears]
    for k in (0, 1):
        if seen[k] < 0.5 * seen[1 - k]:
            weight[ears[k]] = 0
