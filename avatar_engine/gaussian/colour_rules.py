"""Hair, skin and cloth by colour alone: what is left where the label network is at a loss.

No single colour rule survives a dark suit under dark hair. Each class gets several Gaussians in
colour, seeded where the face's frame makes the class certain; a position prior, picture-guided
smoothing and connectivity decide the rest.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from avatar_engine.gaussian.colour_model import Mixture, guided, softmax
from avatar_engine.gaussian.smooth import blur_image, smoothstep
from avatar_engine.gaussian.view import View

BACKGROUND, SKIN, HAIR, CLOTH = range(4)
_HALF = 2  # labels are found at half the working size
_SEEN_EAR = np.array([0.01, 0.86, 0.12, 0.01])
_EYES_AND_MOUTH = (
    [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
    [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249],
    [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146],
)


def shares_by_colour(
    view: View, scalp_pixels: NDArray[np.bool_], ear_pixels: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], bool, bool]:
    """Shares [S, S, 4] of BACKGROUND, SKIN, HAIR and CLOTH; is the head bald; is hair long.

    Args:
        view: The portrait.
        scalp_pixels: [S, S] where the fitted head's scalp projects.
        ear_pixels: [S, S] where its ears do.
    """
    size = view.size // _HALF
    small = cv2.resize(view.image, (size, size), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    shrink = lambda m: cv2.resize(m.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)  # noqa: E731
    matte = shrink(view.matte)
    yy, xx = np.mgrid[0:size, 0:size]
    frame = view.face_frame(np.stack([xx + 0.5, yy + 0.5], -1) * _HALF)
    hull = shrink(view.face_hull(grow=-6)) > 0.9
    outside_face = shrink(view.face_hull(grow=2)) < 0.1
    prior = _prior(frame, matte, shrink(view.face_hull()))
    seeds = _seeds(view, frame, matte, hull, outside_face, shrink(scalp_pixels) > 0.5, shrink)
    colour = lab * [0.7, 1.0, 1.0]
    bald = _looks_bald(colour, seeds)
    long = not bald and _hangs_below_ears(colour, frame, matte, seeds, hull)
    _adapt(prior, colour, frame, seeds, is_bald=bald, is_long=long)
    if not long:
        ear = shrink(ear_pixels)[..., None] * 0.9
        prior = prior * (1 - ear) + ear * np.clip(matte, 0.02, 1)[..., None] * _SEEN_EAR
    share = _inferred(colour, prior, seeds, guide=lab[..., 0] / 100, bald=bald)
    share = _connected(share, matte, hull, shrink(scalp_pixels) > 0.5)
    full = cv2.resize(share, (view.size, view.size), interpolation=cv2.INTER_LINEAR)
    return full, bald, long


def _prior(
    frame: NDArray[np.float64], matte: NDArray[np.float32], hull: NDArray[np.float32]
) -> NDArray[np.float64]:
    """How likely each class is at a place, before any colour is seen."""
    u, v = np.abs(frame[..., 0]), frame[..., 1]
    prior = np.full((*u.shape, 4), 0.02)
    prior[..., SKIN] = 0.004
    neck = smoothstep(v, 0.1, -0.02) * smoothstep(v, -0.95, -0.3) * smoothstep(u, 0.75, 0.42)
    ear = smoothstep(u, 0.40, 0.47) * smoothstep(u, 0.66, 0.58)
    ear *= smoothstep(v, 0.10, 0.25) * smoothstep(v, 0.85, 0.72)
    forehead = smoothstep(v, 0.8, 1.0) * smoothstep(v, 1.35, 1.05) * smoothstep(u, 0.6, 0.4)
    prior[..., SKIN] += np.maximum.reduce([0.6 * neck, 0.5 * ear, 0.35 * forehead])
    top = smoothstep(v, 0.75, 1.08)
    side = smoothstep(u, 0.36, 0.5) * smoothstep(v, -1.3, -0.2)
    chest = 0.35 * smoothstep(v, -1.6, -0.6) * smoothstep(u, 0.15, 0.5)
    hair = np.maximum.reduce([0.9 * top, 0.6 * side, 0.4 * chest])
    under_chin = smoothstep(v, 0.32, 0.22) * smoothstep(u, 0.46, 0.40)
    prior[..., HAIR] += hair * (1 - under_chin)
    shoulder = smoothstep(v, 0.12, -0.05) * smoothstep(u, 0.35, 0.65)
    prior[..., CLOTH] += np.maximum(0.95 * smoothstep(v, -0.02, -0.5), 0.6 * shoulder)
    fringe = 0.3 * smoothstep(v, 0.62, 0.95) + 0.15 * smoothstep(u, 0.3, 0.46)
    inside = np.stack([0 * u, 1 - fringe, fringe, 0 * u], -1)
    prior[..., :] = prior * (1 - hull[..., None]) + inside * hull[..., None] + 1e-4
    prior[..., 1:] *= np.clip(matte, 0.02, 1)[..., None] / prior[..., 1:].sum(-1, keepdims=True)
    prior[..., BACKGROUND] = np.clip(1 - matte, 0.003, 1)
    return prior


def _seeds(view, frame, matte, hull, outside_face, scalp, shrink):  # type: ignore[no-untyped-def]
    """Pixels [4] masks where the class is certain by place alone."""
    v, u = frame[..., 1], np.abs(frame[..., 0])
    features = np.zeros_like(hull)
    for polygon in _EYES_AND_MOUTH:
        features |= shrink(view.polygon(polygon, grow=5)) > 0
    low = np.nonzero((matte > 0.9).any(1))[0].max() if (matte > 0.9).any() else len(v) - 1
    rows = np.arange(len(v))[:, None] * np.ones_like(v)
    bottom = (rows > low - 0.05 * len(v)) & (v < -0.15)
    sure = matte > 0.96
    hair = sure & outside_face & scalp & (v > 0.9)
    return [
        matte < 0.04,
        hull & ~features & (v < 0.80) & (u < 0.40),
        hair,
        sure & (bottom | ((v < -0.35) & (u > 0.75))),
    ]


def _looks_bald(colour, seeds) -> bool:  # type: ignore[no-untyped-def]
    """Whether what the scalp shows is as smooth and skin-coloured as the face itself."""
    if seeds[HAIR].sum() < 40:
        return True
    face, top = colour[seeds[SKIN]], colour[seeds[HAIR]]
    lightness = colour[..., 0].astype(np.float32)
    detail = np.abs(lightness - blur_image(lightness, 1.5))
    rough = np.median(detail[seeds[HAIR]]) / max(np.median(detail[seeds[SKIN]]), 0.15)
    apart = float(np.linalg.norm(np.median(top, 0) - np.median(face, 0)))
    return apart + 4 * min(rough - 1, 3) < 6.5


def _hangs_below_ears(colour, frame, matte, seeds, hull) -> bool:  # type: ignore[no-untyped-def]
    """Whether beside the cheeks, below the ears, there is much of the scalp's hair colour."""
    hair, skin = (Mixture.fitted(colour[seeds[k]], 3) for k in (HAIR, SKIN))
    behind = Mixture.fitted(colour[seeds[BACKGROUND]], 6)
    u, v = np.abs(frame[..., 0]), frame[..., 1]
    of_hair, of_skin, of_behind = (m.log_density(colour) for m in (hair, skin, behind))
    like = (of_hair > of_skin) & (of_hair > of_behind - 4) & (of_hair > -16) & (matte > 0.7) & ~hull
    below = like & (u > 0.46) & (u < 0.70) & (v > 0.14) & (v < 0.38)
    ears = (matte > 0.7) & (u > 0.47) & (u < 0.60) & (v > 0.42) & (v < 0.70) & ~hull
    covered = [(like & ears & side).sum() / max(1, (ears & side).sum())
               for side in (frame[..., 0] > 0, frame[..., 0] < 0)]  # fmt: skip
    hanging = below.sum() / max(1, hull.sum())
    # Beside the mouth a head with short hair shows neither ear nor shoulder.
    band = (u > 0.54) & (u < 0.66) & (v > 0.20) & (v < 0.40)
    filled = [(matte[band & side] > 0.7).mean() for side in (frame[..., 0] > 0, frame[..., 0] < 0)]
    return bool(
        (hanging > 0.015 and max(covered) > 0.55) or (hanging > 0.02 and max(filled) > 0.85)
    )


