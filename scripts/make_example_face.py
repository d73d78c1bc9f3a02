"""Draw the face of the examples: a person who does not exist.

    python scripts/make_example_face.py PORTRAITS_DIR examples/face.png

Public-domain portraits are warped to their common, symmetric geometry, with the mouth of those
whose lips meet, and brought to one light. Coarse bands of the picture are the mean of all of them;
fine bands come from a different person for the eyes, the nose, the mouth and the skin. Hair and
clothes come from one more, who lends the face nothing else; both change colour, and the jewels go.
The wall is painted.
Nothing is random, so the file can be made again.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.optimize import linear_sum_assignment

from avatar_engine.head import load_head_rig
from avatar_engine.portrait.detection import detect_faces
from avatar_engine.portrait.landmarks import find_landmarks
from avatar_engine.portrait.matte import person_matte
from avatar_engine.portrait.networks import default_networks
from avatar_engine.portrait.photo import read_photo

Floats = NDArray[np.float32]
Similarity = Callable[[NDArray[np.float64]], NDArray[np.float64]]

SIZE = 768
FACE_HEIGHT = 362.0  # pixels, hairline to chin
FACE_CENTRE = (384.0, 446.0)

COARSE = ("123", "153", "207", "148", "147", "121", "247", "157", "216")
CLOSED = ("123", "140")  # whose lips meet: the mouth's shape and coarse colours are theirs
EYES, NOSE, MOUTH, SKIN = "207", "148", "123", "123"
BODY = "250"

LEVELS = 6
COARSE_SHARE = (0.0, 0.0, 0.15, 0.6, 0.9, 1.0, 1.0)  # of the mean, per band from fine to coarse
TONE_GAIN = np.array([1.05, 0.88, 0.86])  # lighter and less flushed than the mean, Lab
SHARPENING = 0.7
MATTE_FOOT, MATTE_FULL = 0.45, 0.95
PEARL = np.array([2.0, 8.0])  # a, b of Lab
CLOTH_OF_BLUE = np.array([0.3, -0.02])  # a and b of the new cloth by b of the old: green of blue
HAIR_SHIFT = np.array([10.0, 3.5, 10.0])  # Lab
# Hair behind the neck, where the picture's own leaves a small window: corners, and whence it comes.
HAIR_BEHIND = ((236, 575), (330, 575), (330, 690), (285, 690), (268, 672), (256, 640))
HAIR_FROM, HAIR_BEHIND_LIGHT = (100, 76), 0.7
WALL_LIGHT = np.array([0.80, 0.83, 0.85])
WALL_DARK = np.array([0.52, 0.58, 0.63])

OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377)
OVAL += (152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
EYE_AREA = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 340, 347, 349, 6, 120, 118, 111)
NOSE_AREA = (6, 122, 126, 129, 98, 2, 327, 358, 355, 351)
MOUTH_TOP, MOUTH_REACH = 164, 0.95
MOUTH_AREA = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91, 57, 287, 164, 18)


@dataclass(frozen=True)
class Sitter:
    """One portrait: pixels [H, W, 3] in [0, 1], landmarks [478, 2], matte [H, W]."""

    image: Floats
    points: NDArray[np.float64]
    matte: Floats


def main() -> None:
    """Read, compose, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("portraits", type=Path)
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    names = dict.fromkeys([*COARSE, *CLOSED, EYES, NOSE, MOUTH, SKIN, BODY])
    sitters = {name: _read(args.portraits / "train" / f"p{name}.jpg") for name in names}
    sitters[BODY] = _without_jewels(sitters[BODY])
    geometry = _with_mouth(
        _common_geometry([sitters[name] for name in COARSE]),
        _common_geometry([sitters[name] for name in CLOSED]),
    )
    face = compose(sitters, geometry)
    cv2.imwrite(str(args.output), np.round(face[..., ::-1] * 255).astype(np.uint8))
    print(f"{args.output}: {SIZE} x {SIZE}, {args.output.stat().st_size // 1000} kB")


def _read(path: Path) -> Sitter:
    picture, networks = read_photo(path), default_networks()
    face = find_landmarks(picture, detect_faces(picture, networks)[0], networks)
    matte = person_matte(picture, networks)
    return Sitter(picture.astype(np.float32) / 255, face.points[:, :2], matte)


