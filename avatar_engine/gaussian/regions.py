"""Regions of the head model that making a persona treats differently, from its mean shape."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from avatar_engine.gaussian.lips import lip_depth
from avatar_engine.gaussian.smooth import blur_atlas, distance, smoothstep
from avatar_engine.shapes import grid_neighbours, surface_groups, tangents, texel_triangles
from avatar_engine.types import Chart, HeadRig


@dataclass(frozen=True, slots=True)
class Regions:
    """Masks and fields over the atlas; N = R * R texels, row-major.

    Attributes:
        skin: [N] bool.
        scalp: [N] in [0, 1], where hair grows on a full head of hair.
        ear: [N] bool.
        ear_weight: [N] in [0, 1], the ear and a soft rim.
        neck_zone: [N] bool, below the jaw, where clothes begin somewhere.
        mouth_distance: [N] texels to the gap between the lips.
        lip_depth: [N] place across the lip, see ``lips.lip_depth``.
        lid_distance: [N] texels to the nearer gap between lids.
        above_mouth: [N] bool, on the upper lip's side of the gap.
        above_lids: [N] bool, on the upper lid's side of the gap.
        left: [N] bool, the subject's left half.
        twin: [N] int32, the texel mirrored.
        triangles: [T, 3] int32.
        tangent_lengths: [N, 2] cm per texel step of the mean head.
        cavity_winding: Sign of the cavity's tangents' cross product when seen from inside.
        skin_winding: The same for skin, projected with y down.
    """

    skin: NDArray[np.bool_]
    scalp: NDArray[np.float64]
    ear: NDArray[np.bool_]
    ear_weight: NDArray[np.float64]
    neck_zone: NDArray[np.bool_]
    mouth_distance: NDArray[np.float32]
    lip_depth: NDArray[np.float64]
    lid_distance: NDArray[np.float32]
    above_mouth: NDArray[np.bool_]
    above_lids: NDArray[np.bool_]
    left: NDArray[np.bool_]
    twin: NDArray[np.int32]
    triangles: NDArray[np.int32]
    tangent_lengths: NDArray[np.float64]
    cavity_winding: int
    skin_winding: int


def regions_of(rig: HeadRig) -> Regions:
    """Find the regions of a head model."""
    R = rig.resolution
    chart = rig.chart.ravel()
    skin = chart == Chart.SKIN
    x, y, z = rig.mean.T.astype(np.float64)
    crown = smoothstep(y - 0.02 * z, 8.2, 11.2)
    back = smoothstep(-z + 0.35 * y, 0.2, 3.5) * smoothstep(y, -6.5, -2.0)
    ear = skin & (np.abs(x) > 7.05) & (y > -2.2) & (y < 6.2) & (z < 3.2) & (z > -3.0)
    scalp = np.where(skin & ~ear, np.maximum(crown, back), 0.0)
    grown = cv2.dilate(ear.reshape(R, R).astype(np.uint8), np.ones((9, 9), np.uint8))
    ear_weight = blur_atlas(grown.astype(np.float32), 1.5).ravel() * skin
    mouth, lids = _slits(rig.chart)
    index = np.arange(R * R, dtype=np.int32).reshape(R, R)
    across, down, crossed = _tangent_lengths(rig)
    front = skin & (z > 9)
    wall = (chart == Chart.CAVITY) & (z < 5)
    return Regions(
        skin=skin,
        scalp=scalp,
        ear=ear,
        ear_weight=ear_weight.astype(np.float64),
        neck_zone=skin & (y < -4.4) & (0.35 * z + y < -4.6),
        mouth_distance=distance(~mouth).ravel(),
        lip_depth=lip_depth(rig, _above(mouth)),
        lid_distance=distance(~lids).ravel(),
        above_mouth=_above(mouth),
        above_lids=_above(lids),
        left=(np.arange(R * R) % R) >= R // 2,
        twin=index[:, ::-1].ravel().copy(),
        triangles=texel_triangles(rig.chart),
        tangent_lengths=np.stack([across, down], 1),
        cavity_winding=int(np.sign(np.median(crossed[wall]))) or 1,
        skin_winding=int(np.sign(np.median(crossed[front]))) or 1,
    )


def _slits(chart: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The gaps in the skin chart: between the lips, and between the lids of both eyes."""
    R = len(chart)
    parts, count = label(chart == Chart.EMPTY)
    rows, cols = np.mgrid[0:R, 0:R]
    mouth, lids = np.zeros((R, R), bool), np.zeros((R, R), bool)
    for part in range(1, count + 1):
        here = parts == part
        beside = cv2.dilate(here.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        around = chart[beside & ~here]
        if here.sum() < 8 or not len(around) or not (around == Chart.SKIN).all():
            continue
        if np.abs(cols[here].mean() - (R - 1) / 2) < R / 16 and rows[here].mean() > R * 0.4:
            mouth |= here
        elif rows[here].mean() < R * 0.4:
            lids |= here
    return mouth, lids


def _above(slit: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Texels above a slit's middle line, which is continued flat to both sides."""
    R = len(slit)
    rows = np.arange(R)[:, None]
    count = slit.sum(0)
    have = np.nonzero(count)[0]
    middle = (rows * slit).sum(0)[have] / count[have]
    line = np.interp(np.arange(R), have, middle)
    return (rows < line[None]).ravel()


def _tangent_lengths(
    rig: HeadRig,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lengths of the mean head's tangents, and the cross product as a camera in front sees it."""
    R = rig.resolution
    bits = grid_neighbours(surface_groups(rig.chart))
    tu, tv = tangents((rig.mean * [1, -1, 1]).reshape(R, R, 3), bits)
    crossed = tu[..., 0] * tv[..., 1] - tu[..., 1] * tv[..., 0]
    lengths = [np.linalg.norm(t, axis=-1).ravel() for t in (tu, tv)]
    return lengths[0], lengths[1], crossed.ravel()
