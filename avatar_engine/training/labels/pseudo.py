"""First labels for a portrait: places that geometry makes certain, then the person's own colours.

What a rule cannot know (is this head bald, does the hair hang down, are there glasses) a person has
said in ``hand.json``, and where colours still went wrong has drawn strokes. So the colour models
only have to find edges.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from avatar_engine.gaussian.colour_model import Mixture, guided, softmax
from avatar_engine.gaussian.smooth import smoothstep
from avatar_engine.training.labels.crops import Crop
from avatar_engine.training.labels.hand import Notes
from avatar_engine.types import LabelKind as Kind

_COLOURED = (Kind.BACKGROUND, Kind.SKIN, Kind.HAIR, Kind.CLOTH)
_STROKE_PX = 5
_EYES_AND_MOUTH = (
    [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
    [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249],
    [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146],
)
_BROWS = (
    [70, 63, 105, 66, 107, 55, 65, 52, 53, 46],
    [300, 293, 334, 296, 336, 285, 295, 282, 283, 276],
)


@dataclass(frozen=True, slots=True)
class Target:
    """What a network shall answer for a crop.

    Attributes:
        share: [S, S, K] float32, sums to one.
        trust: [S, S] float32 in [0, 1]; 0 where nobody knows.
    """

    share: NDArray[np.float32]
    trust: NDArray[np.float32]


def pseudo_labels(crop: Crop, notes: Notes) -> Target:
    """Label a crop by geometry, colours and what was noted by hand."""
    size = len(crop.image)
    lab = cv2.cvtColor((crop.image / np.float32(255)).astype(np.float32), cv2.COLOR_RGB2LAB)
    frame = crop.face_frame()
    u, v = np.abs(frame[..., 0]), frame[..., 1]
    hull = crop.hull(grow=-3)
    around = crop.hull(grow=1)
    strokes = _strokes(notes, size)
    features = np.zeros((size, size), bool)
    for polygon in (*_EYES_AND_MOUTH, *_BROWS):
        features |= crop.polygon(polygon, grow=3)
    ear = np.zeros_like(crop.ear) if "long" in notes.kinds else crop.ear
    prior = _prior(frame, crop.matte, crop.hull(grow=0).astype(np.float32), ear, notes)
    seeds = _seeds(frame, crop, hull & ~features, ~around, notes)
    colour = lab * [0.7, 1.0, 1.0]
    _clear_seeds(seeds, colour, frame, notes)
    for kind in range(4):
        named = _COLOURED[kind]
        drawn = strokes.get(named)
        for k in range(4):
            if drawn is not None:
                seeds[k] = seeds[k] | drawn if k == kind else seeds[k] & ~drawn
    share4 = _inferred(colour, prior, seeds, lab[..., 0] / 100)
    share4 = _connected(share4, hull, seeds[2])
    for kind in range(4):
        drawn = strokes.get(_COLOURED[kind])
        if drawn is not None:
            share4[drawn] = np.eye(4, dtype=np.float32)[kind]
    share = np.zeros((size, size, len(Kind)), np.float32)
    for k, kind in enumerate(_COLOURED):
        share[..., kind] = share4[..., k]
    trust = smoothstep(share4.max(-1), 0.5, 0.8).astype(np.float32)
    _split_ears(share, crop, notes)
    _split_beard(share, crop, colour, frame, notes)
    for kind, drawn in strokes.items():
        share[drawn] = np.eye(len(Kind), dtype=np.float32)[kind]
        trust[drawn] = 1
    if "glasses" in notes.kinds and Kind.GLASSES not in strokes:
        trust[(v > 0.55) & (v < 0.95) & (u < 0.62)] = 0
    if "earrings" in notes.kinds and Kind.OTHER not in strokes:
        trust[(v > 0.15) & (v < 0.5) & (u > 0.42) & (u < 0.7)] = 0
    trust *= crop.in_photo | (crop.matte < 0.05)
    trust[strokes.get("unsure", np.zeros((size, size), bool))] = 0  # type: ignore[call-overload]
    return Target(share, trust)


def _strokes(notes: Notes, size: int) -> dict[Kind, NDArray[np.bool_]]:
    """Where each kind was drawn by hand."""
    found: dict[Kind, NDArray[np.bool_]] = {}
    for kind, lines in notes.strokes.items():
        mask = np.zeros((size, size), np.uint8)
        for line in lines:
            points = np.array(line, np.int32).reshape(-1, 2)
            closed = len(points) > 3 and (points[0] == points[-1]).all()
            if closed:
                cv2.fillPoly(mask, [points], (1.0,))
            else:
                width = 2 if kind in (Kind.GLASSES, Kind.OTHER) else _STROKE_PX
                cv2.polylines(mask, [points], False, (1.0,), width)
        found[kind] = mask > 0
    return found


def _prior(frame, matte, hull, ear, notes):  # type: ignore[no-untyped-def]
    """[S, S, 4] how likely background, skin, hair and cloth are before any colour is seen."""
    u, v = np.abs(frame[..., 0]), frame[..., 1]
    prior = np.full((*u.shape, 4), 0.02)
    prior[..., 1] = 0.004
    neck = smoothstep(v, 0.1, -0.02) * smoothstep(v, -0.95, -0.3) * smoothstep(u, 0.75, 0.42)
    forehead = smoothstep(v, 0.8, 1.0) * smoothstep(v, 1.35, 1.05) * smoothstep(u, 0.6, 0.4)
    prior[..., 1] += np.maximum.reduce([0.6 * neck, 0.5 * ear, 0.35 * forehead])
    if {"bald", "receding"} & notes.kinds:
        prior[..., 1] += 0.5 * smoothstep(v, 0.5, 0.8)
    top = smoothstep(v, 0.75, 1.08)
    side = smoothstep(u, 0.36, 0.5) * smoothstep(v, -1.3, -0.2)
    chest = 0.35 * smoothstep(v, -1.6, -0.6) * smoothstep(u, 0.15, 0.5)
    hair = np.maximum.reduce([0.9 * top, 0.6 * side, 0.4 * chest])
    under_chin = smoothstep(v, 0.32, 0.22) * smoothstep(u, 0.46, 0.40)
    prior[..., 2] += hair * (1 - under_chin)
    shoulder = smoothstep(v, 0.12, -0.05) * smoothstep(u, 0.35, 0.65)
    prior[..., 3] += np.maximum(0.95 * smoothstep(v, -0.02, -0.5), 0.6 * shoulder)
    fringe = 0.3 * smoothstep(v, 0.70, 0.95) + 0.15 * smoothstep(u, 0.36, 0.46)
    inside = np.stack([0 * u, 1 - fringe, fringe, 0 * u], -1)
    prior = prior * (1 - hull[..., None]) + inside * hull[..., None] + 1e-4
    if "bald" in notes.kinds:
        prior[..., 2] *= 0.02
    elif "long" not in notes.kinds:
        prior[..., 2] *= 1 - 0.998 * smoothstep(v, 0.30, 0.18)
        prior[..., 2] *= 1 - 0.9 * ear
    prior[..., 3] *= 1 - 0.995 * smoothstep(v, 0.25, 0.4)
    prior[..., 1:] *= np.clip(matte, 0.02, 1)[..., None] / prior[..., 1:].sum(-1, keepdims=True)
    prior[..., 0] = np.clip(1 - matte, 0.003, 1)
    return prior


def _seeds(frame, crop, face, outside_face, notes):  # type: ignore[no-untyped-def]
    """Four masks where the class is certain by place alone."""
    u, v = np.abs(frame[..., 0]), frame[..., 1]
    sure = crop.matte > 0.96
    bottom = (v < -0.55) & sure
    if "long" in notes.kinds:
        bottom &= v < -0.6
    hair = sure & outside_face & (crop.scalp > 0.5) & (v > 0.98)
    if "receding" in notes.kinds:  # a bare crown: only the sides are sure to be hair
        hair = sure & outside_face & (u > 0.44) & (v > 0.62) & (v < 0.9) & (crop.ear < 0.1)
    if "bald" in notes.kinds:
        hair = np.zeros_like(hair)
    return [crop.matte < 0.04, face & (v < 0.78) & (v > 0.2) & (u < 0.38), hair, bottom]


def _clear_seeds(seeds, colour, frame, notes):  # type: ignore[no-untyped-def]
    """Take bare forehead out of what is surely hair, and hanging hair out of what is cloth."""
    u, v = np.abs(frame[..., 0]), frame[..., 1]
    if seeds[1].sum() < 40 or seeds[2].sum() < 40:
        return
    skin = Mixture.fitted(colour[seeds[1]], 4)
    usual = np.percentile(skin.log_density(colour[seeds[1]]), 10)
    bare = seeds[2] & (v < 1.2) & (skin.log_density(colour) > usual - 2)
    if (seeds[2] & ~bare).sum() > 0.2 * seeds[2].sum():
        seeds[2] = seeds[2] & ~bare
    if "long" in notes.kinds:
        hair = Mixture.fitted(colour[seeds[2]], 4)
        usual = np.percentile(hair.log_density(colour[seeds[2]]), 15)
        seeds[3] = seeds[3] & ~((hair.log_density(colour) > usual - 1) & (u < 0.8))


def _inferred(colour, prior, seeds, guide):  # type: ignore[no-untyped-def]
    """Posterior shares [S, S, 4] from three rounds of colour models and guided smoothing."""
    share = np.stack([s.astype(np.float32) for s in seeds], -1)
    fixed = np.any(seeds, 0)
    classes = [k for k in range(4) if seeds[k].sum() >= 40]
    pool = list(seeds)
    for _ in range(3):
        energy = np.full((*colour.shape[:2], 4), -60.0)
        for k in classes:
            energy[..., k] = Mixture.fitted(colour[pool[k]], 5).log_density(colour)
        energy = 0.6 * energy + 1.5 * np.log(prior)
        for k in range(4):
            energy[seeds[k]] = -60
            energy[seeds[k], k] = 0
        share = softmax(energy)
        for _ in range(2):
            smooth = np.stack([guided(guide, share[..., k], 4) for k in range(4)], -1)
            share = softmax(energy + 3.0 * smooth)
        pool = [seeds[k] | ((share[..., k] > 0.9) & ~fixed) for k in range(4)]
    smooth = np.stack([guided(guide, share[..., k], 2) for k in range(4)], -1)
    return smooth / np.maximum(smooth.sum(-1, keepdims=True), 1e-6)


def _connected(share, hull, hair_seed):  # type: ignore[no-untyped-def]
    """Take a class away from islands that hang on nothing."""
    best = share.argmax(-1)
    for k, root in ((1, hull), (2, hair_seed)):
        parts, count = label(best == k)
        touched = np.unique(parts[root & (best == k)])
        sizes = np.bincount(parts.ravel())
        big = 250 if k == 2 else 120
        keep = [p for p in range(1, count + 1) if p in touched or sizes[p] > big]
        share[(best == k) & ~np.isin(parts, keep), k] *= 0.05
    return (share / share.sum(-1, keepdims=True)).astype(np.float32)


def _split_ears(share: NDArray[np.float32], crop: Crop, notes: Notes) -> None:
    """Skin where the fitted head has its ears, and just beside it, is ear."""
    if "long" in notes.kinds and "ears" not in notes.kinds:
        return
    near = cv2.dilate(crop.ear, np.ones((9, 9), np.uint8))
    u = np.abs(crop.face_frame()[..., 0])
    here = near * smoothstep(u, 0.42, 0.47)
    moved = share[..., Kind.SKIN] * here
    share[..., Kind.EAR] += moved
    share[..., Kind.SKIN] -= moved


def _split_beard(share, crop, colour, frame, notes):  # type: ignore[no-untyped-def]
    """Within the lower face, what is unlike the cheeks is beard, if there is one."""
    wanted = {"beard", "moustache"} & set(notes.kinds)
    if not wanted:
        return
    u, v = np.abs(frame[..., 0]), frame[..., 1]
    lips = crop.polygon(_EYES_AND_MOUTH[2], grow=0)
    hull = crop.hull(grow=2)
    full = hull & (v < 0.45) & ~((v > 0.28) & (u < 0.06) & (v > 0.42))
    lip_zone = (v > 0.27) & (v < 0.41) & (u < 0.26)
    zone = np.zeros_like(hull)
    if "beard" in notes.kinds:
        zone |= full | (
            (v <= 0.05)
            & (v > -0.12)
            & (u < 0.4)
            & (share[..., Kind.HAIR] + share[..., Kind.SKIN] > 0.5)
        )
    if "moustache" in notes.kinds:
        zone |= lip_zone
    zone &= ~lips
    cheeks = hull & (v > 0.45) & (v < 0.65) & (u < 0.36) & (u > 0.12)
    chin = zone & (v < 0.30) if "beard" in notes.kinds else lip_zone & ~lips & (u < 0.2)
    if cheeks.sum() < 40 or chin.sum() < 40:
        return
    of_skin = Mixture.fitted(colour[cheeks], 3)
    middle = of_skin.log_density(colour)
    unlike = smoothstep(-middle, 7.0, 12.0) * zone
    unlike = guided((crop.image.mean(-1) / 255).astype(np.float32), unlike.astype(np.float32), 3)
    moved = (share[..., Kind.SKIN] + share[..., Kind.HAIR]) * unlike * zone
    share[..., Kind.SKIN] *= 1 - unlike * zone
    share[..., Kind.HAIR] *= 1 - unlike * zone
    share[..., Kind.BEARD] += moved
