"""Teach the eye to notice a covered mouth: real portraits, and the same with drawn covers.

    python scripts/train_mouth_check.py PORTRAITS_DIR

Reads ``train`` and ``train225`` of the portraits folder, writes
``avatar_engine/portrait/models/mouth_check.safetensors`` and prints how ``dev`` fares.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from avatar_engine.portrait.detection import detect_faces
from avatar_engine.portrait.landmarks import find_landmarks
from avatar_engine.portrait.mouth import WEIGHTS, mouth_features
from avatar_engine.portrait.networks import default_networks
from avatar_engine.portrait.photo import read_photo
from avatar_engine.weights import WeightFacts, save_weights

JAW = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)
JAW += (323, 454)
OUTER_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181)
OUTER_LIPS += (91, 146)
COVERS = ("mask", "patch", "borrowed", "fingers", "painted", "thing")

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]


def main() -> None:
    """Train, save, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("portraits", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    torch.manual_seed(args.seed)
    files = sorted((args.portraits / "train").glob("*.jpg"))
    files += sorted((args.portraits / "train225").glob("*.jpg"))
    x, y, _ = _samples(files, rng, each=4)
    print(f"{len(y)} samples, {y.mean():.0%} covered")
    tensors = _train(x, y)
    facts = WeightFacts(
        name="mouth_check",
        version="1",
        licence="Apache-2.0",
        recipe="scripts/train_mouth_check.py on public-domain portraits with drawn covers",
    )
    save_weights(WEIGHTS, tensors, facts)
    x, y, kinds = _samples(sorted((args.portraits / "dev").glob("*.jpg")), rng, each=12)
    chance = _answer(tensors, x)
    print(f"dev, clean: highest {chance[y == 0].max():.3f}")
    for kind in COVERS:
        chosen = chance[np.array(kinds) == kind]
        print(f"dev, {kind}: {np.mean(chosen > 0.5):.1%} noticed of {len(chosen)}")


def _samples(
    files: list[Path], rng: np.random.Generator, *, each: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], list[str]]:
    """Features [N, D], whether covered [N], and the cover's kind or ''."""
    features, covered, kinds = [], [], []
    for path in files:
        picture = read_photo(path)
        points = _points(picture)
        if points is None:
            continue
        for seen, kind in _variants(picture, points, rng, each):
            found = _points(seen)
            if found is None:
                continue
            features.append(mouth_features(seen, found))
            covered.append(float(kind != ""))
            kinds.append(kind)
    return np.stack(features), np.array(covered, np.float32), kinds


def _variants(
    picture: Picture, points: Points, rng: np.random.Generator, each: int
) -> Iterator[tuple[Picture, str]]:
    yield picture, ""
    yield np.ascontiguousarray(picture[:, ::-1]), ""
    for _ in range(max(1, each // 3)):
        yield _shot(picture, rng), ""
    for _ in range(each):
        kind = COVERS[rng.integers(len(COVERS))]
        yield _shot(cover(picture, points, kind, rng), rng), kind


def _points(picture: Picture) -> Points | None:
    networks = default_networks()
    seen = detect_faces(picture, networks)
    if not seen:
        return None
    face = find_landmarks(picture, seen[0], networks)
    return face.points if face.score > 0.5 else None


def _shot(picture: Picture, rng: np.random.Generator) -> Picture:
    """The same by another camera: light, tint, softness, noise, mirror."""
    seen = picture.astype(np.float32) * rng.uniform(0.6, 1.25) * rng.uniform(0.93, 1.07, 3)
    seen = 255 * np.clip(seen / 255, 0, 1) ** rng.uniform(0.75, 1.3)
    if rng.random() < 0.5:
        seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.3, 0.004 * len(picture) + 0.4))
    seen = seen + rng.normal(0, rng.uniform(0, 6), seen.shape)
    if rng.random() < 0.5:
        seen = seen[:, ::-1]
    return np.ascontiguousarray(np.clip(seen, 0, 255).astype(np.uint8))