def _without_jewels(sitter: Sitter) -> Sitter:
    """The same without pearls at the ears and around the neck, which are paler than any skin."""
    lab = cv2.cvtColor(sitter.image, cv2.COLOR_RGB2LAB)
    brow, chin, *cheeks = sitter.points[[9, 152, 234, 454]]
    unit = float(chin[1] - brow[1])
    y, x = np.mgrid[: lab.shape[0], : lab.shape[1]]
    lobes = [np.hypot(x - u, y - v - 0.33 * unit) < 0.22 * unit for u, v in cheeks]
    neck = (y > chin[1] + 0.05 * unit) & (np.abs(x - chin[0]) < 0.75 * unit)
    pale = np.linalg.norm(lab[..., 1:] - PEARL, axis=-1) < 12
    jewels = (lab[..., 0] > 45) & pale & (lobes[0] | lobes[1] | neck)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))
    image = np.round(sitter.image * 255).astype(np.uint8)
    bare = cv2.inpaint(image, cv2.dilate(jewels.astype(np.uint8), disc), 5, cv2.INPAINT_TELEA)
    return Sitter(bare.astype(np.float32) / 255, sitter.points, sitter.matte)


def _common_geometry(sitters: list[Sitter]) -> NDArray[np.float64]:
    """Mean landmarks [478, 2] of everybody and their mirror images, at the place wanted."""
    shapes = [sitter.points for sitter in sitters]
    mean = shapes[0]
    for _ in range(4):
        mean = np.mean([_onto(shape, mean) for shape in shapes], axis=0)
    mean = _upright(mean)
    flipped = _onto(mean * [-1, 1], mean)
    mean = (mean + flipped[_twins()]) / 2
    middle = (mean[152] + mean[10]) / 2
    return (mean - middle) * (FACE_HEIGHT / (mean[152, 1] - mean[10, 1])) + FACE_CENTRE


def _twins() -> NDArray[np.intp]:
    """The landmark [478] on the other side of the face, by the head model, which is symmetric."""
    rig = load_head_rig()
    marks = rig.landmarks(rig.mean)
    cost = np.linalg.norm(marks[:, None] - marks[None] * [-1, 1, 1], axis=-1)
    return np.asarray(linear_sum_assignment(cost)[1])


def _with_mouth(face: NDArray[np.float64], closed: NDArray[np.float64]) -> NDArray[np.float64]:
    """A face's landmarks [478, 2] with the mouth of another."""
    lips = face[list(MOUTH_AREA)]
    moved = closed + (face[MOUTH_TOP] - closed[MOUTH_TOP])
    size = float(np.ptp(lips[:, 0]))
    away = np.linalg.norm(face - lips.mean(0), axis=1) / size
    share = np.clip((MOUTH_REACH - away) / (MOUTH_REACH - 0.55), 0, 1)[:, None]
    return np.asarray(face * (1 - share) + moved * share)


def compose(sitters: dict[str, Sitter], geometry: NDArray[np.float64]) -> Floats:
    """The finished picture, [SIZE, SIZE, 3] in [0, 1]."""
    skin = _skin_area(geometry)
    warped = {name: _warp(sitter.image, sitter, geometry) for name, sitter in sitters.items()}
    labs = {name: cv2.cvtColor(image, cv2.COLOR_RGB2LAB) for name, image in warped.items()}
    tones = {name: np.median(lab[skin], axis=0) for name, lab in labs.items()}
    tone = np.mean([tones[name] for name in COARSE], axis=0) * TONE_GAIN
    labs_body = labs[BODY]
    body = _with_skin_tone(labs_body, tones[BODY], tone)
    labs = {name: lab + (tone - tones[name]) for name, lab in labs.items()}
    mean = np.mean([labs[name] for name in COARSE], axis=0)
    shut = np.mean([labs[name] for name in CLOSED], axis=0)
    lips = _soft(_hull(geometry, MOUTH_AREA), 7.0)[..., None]
    mean = (mean * (1 - lips) + shut * lips).astype(np.float32)
    # Toward its rim the face ends where the hair of whoever lends it begins.
    oval, inner = _hull(geometry, OVAL), _soft(_hull(geometry, OVAL), 10.0, shrink=46)
    bare = _soft(_skin_share(labs_body, tones[BODY]), 3.0)
    face = _soft(oval, 13.0, shrink=16) * np.maximum(inner, bare)
    eyes, nose, mouth = (
        face * _soft(_hull(geometry, rows), 6.0) for rows in (EYE_AREA, NOSE_AREA, MOUTH_AREA)
    )
    parts = [
        (body, 1 - face),
        (labs[EYES], eyes),
        (labs[NOSE], nose),
        (labs[MOUTH], mouth),
        (labs[SKIN], face * np.clip(1 - eyes - nose - mouth, 0, 1)),
    ]
    picture = _blend_bands(parts, mean, face).astype(np.float32)
    # Colour is soft in any photo; what is not is the trace of JPEG blocks.
    picture[..., 1:] = cv2.GaussianBlur(picture[..., 1:], (0, 0), 1.5)
    light = picture[..., 0]
    picture[..., 0] += SHARPENING * (light - cv2.GaussianBlur(light, (0, 0), 1.3))
    picture = _recoloured(picture, _soft(_hull(geometry, OVAL), 3.0))
    rgb = np.clip(cv2.cvtColor(picture, cv2.COLOR_LAB2RGB), 0, 1)
    matte = _warp(sitters[BODY].matte, sitters[BODY], geometry)
    return _new_wall(rgb, matte, float(geometry[152, 1]))


