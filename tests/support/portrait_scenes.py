"""Photos gone wrong, drawn from a good one."""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.portrait.landmarks import LEFT_LIDS, RIGHT_LIDS

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]


def with_closed_eyes(picture: Picture, points: Points) -> Picture:
    """The skin above each eye is pulled down to the lower lid, and lashes are drawn there."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    source = y.copy()
    for lids in (LEFT_LIDS, RIGHT_LIDS):
        low = points[list(lids[:9]), :2]
        up = points[[lids[0], *lids[9:16], lids[8]], :2]
        low, up = low[np.argsort(low[:, 0])], up[np.argsort(up[:, 0])]
        eye = low[-1, 0] - low[0, 0]
        lower = np.interp(x[0], low[:, 0], low[:, 1]) + 0.04 * eye
        upper = np.interp(x[0], up[:, 0], up[:, 1]) - 0.02 * eye
        top = upper - 0.45 * eye
        share = np.clip((y - top) / (lower - top), 0, 1)
        inside = (x >= low[0, 0]) & (x <= low[-1, 0]) & (y >= top) & (y <= lower)
        source = np.where(inside, top + (upper - top) * share, source).astype(np.float32)
    closed = cv2.remap(picture, x, source, cv2.INTER_LINEAR)
    for lids in (LEFT_LIDS, RIGHT_LIDS):
        lashes = [np.round(points[list(lids[:9]), :2]).astype(np.int32)]
        cv2.polylines(closed, lashes, False, (70, 50, 45), 2, cv2.LINE_AA)
    return closed


def with_mask(picture: Picture, points: Points, colour: tuple[int, int, int]) -> Picture:
    """A pleated cloth from the middle of the nose to under the chin."""
    jaw = (93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)
    rim = points[[*jaw, 323, 4, 93], :2] + [0, 3]
    area = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(area, [np.round(rim).astype(np.int32)], 255)
    pleats = 1 - 0.12 * (np.sin(np.arange(len(picture)) / 5) > 0.6)
    cloth = np.array(colour) * pleats[:, None, None]
    share = cv2.GaussianBlur(area, (5, 5), 0)[..., None] / 255
    return np.clip(picture * (1 - share) + cloth * share, 0, 255).astype(np.uint8)


def with_patch(picture: Picture, points: Points) -> Picture:
    """A box of forehead skin over the mouth: right colour, no lips."""
    height = float(np.linalg.norm(points[152, :2] - points[10, :2]))
    w, h = int(0.52 * height), int(0.26 * height)
    fx, fy = (points[151, :2] - [w / 2, h / 2]).astype(int)
    mx, my = (points[[13, 14], :2].mean(0) - [w / 2, h / 2]).astype(int)
    covered = picture.copy()
    rows = np.clip(np.arange(fy, fy + h), int(points[10, 1] + 4), int(points[9, 1]))
    columns = np.clip(np.arange(fx, fx + w), int(points[103, 0]), int(points[332, 0]))
    covered[my : my + h, mx : mx + w] = picture[np.ix_(rows, columns)]
    return covered


def turned(picture: Picture, points: Points, yaw_deg: float) -> Picture:
    """The face mesh, textured with the photo, on an egg of a head turned toward its left."""
    height, width = picture.shape[:2]
    mesh = points[:468]
    middle, radius = mesh.mean(0), np.linalg.norm(points[454, :2] - points[234, :2]) / 2
    round_ = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rings = [
        middle
        + np.stack(
            [
                reach * radius * np.cos(round_),
                1.35 * reach * radius * np.sin(round_) - 0.25 * radius,
                np.full(40, depth * radius),
            ],
            1,
        )
        for reach, depth in ((1.25, 0.8), (1.35, 1.5), (1.2, 2.2))
    ]
    flat = np.concatenate([mesh, *rings])
    a = np.radians(yaw_deg)
    turn = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    pivot = np.add(middle, (0, 0, radius))
    posed = (flat - pivot) @ turn.T + pivot
    subdivision = cv2.Subdiv2D((-4 * width, -4 * height, 9 * width, 9 * height))
    index = {}
    for k, (x, y) in enumerate(flat[:, :2].astype(np.float32)):
        index[(float(x), float(y))] = k
        subdivision.insert((float(x), float(y)))
    triangles = [
        [index.get((float(t[i]), float(t[i + 1]))) for i in (0, 2, 4)]
        for t in subdivision.getTriangleList()
    ]
    solid = np.array([t for t in triangles if None not in t])
    scene = np.full_like(picture, 120)
    for t in solid[np.argsort(-posed[solid][:, :, 2].mean(1))]:
        source, target = flat[t, :2].astype(np.float32), posed[t, :2].astype(np.float32)
        if _area(source) * _area(target) <= 0:
            continue
        low = np.maximum(np.floor(target.min(0)).astype(int) - 1, 0)
        high = np.minimum(np.ceil(target.max(0)).astype(int) + 2, [width, height])
        if (high <= low).any():
            continue
        local = (target - low).astype(np.float32)
        size = (high - low).tolist()
        move = cv2.getAffineTransform(source, local)
        piece = cv2.warpAffine(picture, move, size, borderMode=cv2.BORDER_REPLICATE)
        area = np.zeros(size[::-1], np.uint8)
        cv2.fillConvexPoly(area, np.round(local * 16).astype(np.int32), 255, cv2.LINE_8, 4)
        scene[low[1] : high[1], low[0] : high[0]][area > 0] = piece[area > 0]
    return scene


def _area(triangle: NDArray[np.float32]) -> float:
    a, b = triangle[1] - triangle[0], triangle[2] - triangle[0]
    return float(a[0] * b[1] - a[1] * b[0])
