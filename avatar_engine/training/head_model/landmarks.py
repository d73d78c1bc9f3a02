"""Where MediaPipe's 478 landmarks lie on the head: up to four texels each."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from avatar_engine.training.head_model.atlas import HalfChart
from avatar_engine.training.head_model.contours import (
    CORNERS,
    OUTER_EYE_CORNERS,
    lines,
)
from avatar_engine.training.head_model.eyes import iris_points
from avatar_engine.training.head_model.layout import HALF, R
from avatar_engine.training.head_model.mesh import Floats, Ints, normals
from avatar_engine.training.head_model.rigs import FaceKit
from avatar_engine.types import Chart

# Landmarks that are the Multi-PIE points 17 to 67, in their order.
_MULTI_PIE = """
    71 63 105 66 107 336 296 334 293 301 168 197 5 4 75 97 2 326 305 33 160 158 133 153 144 362 385
    387 263 373 380 61 39 37 0 267 269 291 405 314 17 84 181 78 82 13 312 308 317 14 87"""
_TEXEL_CM = 0.12
# Along the lips the two sets agree at corners and middle only; what lies between slides.
_AGREEING = [*range(31), 31, 34, 37, 40, 43, 45, 47, 49]


@dataclass(frozen=True)
class Registration:
    """MediaPipe's face laid on the kit's skin.

    Attributes:
        points: [468, 3] on the skin, head space; left-right symmetric.
        uv: [468, 2] column and row of the whole atlas.
        distance: [468] cm from where the landmark should be to the skin.
        twin: [468] the landmark on the other side.
    """

    points: Floats
    uv: Floats
    distance: Floats
    twin: Ints


@dataclass(frozen=True)
class Regressor:
    """Landmarks over texels.

    Attributes:
        texels: [478, 4]; weights: [478, 4], rows sum to one.
        distance: [478] cm.
    """

    texels: NDArray[np.int32]
    weights: NDArray[np.float32]
    distance: NDArray[np.float32]


class Skin:
    """Places a landmark may take: anywhere facing forward, or along a lip or lid."""

    def __init__(self, kit: FaceKit, chart: HalfChart) -> None:
        points, uv = _dense_front(kit, chart)
        whole = np.concatenate([points, points * [-1, 1, 1]])
        middle = np.array([HALF, 0])
        columns = np.concatenate([middle + uv, middle + uv * [-1, 1]])
        self._front = _Places(whole, columns)
        self._lines: dict[int, _Places] = {}
        # Where lips touch, only the atlas tells the upper from the lower.
        both = cKDTree(np.concatenate([whole, columns * _TEXEL_CM], 1))
        for landmarks, curve in lines(kit, chart):
            on_skin = both.query(curve * [1, 1, 1, _TEXEL_CM, _TEXEL_CM])[1]
            places = _Places(whole[on_skin], columns[on_skin])
            self._lines.update(dict.fromkeys(landmarks, places))

    @property
    def on_lines(self) -> list[int]:
        """Landmarks that keep to a lip or lid."""
        return list(self._lines)

    def snap(self, targets: Floats) -> tuple[Floats, Floats, Floats]:
        """Nearest places of landmarks [468, 3]: points, atlas uv, and distances."""
        points, uv, distance = np.empty((468, 3)), np.empty((468, 2)), np.empty(468)
        for i, target in enumerate(targets):
            places = self._lines.get(i, self._front)
            distance[i], at = places.nearest(target)
            points[i], uv[i] = places.points[at], places.uv[at]
        return points, uv, distance


class _Places:
    def __init__(self, points: Floats, uv: Floats) -> None:
        self.points, self.uv = points, uv
        self._tree = cKDTree(points)

    def nearest(self, at: Floats):  # type: ignore[no-untyped-def]  # scipy's
        return self._tree.query(at)


def register(kit: FaceKit, skin: Skin, canonical: Floats) -> Registration:
    """Lay the canonical face over the skin.

    A similarity and a thin plate through the points known on both faces bring it close; each
    landmark then falls to its nearest place.

    Args:
        kit: The face with its 68 known vertices.
        skin: Where landmarks may lie.
        canonical: [468, 3].
    """
    known = np.array(_MULTI_PIE.split(), np.int64)[_AGREEING]
    target = kit.vertices[kit.landmarks68[17:][_AGREEING]]
    scale, rotation, shift = _similarity(canonical[known], target)
    laid = scale * canonical @ rotation.T + shift
    pull = RBFInterpolator(
        laid[known], target - laid[known], kernel="thin_plate_spline", smoothing=0.05
    )
    twin = cKDTree(canonical).query(canonical * [-1, 1, 1])[1]
    return place(skin, laid + pull(laid), twin)


def place(skin: Skin, targets: Floats, twin: Ints) -> Registration:
    """Symmetric places nearest to targets [468, 3]."""
    targets = (targets + targets[twin] * [-1, 1, 1]) / 2
    points, uv, distance = skin.snap(targets)
    # Two twins may fall to places a sample apart; the left one decides.
    right = targets[:, 0] < 0
    points[right], distance[right] = points[twin[right]] * [-1, 1, 1], distance[twin[right]]
    uv[right] = uv[twin[right]] * [-1, 1] + [R, 0]
    return Registration(points, uv, distance, twin)


def shifted(skin: Skin, old: Registration, shift: Floats) -> Registration:
    """Landmarks moved by ``shift`` [468, 3] cm along the skin, lips and lids.

    On lips and lids only the sideways part counts: up and down is how far they are open. Corners
    stay, save the outer ones of the eyes: the network sets them inside the corner that one sees,
    so they go half way.
    """
    shift = shift.copy()
    shift[skin.on_lines, 1:] = 0
    shift[list(CORNERS)] = 0
    shift[list(OUTER_EYE_CORNERS)] *= 0.5
    moved = place(skin, old.points + shift, old.twin)
    return replace(moved, distance=old.distance)


def regressor(where: Registration, eye_radius: float, flat: NDArray[np.uint8]) -> Regressor:
    """Texels and weights of the registered landmarks, and of the irises on the eye charts."""
    iris = iris_points(eye_radius)
    whole = np.concatenate([where.uv, iris * [-1, 1] + [R, 0], iris])
    label = np.where(np.arange(len(whole)) < len(where.uv), Chart.SKIN, Chart.EYE)
    texels, weights = _bilinear(whole, label, flat)
    return Regressor(texels, weights, np.pad(where.distance, (0, 10)).astype(np.float32))


def _similarity(source: Floats, target: Floats) -> tuple[float, Floats, Floats]:
    """Scale, rotation [3, 3] and shift [3] with target ≈ scale * source @ rotation.T + shift."""
    a, b = source - source.mean(0), target - target.mean(0)
    left, sigma, right = np.linalg.svd(b.T @ a)
    sign = np.array([1, 1, np.sign(np.linalg.det(left @ right))])
    rotation = left * sign @ right
    scale = float((sigma * sign).sum() / (a**2).sum())
    return scale, rotation, target.mean(0) - scale * rotation @ source.mean(0)


def _dense_front(kit: FaceKit, chart: HalfChart) -> tuple[Floats, Floats]:
    """Points spread over the forward-facing skin of the left half, and their chart places."""
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
