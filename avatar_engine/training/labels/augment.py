"""One portrait shown many ways: turned, lit, recoloured, redressed, before other walls."""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.portrait.labels import SIDE
from avatar_engine.training.labels.examples import UNKNOWN, Example
from avatar_engine.training.labels.worn import (
    put_on_glasses,
    put_on_headwear,
    put_on_jewellery,
)
from avatar_engine.types import LabelKind as Kind

Rng = np.random.Generator


def augmented(example: Example, other: Example, rng: Rng) -> Example:
    """A new view of an example.

    Args:
        example: The portrait.
        other: Another one, whose surroundings may be borrowed.
        rng: Decides everything.
    """
    glasses = bool((example.kind == Kind.GLASSES).any())
    eyes_known = bool(
        (example.kind[_box(example.marks, (33, 263, 133, 362))] < UNKNOWN).mean() > 0.9
    )
    if not glasses and eyes_known and rng.random() < 0.3:
        example = put_on_glasses(example, rng)
    if rng.random() < 0.15:
        example = put_on_jewellery(example, rng)
    example = _recoloured(example, rng)
    if rng.random() < 0.45:
        example = _before(example, other, rng)
    if rng.random() < 0.1:
        example = put_on_headwear(example, rng)
    example = _moved(example, rng)
    return Example(_lit(example.image, rng), _roughened(example, rng), example.marks, example.kind)


def _box(marks: NDArray[np.floating], points: tuple[int, ...]) -> tuple[slice, slice]:
    low = np.clip(marks[list(points)].min(0) - 6, 0, SIDE - 2).astype(int)
    high = np.clip(marks[list(points)].max(0) + 6, 2, SIDE).astype(int)
    return slice(low[1], high[1]), slice(low[0], high[0])


def _recoloured(example: Example, rng: Rng) -> Example:
    """Hair, skin and cloth in other tones; cloth often in the hair's own."""
    picture = example.image.astype(np.float32)
    kinds = example.kind & ~np.uint8(UNKNOWN)

    def soft(*which: Kind) -> NDArray[np.float32]:
        mask = np.isin(kinds, which).astype(np.float32)
        return cv2.GaussianBlur(mask, (0, 0), 0.8)[..., None]

    if rng.random() < 0.35:  # skin
        gain = rng.uniform(0.35, 1.15) * np.array(
            [1, rng.uniform(0.88, 1.04), rng.uniform(0.8, 1.1)]
        )
        share = soft(Kind.SKIN, Kind.EAR)
        picture = (picture * (1 - share + gain * share)).astype(np.float32)
    if rng.random() < 0.35:  # hair and beard
        share = soft(Kind.HAIR, Kind.BEARD)
        here = np.isin(kinds, (Kind.HAIR, Kind.BEARD))
        if here.sum() > 50:
            mean = picture[here].mean(0)
            tone = mean.mean()
            wanted = np.clip(rng.choice([20.0, 35, 60, 100, 150, 200, 225]), 0, 255)
            tint = np.array([1, rng.uniform(0.75, 1.0), rng.uniform(0.5, 1.05)])
            new = wanted + (picture.mean(-1, keepdims=True) - tone) * rng.uniform(0.6, 1.3) * (
                0.4 + wanted / 160
            )
            picture = picture * (1 - share) + np.clip(new * tint, 0, 255) * share
    if rng.random() < 0.45:  # cloth
        share = soft(Kind.CLOTH)
        here = kinds == Kind.CLOTH
        if here.sum() > 50:
            mean = picture[here].mean(0)
            hair = np.isin(kinds, (Kind.HAIR,))
            skin = kinds == Kind.SKIN
            pick = rng.random()
            if pick < 0.4 and hair.sum() > 50:
                wanted = picture[hair].mean(0) + rng.normal(0, 6, 3)
            elif pick < 0.5:
                wanted = picture[skin].mean(0) + rng.normal(0, 15, 3)
            else:
                wanted = rng.uniform(0, 1, 3) ** rng.uniform(0.4, 2.5) * 255
            flatter = rng.uniform(0.1, 1.0)
            new = wanted + (picture - mean) * flatter
            picture = picture * (1 - share) + new * share
    return Example(_bytes(picture), example.matte, example.marks, example.kind)