def cover(picture: Picture, points: Points, kind: str, rng: np.random.Generator) -> Picture:
    """The picture with the mouth hidden behind something drawn."""
    width = float(np.linalg.norm(points[454, :2] - points[234, :2]))
    area = np.zeros(picture.shape[:2], np.uint8)
    if kind == "mask":
        top = points[[454, 323, 195, 93, 234], :2].copy()
        top[2] += (points[4, :2] - points[195, :2]) * rng.uniform(-0.6, 0.6)
        rim = np.concatenate([points[list(JAW), :2], top])
        rim += rng.normal(0, 0.01 * width, rim.shape)
        cv2.fillPoly(area, [np.round(rim).astype(np.int32)], 255)
        layer = _cloth(picture, width, rng)
    elif kind == "fingers":
        area, layer = _hand(picture, points, width, rng)
    elif kind == "painted":
        lips = np.round(points[list(OUTER_LIPS), :2]).astype(np.int32)
        cv2.fillConvexPoly(area, cv2.convexHull(lips), 255)
        reach = int(width * rng.uniform(0.06, 0.14)) | 1
        area = cv2.dilate(area, np.ones((reach, reach), np.uint8))
        layer = cv2.inpaint(picture, area, 5, cv2.INPAINT_TELEA).astype(np.float32)
        layer += cv2.GaussianBlur(rng.normal(0, 12, picture.shape), (0, 0), 1.0)
    else:
        _shape(area, points, width, kind, rng)
        layer = _cloth(picture, width, rng) if kind != "borrowed" else _borrowed(picture, rng)
    soft = cv2.GaussianBlur(area.astype(np.float32) / 255, (0, 0), rng.uniform(0.4, 0.012 * width))
    mixed = picture * (1 - soft[..., None]) + layer * soft[..., None]
    return np.clip(mixed, 0, 255).astype(np.uint8)


def _shape(
    area: Picture, points: Points, width: float, kind: str, rng: np.random.Generator
) -> None:
    """An ellipse or a box over the mouth; a thing also comes in from below."""
    centre = points[[61, 291, 13, 14], :2].mean(0) + rng.normal(0, 0.03 * width, 2)
    half = np.array([rng.uniform(0.27, 0.45), rng.uniform(0.16, 0.3)]) * width
    turn = float(rng.uniform(-25, 25))
    if rng.random() < 0.5:
        cv2.ellipse(area, (centre.tolist(), (2 * half).tolist(), turn), 255, -1)
    else:
        box = cv2.boxPoints((centre.tolist(), (2 * half).tolist(), turn))
        cv2.fillConvexPoly(area, np.round(box).astype(np.int32), 255)
    if kind == "thing":
        end = centre + np.array([rng.uniform(-0.5, 0.5), 1.2]) * width
        ends = [tuple(int(v) for v in p) for p in (centre, end)]
        cv2.line(area, ends[0], ends[1], 255, max(2, int(width * rng.uniform(0.15, 0.5))))


def _hand(
    picture: Picture, points: Points, width: float, rng: np.random.Generator
) -> tuple[Picture, NDArray[np.float32]]:
    """Three to five fingers side by side in the face's own skin tone, lit from one side."""
    skin = np.median(
        [picture[int(y), int(x)] for x, y in points[[50, 280, 117, 346, 151], :2]], axis=0
    )
    skin = np.clip(skin * rng.uniform(0.75, 1.1), 0, 255)
    area = np.zeros(picture.shape[:2], np.uint8)
    layer = np.tile(np.float32(skin * 0.6), (*picture.shape[:2], 1))
    centre = points[[61, 291, 13, 14], :2].mean(0) + rng.normal(0, 0.03 * width, 2)
    turn = rng.uniform(-0.6, 0.6) + (np.pi / 2 if rng.random() < 0.35 else 0)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    count, thick = int(rng.integers(3, 6)), width * rng.uniform(0.11, 0.16)
    for k in range(count):
        middle = centre + across * (k - (count - 1) / 2) * thick * 1.02
        start = middle - along * width * rng.uniform(0.35, 0.6)
        end = middle + along * width * rng.uniform(0.35, 0.9)
        a, b = (tuple(int(v) for v in p) for p in (start, end))
        cv2.line(area, a, b, 255, int(thick))
        for step in np.linspace(1, 0.15, 7):  # round: bright along the middle
            cv2.line(
                layer, a, b, (skin * (0.72 + 0.33 * (1 - step))).tolist(), int(thick * step) + 1
            )
    layer += cv2.GaussianBlur(rng.normal(0, 18, picture.shape), (0, 0), 1.5)
    return area, layer


