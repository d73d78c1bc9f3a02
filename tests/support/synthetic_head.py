"""A small made-up head with everything a renderer must handle, for tests that need no photo.

An ellipsoid in the 256 x 256 atlas with eyeballs, lids, a mouth slit, teeth and cavity, five
moving expressions, a neck that stays with the body, two layers of hair, and plates.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avatar_engine.shapes import grid_neighbours
from avatar_engine.types import ARKIT_INDEX, Camera, Chart, Drivers, HeadMaps, Plates
from avatar_engine.types.maps import TintDriver

C = 256
SKIN_ROWS = 208
RADII_CM = np.array([7.8, 11.0, 9.5])
EYES_CM = np.array([[3.1, 2.0, 7.1], [-3.1, 2.0, 7.1]], np.float32)
EYE_RADIUS_CM = 1.55
MOUTH_Y_CM, MOUTH_HALF_WIDTH_CM = -4.3, 2.6
FACE_Z_CM = 9.5
CAMERA_DISTANCE_CM = 130.0


def synthetic_head(
    size: int = 128, *, hair_rows: int = 128, seed: int = 3
) -> tuple[HeadMaps, Plates, Camera]:
    """Maps, plates and the source camera of a head that fills a ``size`` x ``size`` portrait.

    Args:
        size: Pixels of the source view.
        hair_rows: Rows of 256 hair texels after the atlas (0 for none).
        seed: Of the freckles.
    """
    rng = np.random.default_rng(seed)
    surface, colors, chart, group = _skin(rng)
    _eyes(surface, colors, chart, group)
    _mouth(surface, colors, chart, group)
    n = C * C
    surface, colors = surface.reshape(n, 3), colors.reshape(n, 3)
    modes, scales, upper, lower = _modes(surface, chart.ravel())
    lids = np.flatnonzero((chart.ravel() == Chart.SKIN) & _near_an_eye(surface))
    layers = [_hair_layer(rows, k) for k, rows in enumerate(_halves(hair_rows))]
    positions = np.concatenate([surface, *(p for p, _, _ in layers)]).astype(np.float32)
    all_colors = np.concatenate([colors, *(c for _, c, _ in layers)]).astype(np.float32)
    all_chart = np.concatenate([chart.ravel(), np.full(hair_rows * C, Chart.HAIR, np.uint8)])
    bits = [
        grid_neighbours(group),
        *(grid_neighbours(np.ones((len(o) // C, C), int)) for _, _, o in layers),
    ]
    opacities = np.concatenate(
        [np.where(chart.ravel() > 0, 0.97, 0), *(o for _, _, o in layers)]
    ).astype(np.float32)
    is_skin = all_chart == Chart.SKIN
    y = positions[:, 1]
    neck = np.clip((y + 13.5) / 5.0, 0, 1)
    m = len(positions)
    maps = HeadMaps(
        positions=positions,
        modes=modes,
        mode_scales=scales,
        rest=_named(browInnerUp=0.2),
        source=_named(browInnerUp=0.25, mouthSmileLeft=0.4, mouthSmileRight=0.4),
        head_weight=(neck * neck * (3 - 2 * neck)).astype(np.float32),
        chart=all_chart,
        neighbours=np.concatenate([b.ravel() for b in bits]),
        colors=all_colors,
        opacities=opacities,
        sigmas=np.full((m, 2), 0.7, np.float32),
        tangent_caps=np.where(is_skin[:, None], np.inf, 0.6).repeat(2, 1).astype(np.float32),
        winding=np.where(is_skin, 1, 0).astype(np.int8),
        depth_bias=np.where(all_chart == Chart.CAVITY, 1.2, 0).astype(np.float32),
        eye_centers=EYES_CM,
        eye_radius=EYE_RADIUS_CM,
        eye_gaze=np.array([[0.03, 0.02], [-0.02, 0.02]], np.float32),
        lid_texels=lids.astype(np.int32),
        lip_upper=upper,
        lip_lower=lower,
        placement=_placement(),
        pivot=np.array([0, -7, -1], np.float32),
        **_tints(surface, chart.ravel(), lids),
    )
    return maps, _plates(size), _camera(size)


def _tints(
    surface: NDArray, chart: NDArray[np.uint8], lids: NDArray[np.intp]
) -> dict[str, NDArray]:
    """Lids that pale as they close, and creases beside the mouth that go with the smile."""
    drivers = np.zeros(C * C, np.uint8)
    drivers[lids] = np.where(lids % C >= C // 2, TintDriver.LEFT_LID, TintDriver.RIGHT_LID)
    x, y, z = surface.T
    beside = (np.abs(np.abs(x) - 3.2) < 0.4) & (np.abs(y - MOUTH_Y_CM) < 1.5) & (z > 0)
    drivers[beside & (chart == Chart.SKIN)] = TintDriver.RELAX
    tints = np.array([[0, 0, 0], [0.1, 0.1, 0.2], [0.1, 0.1, 0.2], [-0.2, 0.0, 0.1]], np.float32)
    return {"tints": tints[drivers], "tint_drivers": drivers}


def _halves(rows: int) -> list[int]:
    return [rows // 2, rows - rows // 2] if rows else []


def _named(**weights: float) -> NDArray[np.float32]:
    values = np.zeros(52, np.float32)
    for name, value in weights.items():
        values[ARKIT_INDEX[name]] = value
    return values


def _skin(rng: np.random.Generator) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Ellipsoid over a neck; the middle columns are the front, the top rows the crown."""
    azimuth = (np.arange(C) - (C - 1) / 2) / C * 2 * np.pi
    azimuth = azimuth - 0.45 * np.sin(azimuth)  # more texels on the face
    polar = np.linspace(0.03, np.pi * 0.98, SKIN_ROWS)
    a, p = np.meshgrid(azimuth, polar)
    ball = np.stack([np.sin(p) * np.sin(a), np.cos(p), np.sin(p) * np.cos(a)], -1) * RADII_CM
    nose = np.exp(-((ball[..., 0] / 1.1) ** 2) - ((ball[..., 1] + 1.5) / 1.6) ** 2)
    ball[..., 2] += 2.2 * nose * (ball[..., 2] > 0)
    neck = np.clip((polar - 0.72 * np.pi) / (0.2 * np.pi), 0, 1)[:, None]
    column = np.stack(
        [5.2 * np.sin(a), -7.8 - 9.5 * neck * np.ones_like(a), 5.2 * np.cos(a) - 1.0], -1
    )
    ball = ball * (1 - neck[..., None]) + column * neck[..., None]
    surface = np.zeros((C, C, 3))
    surface[:SKIN_ROWS] = ball
    colors = np.zeros((C, C, 3))
    tone = np.array([0.80, 0.60, 0.50])
    cheeks = np.exp(-((np.abs(ball[..., 0]) - 4) ** 2 + (ball[..., 1] + 2) ** 2) / 5)
    colors[:SKIN_ROWS] = tone + cheeks[..., None] * np.array([0.08, -0.06, -0.04])
    freckles = rng.normal(0, 0.05, (SKIN_ROWS, C // 2))
    colors[:SKIN_ROWS] += np.concatenate([freckles, freckles[:, ::-1]], 1)[..., None]
    chart = np.zeros((C, C), np.uint8)
    chart[:SKIN_ROWS] = Chart.SKIN
    eyes = np.abs(ball[..., :2][..., None, :] - EYES_CM[:, :2]) / [1.15, 0.6]
    is_open = ((eyes**2).sum(-1) < 1).any(-1) & (ball[..., 2] > 0)
    is_slit = (
        (np.abs(ball[..., 0]) < MOUTH_HALF_WIDTH_CM)
        & (np.abs(ball[..., 1] - MOUTH_Y_CM) < 0.06)
        & (ball[..., 2] > 0)
    )
    chart[:SKIN_ROWS][is_open | is_slit] = Chart.EMPTY
    lips = np.abs(ball[..., 1] - MOUTH_Y_CM) / 0.7 + (ball[..., 0] / 2.9) ** 2
    is_lip = (lips < 1) & (ball[..., 2] > 0)
    colors[:SKIN_ROWS][is_lip] = [0.72, 0.32, 0.32]
    return surface, np.clip(colors, 0, 1), chart, chart.astype(int)


def _eyes(surface: NDArray, colors: NDArray, chart: NDArray, group: NDArray) -> None:
    """Two 40 x 40 caps that look along +z; the left one in the right columns."""
    grid = (np.arange(40) - 19.5) / 20 * 1.1
    x, y = np.meshgrid(grid, -grid)
    out = np.sqrt(x**2 + y**2)
    angle = np.minimum(out, 1.45)
    ring = np.where(out > 0, angle / np.maximum(out, 1e-9), 1)
    direction = np.stack(
        [
            np.sin(angle) * x * ring / np.maximum(angle, 1e-9),
            np.sin(angle) * y * ring / np.maximum(angle, 1e-9),
            np.cos(angle),
        ],
        -1,
    )
    iris = np.where(out[..., None] < 0.22, [0.05, 0.05, 0.05], [0.25, 0.40, 0.55])
    color = np.where(out[..., None] < 0.45, iris, [0.93, 0.92, 0.90])
    for e, first in ((0, 210), (1, 6)):
        where = np.s_[SKIN_ROWS + 4 : SKIN_ROWS + 44, first : first + 40]
        surface[where] = EYES_CM[e] + EYE_RADIUS_CM * direction
        colors[where] = color
        chart[where] = Chart.EYE
        group[where] = 20 + e


def _mouth(surface: NDArray, colors: NDArray, chart: NDArray, group: NDArray) -> None:
    """A ribbon of teeth and a cavity behind the slit."""
    arc = np.linspace(-1, 1, 60)
    for first, rows, kind, depth, low, high, color in (
        (60, 14, Chart.TEETH, 0.9, -0.7, 0.4, [0.95, 0.93, 0.88]),
        (130, 20, Chart.CAVITY, 2.6, -2.6, 1.2, [0.22, 0.07, 0.07]),
    ):
        x, dy = np.meshgrid(arc, np.linspace(high, low, rows))
        z = FACE_Z_CM - 1.6 - depth - 1.5 * x**2
        where = np.s_[SKIN_ROWS + 4 : SKIN_ROWS + 4 + rows, first : first + 60]
        surface[where] = np.stack([2.9 * x, MOUTH_Y_CM + dy, z], -1)
        colors[where] = color
        chart[where] = kind
        group[where] = 10 + int(kind)


def with_corrections(maps: HeadMaps) -> HeadMaps:
    """The head with two corrective modes: the chin swings back as the jaw opens, and the cheeks
    rise with a smile, more so over an open mouth.
    """
    x, y, z = maps.positions[: C * C].T
    skin = (maps.chart[: C * C] == Chart.SKIN) * np.clip(z / 5, 0, 1)
    chin = skin * np.exp(-(((y + 8) / 2.5) ** 2) - (x / 3) ** 2)
    cheeks = skin * np.exp(-(((y + 1) / 2) ** 2) - ((np.abs(x) - 4) / 1.5) ** 2)
    moved = np.stack([chin[:, None] * [0, 1.8, -0.8], cheeks[:, None] * [0, 1.6, 0.5]])
    scales = np.abs(moved).max((1, 2)) / 32767
    jaw, smile = ARKIT_INDEX["jawOpen"], ARKIT_INDEX["mouthSmileLeft"]
    linear = np.zeros((2, 52), np.float32)
    linear[1, smile] = 0.5
    drivers = Drivers(
        linear,
        np.array([[jaw, jaw], [jaw, smile]], np.int32),
        np.array([0.2, 0.0], np.float32),
        np.array([[1.0, 0.0], [0.0, 0.7]], np.float32),
    )
    modes = np.round(moved / scales[:, None, None]).astype(np.int16)
    return replace(
        maps,
        modes=np.concatenate([maps.modes, modes]),
        mode_scales=np.concatenate([maps.mode_scales, scales.astype(np.float32)]),
        drivers=drivers,
    )


def _modes(
    surface: NDArray, chart: NDArray
) -> tuple[NDArray[np.int16], NDArray[np.float32], NDArray[np.int32], NDArray[np.int32]]:
    x, y, z = surface.T
    is_skin, front = chart == Chart.SKIN, np.clip(z / 5, 0, 1)
    modes = np.zeros((53, len(surface), 3))

    def bump(cx: float, cy: float, wide: float) -> NDArray:
        near = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / wide**2)
        return (near * front * is_skin)[:, None]

    below = is_skin & (y < MOUTH_Y_CM) & (y > -12)
    jaw = np.clip((y + 12) / 4, 0, 1) * front * below
    modes[ARKIT_INDEX["jawOpen"]] = jaw[:, None] * [0, -2.2, -0.5]
    for side, name in ((1, "Left"), (-1, "Right")):
        modes[ARKIT_INDEX["mouthSmile" + name]] = bump(side * 2.6, -4.3, 1.6) * [
            side * 0.8,
            0.7,
            -0.3,
        ]
        eye = EYES_CM[0 if side > 0 else 1]
        upper = (y > eye[1])[:, None] * bump(eye[0], eye[1] + 0.55, 0.9)
        modes[ARKIT_INDEX["eyeBlink" + name]] = upper * [0, -1.2, 0]
    modes[ARKIT_INDEX["browInnerUp"]] = bump(0, 4.6, 2.5) * [0, 0.6, 0]
    modes[52] = bump(0, -2, 4.0) * [0.05, 0.1, 0.1]
    scales = np.maximum(np.abs(modes).max((1, 2)) / 32767, 1e-9).astype(np.float32)
    quantised = np.round(modes / scales[:, None, None]).astype(np.int16)
    grid = np.arange(C * C).reshape(C, C)
    slit = (chart.reshape(C, C) == 0) & (np.abs(surface[:, 1].reshape(C, C) - MOUTH_Y_CM) < 0.2)
    slit[SKIN_ROWS:] = False
    columns = np.flatnonzero(slit.any(0))[::3]
    first = slit.argmax(0)[columns]
    last = C - 1 - slit[::-1].argmax(0)[columns]
    upper, lower = grid[first - 1, columns], grid[last + 1, columns]
    rise = np.argsort(x[upper])
    # The lips close at rest: both edges of the slit meet in its middle.
    middle = (surface[upper, 1] + surface[lower, 1]) / 2
    surface[upper, 1], surface[lower, 1] = middle, middle
    return quantised, scales, upper[rise].astype(np.int32), lower[rise].astype(np.int32)


def _near_an_eye(surface: NDArray) -> NDArray[np.bool_]:
    distance = np.linalg.norm(surface[:, None] - EYES_CM, axis=-1).min(1)
    return distance < EYE_RADIUS_CM + 1.2


def _hair_layer(rows: int, k: int) -> tuple[NDArray, NDArray, NDArray]:
    azimuth = (np.arange(C) - (C - 1) / 2) / C * 2 * np.pi
    a, p = np.meshgrid(azimuth, np.linspace(0.02, 0.62 * np.pi, rows))
    radii = RADII_CM + 0.5 + 0.6 * k
    ball = np.stack([np.sin(p) * np.sin(a), np.cos(p), np.sin(p) * np.cos(a)], -1) * radii
    wave = 0.5 + 0.5 * np.sin(24 * a + 3 * p)
    color = np.array([0.24, 0.15, 0.09]) * (0.6 + 0.8 * wave[..., None])
    on_face = (ball[..., 2] > 2.5) & (ball[..., 1] < 6.5)
    soft_edge = np.clip((0.62 * np.pi - p) / 0.25, 0, 1)
    opacity = np.where(on_face, 0, (0.85 - 0.25 * k) * soft_edge)
    return ball.reshape(-1, 3), color.reshape(-1, 3), opacity.ravel()


def _placement() -> NDArray[np.float32]:
    yaw = 0.06  # a source pose that is not quite frontal
    turn = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    return np.hstack([np.array(turn), [[0.2], [-0.3], [0.1]]]).astype(np.float32)


def _camera(size: int) -> Camera:
    viewmat = np.diag([1.0, -1.0, -1.0, 1.0])
    viewmat[:3, 3] = [0.0, 0.5, CAMERA_DISTANCE_CM + FACE_Z_CM]
    focal = 1.28 * size * CAMERA_DISTANCE_CM / 40
    K = np.array([[focal, 0, size / 2], [0, focal, size / 2], [0, 0, 1.0]])
    return Camera(viewmat, K, size, size)


def _plates(size: int) -> Plates:
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    wall = np.stack([90 + 60 * y, 110 + 40 * x, 140 - 30 * y], -1)
    body = np.zeros((size, size, 4))
    shoulders = np.hypot((x - 0.5) / 0.46, (y - 1.08) / 0.34)
    body[..., :3] = [60, 70, 110]
    body[..., 3] = 255 * np.clip((1 - shoulders) * size / 6, 0, 1)
    return Plates(wall.astype(np.uint8), body.astype(np.uint8))