def _before(example: Example, other: Example, rng: Rng) -> Example:
    """The person before another wall: plain, shaded, noisy, borrowed, or in the hair's colour."""
    pick = rng.random()
    yy, xx = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE
    hair = (example.kind & ~np.uint8(UNKNOWN)) == Kind.HAIR
    if pick < 0.25:
        wall = np.broadcast_to(other.image[:, :1].astype(np.float32), (SIDE, SIDE, 3)).copy()
        flip = other.image[:, ::-1].astype(np.float32)
        away = cv2.dilate(other.matte, np.ones((9, 9), np.uint8))[:, ::-1, None]
        wall = flip * (1 - away) + cv2.GaussianBlur(flip, (0, 0), 25) * away
    else:
        if pick < 0.45 and hair.sum() > 50:
            tone = example.image[hair].mean(0) + rng.normal(0, 12, 3)
        elif pick < 0.65:
            tone = np.full(3, rng.uniform(200, 262))
        else:
            tone = rng.uniform(0, 255, 3)
        slope = rng.normal(0, 30, (2, 3))
        wall = tone + xx[..., None] * slope[0] + yy[..., None] * slope[1]
        if rng.random() < 0.4:
            coarse = rng.normal(0, rng.uniform(5, 50), (int(rng.integers(3, 40)),) * 2 + (3,))
            wall = wall + cv2.resize(
                coarse.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC
            )
    share = example.matte[..., None]
    picture = example.image * share + np.clip(wall, 0, 255) * (1 - share)
    return Example(_bytes(picture), example.matte, example.marks, example.kind)


def _moved(example: Example, rng: Rng) -> Example:
    """Mirrored, turned, scaled, shifted."""
    turn = rng.normal(0, 0.10)
    scale = np.exp(rng.normal(0, 0.09))
    stretch = np.exp(rng.normal(0, 0.03))
    c, s = np.cos(turn) * scale, np.sin(turn) * scale
    move = np.array([[c * stretch, -s], [s * stretch, c]])
    if rng.random() < 0.5:
        move = move @ np.diag([-1.0, 1.0])
    middle = np.array([(SIDE - 1) / 2] * 2)
    shift = middle + rng.normal(0, 6, 2) - move @ middle
    matrix = np.c_[move, shift]
    warp = lambda a, how: cv2.warpAffine(  # noqa: E731
        a, matrix, (SIDE, SIDE), flags=how, borderMode=cv2.BORDER_REPLICATE
    )
    kind = warp(example.kind, cv2.INTER_NEAREST)
    marks = (example.marks - 0.5) @ move.T + shift + 0.5
    if np.linalg.det(move) < 0:  # the picture's left cheek must stay on the left
        marks[[234, 454]] = marks[[454, 234]]
    marks = marks + rng.normal(0, 0.5, 2)
    return Example(
        warp(example.image, cv2.INTER_LINEAR),
        warp(example.matte, cv2.INTER_LINEAR),
        marks.astype(np.float32),
        kind,
    )


def _roughened(example: Example, rng: Rng) -> NDArray[np.float32]:
    """The matte with the faults mattes have: too wide, too narrow, a bite or a blob, or none."""
    matte = example.matte
    pick = rng.random()
    if pick < 0.15:
        matte = cv2.dilate(matte, np.ones((int(rng.integers(2, 6)),) * 2, np.uint8))
    elif pick < 0.3:
        matte = cv2.erode(matte, np.ones((int(rng.integers(2, 6)),) * 2, np.uint8))
    elif pick < 0.45:
        matte = matte.copy()
        edge = np.argwhere((matte > 0.2) & (matte < 0.8))
        if len(edge):
            at = edge[rng.integers(len(edge))]
            size = int(rng.integers(4, 26))
            centre = int(at[1]), int(at[0])
            cv2.circle(matte, centre, size, (float(rng.random() < 0.5),), -1)
            matte = cv2.GaussianBlur(matte, (0, 0), 1.0)
    elif pick < 0.48:
        matte = np.full_like(matte, 0.5)
    return matte


def _lit(image: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """Light, colour cast, grey, blur, noise and compression."""
    picture = image.astype(np.float32) / 255
    if rng.random() < 0.4:
        angle = rng.uniform(0, 2 * np.pi)
        yy, xx = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
        ramp = 1 + rng.uniform(0, 0.6) * np.tanh(3 * (xx * np.cos(angle) + yy * np.sin(angle)))
        picture = picture * ramp[..., None].astype(np.float32)
    picture = np.clip(picture, 0, 1) ** np.exp(rng.normal(0, 0.25))
    picture = picture * np.exp(rng.normal(0, 0.12)) * np.exp(rng.normal(0, 0.06, 3))
    picture = (picture - 0.5) * np.exp(rng.normal(0, 0.12)) + 0.5
    grey = picture.mean(-1, keepdims=True)
    pick = rng.random()
    if pick < 0.12:
        tint = np.array([1, 1, 1]) if rng.random() < 0.6 else np.array([1.08, 1, 0.85])
        picture = np.repeat(grey, 3, -1) * tint
    elif pick < 0.5:
        picture = grey + (picture - grey) * rng.uniform(0.4, 1.4)
    if rng.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.8))
    if rng.random() < 0.3:
        picture = picture + rng.normal(0, rng.uniform(0.005, 0.05), picture.shape)
    out = _bytes(picture * 255)
    if rng.random() < 0.15:
        _, code = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 80))])
        out = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
    return out


def _bytes(picture: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)