def _cloth(picture: Picture, width: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A colour with folds, a weave and perhaps a print."""
    colour = (
        np.array([(225, 235, 240), (150, 190, 215), (30, 30, 34), (250, 250, 250), (120, 30, 40)])[
            rng.integers(5)
        ]
        if rng.random() < 0.5
        else rng.uniform(10, 250, 3)
    )
    if rng.random() < 0.25:  # skin-like, the hardest
        colour = picture[len(picture) // 2, picture.shape[1] // 2] * rng.uniform(0.8, 1.15)
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]] / width
    turn = rng.uniform(-0.5, 0.5)
    folds = np.sin((y * np.cos(turn) + x * np.sin(turn)) * rng.uniform(8, 40) + rng.uniform(0, 6))
    shade = 1 + rng.uniform(0, 0.15) * folds + rng.uniform(-0.3, 0.3) * (x - x.mean())
    layer = np.asarray(colour, np.float64) * shade[..., None]
    if rng.random() < 0.2:
        layer[(np.sin(x * 30) * np.sin(y * 30)) > 0.5] = rng.uniform(0, 255, 3)
    noise = cv2.GaussianBlur(rng.normal(0, 1, picture.shape[:2]), (0, 0), rng.uniform(0.5, 2.5))
    return (layer + (noise / noise.std() * rng.uniform(0, 10))[..., None]).astype(np.float32)


def _borrowed(picture: Picture, rng: np.random.Generator) -> NDArray[np.float32]:
    """The photo itself, moved: cloth, hair, wall or forehead where the mouth was."""
    height, width = picture.shape[:2]
    move = rng.uniform(0.25, 0.5, 2) * [width, height] * rng.choice([-1, 1], 2)
    matrix = np.array([[1, 0, move[0]], [0, 1, move[1]]])
    border = cv2.BORDER_REFLECT_101
    return cv2.warpAffine(picture, matrix, (width, height), borderMode=border).astype(np.float32)


def _train(x: NDArray[np.float32], y: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    mean, deviation = x.mean(0), x.std(0) + 0.02
    inputs, wanted = torch.tensor((x - mean) / deviation), torch.tensor(y)
    model = torch.nn.Sequential(
        torch.nn.Dropout(0.3),
        torch.nn.Linear(x.shape[1], 24),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.3),
        torch.nn.Linear(24, 1),
    )
    steps = 60 * (len(y) // 128)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    # A photo refused for nothing costs more than a cover that slips through.
    loss = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(0.5))
    for _ in range(steps):
        batch = torch.randint(len(y), (128,))
        optimiser.zero_grad()
        loss(model(inputs[batch])[:, 0], wanted[batch]).backward()
        optimiser.step()
        schedule.step()
    first, second = model[1], model[4]
    w1 = first.weight.detach().numpy() / deviation
    return {
        "w1": w1.astype(np.float32),
        "b1": (first.bias.detach().numpy() - w1 @ mean).astype(np.float32),
        "w2": second.weight.detach().numpy()[0].astype(np.float32),
        "b2": second.bias.detach().numpy().astype(np.float32),
    }


def _answer(tensors: dict[str, NDArray[np.float32]], x: NDArray[np.float32]) -> NDArray[np.float64]:
    hidden = np.maximum(x @ tensors["w1"].T + tensors["b1"], 0)
    return 1 / (1 + np.exp(-(hidden @ tensors["w2"] + tensors["b2"][0]).astype(np.float64)))


if __name__ == "__main__":
    main()