def _adapt(prior, colour, frame, seeds, *, is_bald, is_long):  # type: ignore[no-untyped-def]
    """Forbid hair where this head cannot have it, and hair-coloured seeds of clothing."""
    u, v = np.abs(frame[..., 0]), frame[..., 1]
    if is_bald:
        prior[..., HAIR] *= 0.02
    elif not is_long:
        prior[..., HAIR] *= 1 - 0.998 * smoothstep(v, 0.32, 0.2)
    else:
        prior[..., HAIR] *= 1 - 0.985 * smoothstep(v, 0.1, -0.1) * smoothstep(u, 0.58, 0.78)
        hair = Mixture.fitted(colour[seeds[HAIR]], 4)
        usual = np.percentile(hair.log_density(colour[seeds[HAIR]]), 15)
        seeds[CLOTH] &= ~((hair.log_density(colour) > usual - 1) & (u < 0.8))


def _inferred(colour, prior, seeds, *, guide, bald):  # type: ignore[no-untyped-def]
    """Posterior shares [H, W, 4] from three rounds of colour models and guided smoothing."""
    share = np.stack([s.astype(np.float32) for s in seeds], -1)
    counts = (4, 4, 4, 5)
    fixed = np.zeros(colour.shape[:2], bool)
    for s in seeds:
        fixed |= s
    classes = [k for k in range(4) if seeds[k].sum() >= 40 and not (k == HAIR and bald)]
    pool: list[NDArray[np.bool_]] = list(seeds)
    for _ in range(3):
        energy = np.full((*colour.shape[:2], 4), -60.0)
        for k in classes:
            model = Mixture.fitted(colour[pool[k]], counts[k])
            energy[..., k] = model.log_density(colour)
        energy = 0.6 * energy + 1.5 * np.log(prior)
        share = softmax(energy)
        for _ in range(2):  # mean field: agree with neighbours of similar colour
            smooth = np.stack([guided(guide, share[..., k], 5) for k in range(4)], -1)
            share = softmax(energy + 3.0 * smooth)
        pool = [seeds[k] | ((share[..., k] > 0.9) & ~fixed) for k in range(4)]
    smooth = np.stack([guided(guide, share[..., k], 3) for k in range(4)], -1)
    return smooth / np.maximum(smooth.sum(-1, keepdims=True), 1e-6)


def _connected(share, matte, hull, scalp):  # type: ignore[no-untyped-def]
    """Take a class away from islands that hang on nothing that could carry it."""
    best = share.argmax(-1)
    roots = {SKIN: hull, HAIR: scalp & (best == HAIR)}
    for k, root in roots.items():
        parts, count = label(best == k)
        if not count:
            continue
        touched = np.unique(parts[root & (best == k)])
        sizes = np.bincount(parts.ravel())
        # Locks are cut off the scalp by an ear or a collar, so large islands of hair stay.
        keep = [p for p in range(1, count + 1) if p in touched or (k == HAIR and sizes[p] > 250)]
        lost = (best == k) & ~np.isin(parts, keep)
        share[lost, k] *= 0.05
    share /= share.sum(-1, keepdims=True)
    return share.astype(np.float32)
