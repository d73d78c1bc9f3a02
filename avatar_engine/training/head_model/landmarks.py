"""Where MediaPipe's 478 landmarks lie on the head: up to four texels each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from avatar_engine.training.head_model.atlas import HalfChart
from avatar_engine.training.head_model.eyes import iris_points
from avatar_engine.training.head_model.layout import HALF, R
from avatar_engine.training.head_model.mesh import Floats, normals
from avatar_engine.training.head_model.rigs import FaceKit
from avatar_engine.types import Chart

# Landmarks that are the Multi-PIE points 0-67, in their order.
_MULTI_PIE = """
    162 234 93 58 172 136 149 148 152 377 378 365 397 288 323 454 389 71 63 105 66 107 336 296 334
    293 301 168 197 5 4 75 97 2 326 305 33 160 158 133 153 144 362 385 387 263 373 380 61 39 37 0
    267 269 291 405 314 17 84 181 78 82 13 312 308 317 14 87"""
_INSIDE_FACE = slice(17, 68)  # the first 17 follow the outline, which no two meshes draw alike


@dataclass(frozen=True)
class Regressor:
    """Landmarks over texels.

    Attributes:
        texels: [478, 4]; weights: [478, 4], rows sum to one.
        distance: [478] cm from the registered canonical point to its place on the skin.
    """

    texels: NDArray[np.int32]
    weights: NDArray[np.float32]
    distance: NDArray[np.float32]


def similarity(source: Floats, target: Floats) -> tuple[float, Floats, Floats]:
    """Scale, rotation [3, 3] and shift [3] with target ≈ scale * source @ rotation.T + shift."""
    a, b = source - source.mean(0), target - target.mean(0)
    left, sigma, right = np.linalg.svd(b.T @ a)
    sign = np.array([1, 1, np.sign(np.linalg.det(left @ right))])
    rotation = left * sign @ right
    scale = float((sigma * sign).sum() / (a**2).sum())
    return scale, rotation, target.mean(0) - scale * rotation @ source.mean(0)


def register(
    kit: FaceKit, chart: HalfChart, canonical: Floats, eye_radius: float, flat: NDArray[np.uint8]
) -> Regressor:
    """Lay the canonical face over the skin and read off texels.

    A similarity and a thin plate through the 51 points known on both faces bring it close; each
    landmark then falls to the nearest skin that faces forward. Known points are exact.

    Args:
        kit: The face with its 68 known vertices.
        chart: The flat left half of the skin.
        canonical: [468, 3].
        eye_radius: cm.
        flat: [N] of Chart.
    """
    known, vertex = (
        np.array(_MULTI_PIE.split(), np.int64)[_INSIDE_FACE],
        kit.landmarks68[_INSIDE_FACE],
    )
    target = kit.vertices[vertex]
    scale, rotation, shift = similarity(canonical[known], target)
    laid = scale * canonical @ rotation.T + shift
    pull = RBFInterpolator(
        laid[known], target - laid[known], kernel="thin_plate_spline", smoothing=0.05
    )
    laid = laid + pull(laid)
    left = np.c_[np.abs(laid[:, 0]), laid[:, 1:]]
    points, uv = _dense_front(kit, chart)
    distance, nearest = cKDTree(points).query(left)
    place = uv[nearest]
    own = {int(v): i for i, v in enumerate(chart.vertices)}
    for landmark, v in zip(known.tolist(), vertex.tolist(), strict=True):
        twin = v if v in own else int(kit.twin[v])
        if twin in own:
            place[landmark], distance[landmark] = chart.uv[own[twin]], 0
    side = np.where(laid[:, 0] < 0, -1, 1)
    column = HALF + side * place[:, 0]
    iris = iris_points(eye_radius)
    mirror = iris * [-1, 1] + [R, 0]
    whole = np.concatenate([np.stack([column, place[:, 1]], 1), mirror, iris])
    label = np.where(np.arange(len(whole)) < len(canonical), Chart.SKIN, Chart.EYE)
    texels, weights = _bilinear(whole, label, flat)
    return Regressor(texels, weights, np.pad(distance, (0, 10)).astype(np.float32))


def _dense_front(kit: FaceKit, chart: HalfChart) -> tuple[Floats, Floats]:
    """Points spread over the forward-facing skin of the half, and their chart places."""
    steps = 5
    lattice = np.array(
        [(i, j, steps - i - j) for i in range(steps + 1) for j in range(steps + 1 - i)]
    )
    corners = kit.vertices[chart.vertices][chart.triangles]
    facing = normals(kit.vertices[chart.vertices], chart.triangles)[:, 2]
    facing *= np.sign(facing[np.argmax(corners[:, :, 2].mean(1))])  # the nose tip faces forward
    front = facing > -0.1
    points = np.einsum("sk,tkd->tsd", lattice / steps, corners[front]).reshape(-1, 3)
    uv = np.einsum("sk,tkd->tsd", lattice / steps, chart.uv[chart.triangles[front]])
    return points, uv.reshape(-1, 2)


def _bilinear(
    place: Floats, label: NDArray[np.integer], flat: NDArray[np.uint8]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Texels [P, 4] and weights around chart places [P, 2]; only texels of the point's chart."""
    origin = np.floor(place - 0.5).astype(int)
    part = place - 0.5 - origin
    texels = np.zeros((len(place), 4), np.int32)
    weights = np.zeros((len(place), 4))
    for k, (down, right) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        column = np.clip(origin[:, 0] + right, 0, R - 1)
        row = np.clip(origin[:, 1] + down, 0, R - 1)
        texels[:, k] = row * R + column
        weight = np.abs(1 - right - part[:, 0]) * np.abs(1 - down - part[:, 1])
        weights[:, k] = weight * (flat[texels[:, k]] == label)
    for i in np.flatnonzero(weights.sum(1) < 1e-6):
        allowed = np.flatnonzero(flat == label[i])
        centers = np.stack([allowed % R, allowed // R], 1) + 0.5
        texels[i] = allowed[np.argmin(((centers - place[i]) ** 2).sum(1))]
        weights[i] = [1, 0, 0, 0]
    return texels, (weights / weights.sum(1, keepdims=True)).astype(np.float32)
