"""Drawn glasses, scarves, hats and jewellery: what few of the portraits show, labelled exactly."""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.portrait.labels import SIDE, face_frame
from avatar_engine.training.labels.examples import UNKNOWN, Example
from avatar_engine.types import LabelKind as Kind

Rng = np.random.Generator

_FINE = 4  # drawn this much larger
_EYES = (33, 133), (362, 263)
_FRAMES = (
    (20, 18, 18), (60, 40, 25), (120, 120, 125), (170, 140, 80), (110, 30, 30), (40, 40, 90),
    (200, 200, 200),
)  # fmt: skip
_METALS = ((212, 175, 90), (200, 200, 205), (240, 235, 225), (40, 120, 120), (150, 30, 40))


def put_on_glasses(example: Example, rng: Rng) -> Example:
    """Rims, bridge and temples about the eyes; now and then tinted."""
    marks = example.marks.astype(np.float64)
    eyes = [(marks[a] + marks[b]) / 2 for a, b in _EYES]
    across = eyes[1] - eyes[0]
    gap = float(np.linalg.norm(across))
    x = across / gap
    y = np.array([-x[1], x[0]])
    half_w = gap * rng.uniform(0.30, 0.46)
    half_h = gap * rng.uniform(0.19, 0.40)
    thick = float(np.exp(rng.uniform(np.log(0.6), np.log(4.0))))
    boxy = rng.uniform(2.0, 6.0)
    drop = gap * rng.uniform(-0.02, 0.12)
    rims = np.zeros((SIDE * _FINE, SIDE * _FINE), np.uint8)
    lenses = np.zeros_like(rims)
    turn = np.linspace(0, 2 * np.pi, 49)
    c, s = np.cos(turn), np.sin(turn)
    shape = np.stack([np.sign(c) * np.abs(c) ** (2 / boxy), np.sign(s) * np.abs(s) ** (2 / boxy)])
    outer = []
    for side, eye in zip((-1, 1), eyes, strict=True):
        middle = eye + y * drop + x * side * gap * rng.uniform(0.0, 0.03)
        ring = middle + np.outer(shape[0] * half_w, x) + np.outer(shape[1] * half_h, y)
        points = np.round(ring * _FINE).astype(np.int32)
        cv2.fillPoly(lenses, [points], (255.0,))
        upper_only = rng.random() < 0.15
        drawn = points[24:] if upper_only else points
        cv2.polylines(rims, [drawn], not upper_only, (255.0,), max(1, round(thick * _FINE)))
        outer.append(middle + x * side * half_w - y * half_h * rng.uniform(0, 0.5))
        temple = marks[234] if side < 0 else marks[454]
        end = np.array([temple[0], outer[-1][1] + rng.uniform(-0.1, 0.15) * gap])
        end = end + x * side * gap * rng.uniform(-0.02, 0.12)
        _line(rims, [outer[-1], end], thick * 1.2)
    inner = [eyes[0] + x * half_w + y * drop, eyes[1] - x * half_w + y * drop]
    top = (inner[0] + inner[1]) / 2 - y * half_h * rng.uniform(0.1, 0.5)
    _line(rims, [inner[0] - y * half_h * 0.2, top, inner[1] - y * half_h * 0.2], thick)
    shrink = lambda m: cv2.resize(m, (SIDE, SIDE), interpolation=cv2.INTER_AREA) / 255.0  # noqa: E731
    rim, lens = shrink(rims), shrink(lenses)
    picture = example.image.astype(np.float32)
    kind = example.kind.copy()
    if rng.random() < 0.35:
        tint = rng.uniform(0.05, 0.9 if rng.random() < 0.3 else 0.3)
        colour = np.array(_FRAMES[rng.integers(len(_FRAMES))], np.float32)
        picture += lens[..., None] * tint * (colour - picture)
        if tint > 0.6:
            kind[lens > 0.5] = Kind.GLASSES
    if rng.random() < 0.4:  # glare
        yy, xx = np.mgrid[0:SIDE, 0:SIDE]
        band = np.sin((xx * rng.uniform(-1, 1) + yy) * rng.uniform(0.05, 0.25) + rng.uniform(0, 6))
        picture += lens[..., None] * np.clip(band - 0.6, 0, 1)[..., None] * rng.uniform(40, 250)
    strength = rng.uniform(0.65, 1.0)
    colour = np.array(_FRAMES[rng.integers(len(_FRAMES))], np.float32) * rng.uniform(0.6, 1.1)
    picture += rim[..., None] * strength * (colour - picture)
    if rng.random() < 0.5:
        picture += np.roll(rim, -1, 0)[..., None] * rng.uniform(0, 60)
    kind[rim > 0.45] = Kind.GLASSES
    kind[(rim > 0.15) & (rim <= 0.45)] |= UNKNOWN
    return Example(_bytes(picture), example.matte, example.marks, kind)