def _with_skin_tone(lab: Floats, tone: Floats, wanted: Floats) -> Floats:
    """Skin, and only skin, moved to another tone; ears no redder than the face."""
    skin = cv2.GaussianBlur(_skin_share(lab, tone), (0, 0), 3)
    moved = lab + skin[..., None] * (wanted - tone)
    red, limit = moved[..., 1], wanted[1] + 3
    moved[..., 1] = np.where(red > limit, limit + 0.3 * (red - limit), red)
    return moved.astype(np.float32)


def _skin_share(lab: Floats, tone: Floats) -> Floats:
    distance = np.linalg.norm((lab - tone)[..., 1:], axis=-1) + np.maximum(0, 30 - lab[..., 0])
    return np.exp(-((distance / 16) ** 2)).astype(np.float32)


def _warp(image: Floats, sitter: Sitter, geometry: NDArray[np.float64]) -> Floats:
    """An image of a sitter brought to the common geometry by a thin-plate spline."""
    size = SIZE - 1
    frame = np.array([[x, y] for x in (0, size / 2, size) for y in (0, size / 2, size)])
    frame = np.delete(frame, 4, axis=0)
    # Far from the face only the similarity holds; the spline must not run away there.
    away = _onto_map(geometry, sitter.points)
    step = 8
    rows, columns = np.mgrid[0 : SIZE + step : step, 0 : SIZE + step : step]
    grid = np.stack([columns, rows], -1).reshape(-1, 2).astype(float)
    spline = RBFInterpolator(
        np.concatenate([geometry, frame]),
        np.concatenate([sitter.points, away(frame)]) - away(np.concatenate([geometry, frame])),
        smoothing=3.0,
    )
    move = (away(grid) + spline(grid)).reshape(*rows.shape, 2).astype(np.float32)
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    full = cv2.remap(move, x / step, y / step, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(
        cv2.remap(image, full - 0.5, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), 0, 1
    )


def _blend_bands(parts: list[tuple[Floats, Floats]], mean: Floats, face: Floats) -> Floats:
    """Coarse bands from the mean inside the face, fine bands from each part in its area."""
    pyramids = [_laplacian(image) for image, _ in parts]
    masks = [_gaussian(mask) for _, mask in parts]
    coarse, inside = _laplacian(mean), _gaussian(face)
    bands = []
    for level in range(LEVELS + 1):
        weight = sum(mask[level] for mask in masks)[..., None] + 1e-6
        fine = sum(p[level] * m[level][..., None] for p, m in zip(pyramids, masks, strict=True))
        share = (COARSE_SHARE[level] * inside[level])[..., None]
        bands.append((1 - share) * fine / weight + share * coarse[level])
    picture = bands[-1]
    for band in reversed(bands[:-1]):
        picture = cv2.pyrUp(picture, dstsize=band.shape[1::-1]) + band
    return picture


def _gaussian(image: Floats) -> list[Floats]:
    levels = [image.astype(np.float32)]
    for _ in range(LEVELS):
        levels.append(cv2.pyrDown(levels[-1]))
    return levels


def _laplacian(image: Floats) -> list[Floats]:
    levels = _gaussian(image)
    return [a - cv2.pyrUp(b, dstsize=a.shape[1::-1]) for a, b in pairwise(levels)] + levels[-1:]


def _hull(geometry: NDArray[np.float64], rows: tuple[int, ...]) -> Floats:
    area = np.zeros((SIZE, SIZE), np.uint8)
    hull = cv2.convexHull(np.round(geometry[list(rows)]).astype(np.int32))
    cv2.fillConvexPoly(area, hull, 1)
    return area.astype(np.float32)


def _polygon(corners: tuple[tuple[int, int], ...]) -> Floats:
    area = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillPoly(area, [np.array(corners, np.int32)], (1.0,))
    return area.astype(np.float32)


def _soft(area: Floats, blur: float, *, shrink: int = 0) -> Floats:
    if shrink:
        area = cv2.erode(area, np.ones((2 * shrink + 1, 2 * shrink + 1), np.uint8))
    return cv2.GaussianBlur(area, (0, 0), blur)


def _skin_area(geometry: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Cheeks, nose and lower forehead."""
    area = cv2.erode(_hull(geometry, OVAL), np.ones((31, 31), np.uint8))
    for rows in (EYE_AREA[:10], MOUTH_AREA):
        area *= 1 - _hull(geometry, rows)
    return area > 0.5


def _new_wall(rgb: Floats, matte: Floats, chin: float) -> Floats:
    """Another wall behind the person: nothing of what shone through the hair stays."""
    rgb, matte = _without_old_wall(rgb, matte, chin)
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    light = np.exp(-((x - 0.5) ** 2 + (y - 0.45) ** 2) / 0.35)[..., None]
    wall = WALL_DARK + (WALL_LIGHT - WALL_DARK) * light
    wall = wall + np.random.default_rng(5).normal(0, 0.004, (SIZE, SIZE, 1))
    behind = _soft(_polygon(HAIR_BEHIND), 4.0)[..., None]
    wall = wall * (1 - behind) + HAIR_BEHIND_LIGHT * np.roll(rgb, HAIR_FROM, (0, 1)) * behind
    share = matte[..., None]
    return np.asarray(rgb * share + wall * (1 - share), np.float32)


def _without_old_wall(rgb: Floats, matte: Floats, chin: float) -> tuple[Floats, Floats]:
    """Colours and matte of the person alone.

    Near the outline what is lighter or more colourful than the hair farther in is the old wall;
    below the chin the outline is the shoulders', which are smooth.
    """
    y = np.mgrid[:SIZE, :SIZE][0]
    shoulders = np.clip((y - chin - 25) / 20, 0, 1).astype(np.float32)
    wide = cv2.GaussianBlur(matte, (0, 0), 9)
    smooth = np.clip((wide - 0.42) / 0.16, 0, 1)
    matte = np.clip((matte - MATTE_FOOT) / (MATTE_FULL - MATTE_FOOT), 0, 1)
    core = cv2.erode((matte > 0.97).astype(np.float32), np.ones((15, 15), np.uint8))
    mass = cv2.GaussianBlur(core, (0, 0), 14)[..., None]
    hair = cv2.GaussianBlur(rgb * core[..., None], (0, 0), 14) / (mass + 1e-4)
    lab, inner = (cv2.cvtColor(c.astype(np.float32), cv2.COLOR_RGB2LAB) for c in (rgb, hair))
    band = (1 - cv2.GaussianBlur(core, (0, 0), 3)) * (1 - shoulders)
    lighter = np.maximum(lab[..., 0] - inner[..., 0] - 26, 0) / 14
    other = np.maximum(np.linalg.norm((lab - inner)[..., 1:], axis=-1) - 13, 0) / 10
    strange = cv2.GaussianBlur(np.clip(np.maximum(lighter, other), 0, 1) * band, (0, 0), 1.5)
    matte = np.where(y > chin + 25, smooth * shoulders + matte * (1 - shoulders), matte)
    matte = (matte * (1 - np.clip(2 * strange, 0, 1))).astype(np.float32)
    matte = cv2.morphologyEx(matte, cv2.MORPH_OPEN, np.ones((11, 11), np.uint8))
    matte = np.where(band > 0.02, cv2.GaussianBlur(matte.astype(np.float32), (0, 0), 1.6), matte)
    lab[..., 1:] += band[..., None] * (inner - lab)[..., 1:]
    lab[..., 0] = np.minimum(lab[..., 0], inner[..., 0] + 12 + 100 * (1 - band))
    return np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1), matte.astype(np.float32)


def _recoloured(lab: Floats, face: Floats) -> Floats:
    """The same picture with fairer hair, and green clothes in place of blue ones."""
    blue = np.clip((-lab[..., 2] - 8) / 12, 0, 1)[..., None]
    dark = np.clip((58 - lab[..., 0]) / 25, 0, 1) * (1 - cv2.GaussianBlur(face, (0, 0), 6))
    hair = cv2.GaussianBlur(dark.astype(np.float32), (0, 0), 2)[..., None] * (1 - blue)
    green = np.concatenate([lab[..., :1], lab[..., 2:] * CLOTH_OF_BLUE], -1)
    return np.asarray(lab * (1 - blue) + green * blue + hair * HAIR_SHIFT, np.float32)


def _onto(points: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points moved, turned and scaled to lie best on the target's (Procrustes)."""
    return _onto_map(points, target)(points)


def _onto_map(source: NDArray[np.float64], target: NDArray[np.float64]) -> Similarity:
    """The similarity that takes source points best onto target points."""
    a, b = source - source.mean(0), target - target.mean(0)
    u, s, vt = np.linalg.svd(a.T @ b)
    sign = [1, np.sign(np.linalg.det(u @ vt))]
    turn = (u * sign @ vt) * ((s * sign).sum() / (a**2).sum())
    return lambda points: (points - source.mean(0)) @ turn + target.mean(0)


def _upright(points: NDArray[np.float64]) -> NDArray[np.float64]:
    run = points[263] - points[33]
    angle = -np.arctan2(run[1], run[0])
    c, s = np.cos(angle), np.sin(angle)
    return points @ np.array([[c, s], [-s, c]])


if __name__ == "__main__":
    main()
