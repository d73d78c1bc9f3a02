"""Draw the face of the examples: a person who does not exist.

    python scripts/make_example_face.py PORTRAITS_DIR examples/face.png

A dozen public-domain portraits are warped to their common, symmetric geometry and brought to one
light. Coarse bands of the picture are the mean of all of them; fine bands come from a different
person for the eyes, the nose, the mouth and the skin; hair, ears and clothes from one more, warped
to the same geometry; the wall is painted. Nothing is random, so the file can be made again.
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

from avatar_engine.portrait.detection import detect_faces
from avatar_engine.portrait.landmarks import find_landmarks
from avatar_engine.portrait.matte import person_matte
from avatar_engine.portrait.networks import default_networks
from avatar_engine.portrait.photo import read_photo

Floats = NDArray[np.float32]
Similarity = Callable[[NDArray[np.float64]], NDArray[np.float64]]

SIZE = 640
FACE_HEIGHT = 254.0  # pixels, hairline to chin
FACE_CENTRE = (320.0, 284.0)

COARSE = ("044", "036", "249", "072", "122", "045", "192", "137", "110", "132")
EYES, NOSE, MOUTH, SKIN = "137", "044", "044", "036"
BODY = "072"

LEVELS = 6
COARSE_SHARE = (0.0, 0.0, 0.15, 0.6, 0.9, 1.0, 1.0)  # of the mean, per band from fine to coarse
TONE_GAIN = np.array([1.05, 0.88, 0.86])  # lighter and less flushed than the mean, Lab
SHARPENING = 0.7
EAR_NARROWING = 0.42
WALL_LIGHT = np.array([0.80, 0.83, 0.85])
WALL_DARK = np.array([0.52, 0.58, 0.63])

OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377)
OVAL += (152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
EYE_AREA = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 340, 347, 349, 6, 120, 118, 111)
NOSE_AREA = (6, 122, 126, 129, 98, 2, 327, 358, 355, 351)
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
    names = dict.fromkeys([*COARSE, EYES, NOSE, MOUTH, SKIN, BODY])
    sitters = {name: _read(args.portraits / "train" / f"p{name}.jpg") for name in names}
    geometry = _common_geometry([sitters[name] for name in COARSE])
    face = compose(sitters, geometry)
    cv2.imwrite(str(args.output), np.round(face[..., ::-1] * 255).astype(np.uint8))
    print(f"{args.output}: {SIZE} x {SIZE}, {args.output.stat().st_size // 1000} kB")


def _read(path: Path) -> Sitter:
    picture, networks = read_photo(path), default_networks()
    face = find_landmarks(picture, detect_faces(picture, networks)[0], networks)
    matte = person_matte(picture, networks)
    return Sitter(picture.astype(np.float32) / 255, face.points[:, :2], matte)


def _common_geometry(sitters: list[Sitter]) -> NDArray[np.float64]:
    """Mean landmarks [478, 2] of everybody and their mirror images, at the place wanted."""
    shapes = [sitter.points for sitter in sitters]
    mean = shapes[0]
    for _ in range(4):
        mean = np.mean([_onto(shape, mean) for shape in shapes], axis=0)
    mean = _upright(mean)
    flipped = _onto(mean * [-1, 1], mean)
    cost = np.linalg.norm(mean[:, None] - flipped[None], axis=-1)
    mean = (mean + flipped[linear_sum_assignment(cost)[1]]) / 2
    middle = (mean[152] + mean[10]) / 2
    return (mean - middle) * (FACE_HEIGHT / (mean[152, 1] - mean[10, 1])) + FACE_CENTRE


def compose(sitters: dict[str, Sitter], geometry: NDArray[np.float64]) -> Floats:
    """The finished picture, [SIZE, SIZE, 3] in [0, 1]."""
    skin = _skin_area(geometry)
    warped = {name: _warp(sitter.image, sitter, geometry) for name, sitter in sitters.items()}
    labs = {name: cv2.cvtColor(image, cv2.COLOR_RGB2LAB) for name, image in warped.items()}
    tones = {name: np.median(lab[skin], axis=0) for name, lab in labs.items()}
    tone = np.mean([tones[name] for name in COARSE], axis=0) * TONE_GAIN
    body = _with_skin_tone(labs[BODY], tones[BODY], tone)
    labs = {name: lab + (tone - tones[name]) for name, lab in labs.items()}
    mean = np.mean([labs[name] for name in COARSE], axis=0)
    face = _soft(_hull(geometry, OVAL), 9.0, shrink=10)
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
    rgb = np.clip(cv2.cvtColor(picture, cv2.COLOR_LAB2RGB), 0, 1)
    return _new_wall(rgb, _warp(sitters[BODY].matte, sitters[BODY], geometry))


def _with_skin_tone(lab: Floats, tone: Floats, wanted: Floats) -> Floats:
    """Skin, and only skin, moved to another tone; ears no redder than the face."""
    distance = np.linalg.norm((lab - tone)[..., 1:], axis=-1) + np.maximum(0, 30 - lab[..., 0])
    skin = cv2.GaussianBlur(np.exp(-((distance / 16) ** 2)).astype(np.float32), (0, 0), 3)
    moved = lab + skin[..., None] * (wanted - tone)
    red, limit = moved[..., 1], wanted[1] + 3
    moved[..., 1] = np.where(red > limit, limit + 0.3 * (red - limit), red)
    return moved.astype(np.float32)


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
    x = x + _ears_laid_back(x, y, geometry)
    full = cv2.remap(move, x / step, y / step, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(
        cv2.remap(image, full - 0.5, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), 0, 1
    )


def _ears_laid_back(x: Floats, y: Floats, geometry: NDArray[np.float64]) -> Floats:
    """How far outward to fetch a pixel from, so that ears come out narrower."""
    shift = np.zeros_like(x)
    for sign, rows in ((-1, (127, 234, 93, 132)), (1, (356, 454, 323, 361))):
        rim = geometry[list(rows)]
        edge = np.interp(y[:, 0], rim[:, 1], rim[:, 0])[:, None]
        beyond = np.maximum(sign * (x - edge), 0)
        at = rim[0, 1] - 60, rim[0, 1] + 10, rim[3, 1], rim[3, 1] + 110
        share = np.interp(y, at, (0, 1, 1, 0))
        share = share * share * (3 - 2 * share)
        shift += sign * share * np.minimum(EAR_NARROWING * beyond, EAR_NARROWING * 34)
    return shift.astype(np.float32)


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


def _new_wall(rgb: Floats, matte: Floats) -> Floats:
    """Another wall behind the person: what shone through the hair is exchanged with it."""
    outside = (matte < 0.02).astype(np.float32)
    amount = cv2.GaussianBlur(outside, (0, 0), 12)[..., None]
    old = cv2.GaussianBlur(rgb * outside[..., None], (0, 0), 12) / (amount + 1e-4)
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    light = np.exp(-((x - 0.5) ** 2 + (y - 0.45) ** 2) / 0.35)[..., None]
    wall = WALL_DARK + (WALL_LIGHT - WALL_DARK) * light
    wall = wall + np.random.default_rng(5).normal(0, 0.004, (SIZE, SIZE, 1))
    through = (1 - matte)[..., None]
    person = np.clip(rgb + through * (wall - old), 0, 1)
    gone = np.clip(4 * through - 3, 0, 1)  # where hardly anything is left of the person
    return (person * (1 - gone) + wall * gone).astype(np.float32)


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