def put_on_headwear(example: Example, rng: Rng) -> Example:
    """A scarf about head and neck, or a hat or cap; the matte grows with it."""
    frame = face_frame(example.marks)
    u, v = np.abs(frame[..., 0]), frame[..., 1]
    person = (example.matte > 0.5).astype(np.uint8)
    grow = int(rng.integers(2, 12))
    wider = (
        cv2.dilate(person, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1,) * 2)) > 0
    )
    wave = 0.03 * np.sin(frame[..., 0] * rng.uniform(2, 8) + rng.uniform(0, 6))
    if rng.random() < 0.6:  # scarf
        line = rng.uniform(0.86, 1.02)
        edge = rng.uniform(0.44, 0.54)
        egg = (u / edge) ** 2 + np.where(
            v > 0.45, (v - 0.45) / (line - 0.45), (0.45 - v) / rng.uniform(0.47, 0.6)
        ) ** 2
        low = rng.uniform(-0.9, -0.1)
        wraps = rng.random() < 0.75
        where = wider & (egg + wave > 1) & (v > (low if wraps else 0.1) + wave * 3)
        where &= (u < rng.uniform(0.75, 1.1)) | (v > 0)
        if not wraps:
            where &= v > 0.55
    else:  # hat
        line = rng.uniform(0.78, 1.0) + wave
        rim = rng.uniform(0.5, 0.95)
        brim = (np.abs(v - line) < rng.uniform(0.02, 0.06)) & (u < rim)
        crown = (u / rng.uniform(0.52, 0.66)) ** 2 + ((v - line) / rng.uniform(0.5, 0.85)) ** 2 < 1
        where = ((wider | crown) & (v > line) & (u < 0.75) & (v < line + 0.9)) | (
            brim & (rng.random() < 0.6)
        )
    yy, xx = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    colour = rng.uniform(0, 1, 3) ** rng.uniform(0.5, 2) * 255
    cloth = np.broadcast_to(colour, (SIDE, SIDE, 3)).astype(np.float32).copy()
    folds = cv2.GaussianBlur(
        rng.normal(0, 1, (SIDE, SIDE)).astype(np.float32), (0, 0), rng.uniform(3, 14)
    )
    folds /= folds.std() + 1e-6
    cloth *= 1 + rng.uniform(0.03, 0.3) * folds[..., None]
    if rng.random() < 0.4:
        other = rng.uniform(0, 255, 3)
        angle, period = rng.uniform(0, np.pi), rng.uniform(3, 20)
        stripes = np.sin((xx * np.cos(angle) + yy * np.sin(angle) + 3 * folds) * 2 * np.pi / period)
        cloth += (
            (stripes > rng.uniform(-0.5, 0.8))[..., None] * (other - cloth) * rng.uniform(0.2, 1)
        )
    elif rng.random() < 0.3:
        cloth += rng.normal(0, rng.uniform(5, 40), (SIDE, SIDE, 1))
    depth = cv2.distanceTransform(where.astype(np.uint8), cv2.DIST_L2, 3)
    cloth *= np.clip(0.55 + depth / rng.uniform(8, 30), 0, 1)[..., None]
    soft = cv2.GaussianBlur(where.astype(np.float32), (0, 0), 0.7)[..., None]
    kind = example.kind.copy()
    kind[where] = Kind.HEADWEAR
    picture = example.image * (1 - soft) + cloth * soft
    matte = np.maximum(example.matte, soft[..., 0])
    return Example(_bytes(picture), matte.astype(np.float32), example.marks, kind)


def put_on_jewellery(example: Example, rng: Rng) -> Example:
    """Earrings below ears that show, or a chain about the neck."""
    canvas = np.zeros((SIDE * _FINE, SIDE * _FINE), np.uint8)
    frame = face_frame(example.marks)
    if rng.random() < 0.6:
        for side in (frame[..., 0] < 0, frame[..., 0] > 0):
            rows, columns = np.nonzero((example.kind == Kind.EAR) & side)
            if len(rows) < 30:
                continue
            lowest = rows >= np.percentile(rows, 92)
            at = np.array([columns[lowest].mean(), rows[lowest].mean()]) + rng.normal(0, 0.8, 2)
            size = rng.uniform(1.2, 4.5)
            style = rng.random()
            centre = np.round((at + 0.5 + [0, size * (0 if style < 0.5 else 1)]) * _FINE)
            middle = int(centre[0]), int(centre[1])
            if style < 0.7:
                cv2.circle(canvas, middle, round(size * _FINE * 0.8), (255.0,), -1)
            else:
                cv2.circle(canvas, middle, round(size * _FINE * 1.3), (255.0,), round(1.2 * _FINE))
    else:
        across = np.linspace(-1, 1, int(rng.integers(18, 60))) * rng.uniform(0.22, 0.42)
        sag = rng.uniform(-0.45, -0.12) - rng.uniform(0.05, 0.3) * (1 - (across / across[-1]) ** 2)
        marks = example.marks.astype(np.float64)
        up, right = marks[10] - marks[152], marks[454] - marks[234]
        points = marks[152] + np.outer(sag, up) + np.outer(across, right)
        radius = rng.uniform(0.6, 1.8)
        for x, y in np.round(points * _FINE):
            cv2.circle(canvas, (int(x), int(y)), max(1, round(radius * _FINE)), (255.0,), -1)
    drawn = cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA) / 255.0
    drawn *= example.kind != Kind.HAIR
    colour = np.array(_METALS[rng.integers(len(_METALS))], np.float32)
    shine = rng.normal(1, 0.25, (SIDE, SIDE, 1))
    picture = example.image + drawn[..., None] * (colour * shine - example.image)
    kind = example.kind.copy()
    kind[drawn > 0.5] = Kind.OTHER
    kind[(drawn > 0.15) & (drawn <= 0.5)] |= UNKNOWN
    matte = np.maximum(example.matte, drawn).astype(np.float32)
    return Example(_bytes(picture), matte, example.marks, kind)


def _line(canvas: NDArray[np.uint8], points: list[NDArray[np.float64]], thick: float) -> None:
    at = np.round(np.array(points) * _FINE).astype(np.int32)
    cv2.polylines(canvas, [at], False, (255.0,), max(1, round(thick * _FINE)))


def _bytes(picture: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)
