"""Portraits as the label network sees them, with the fitted head's regions for the first labels."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.regions import Regions
from avatar_engine.gaussian.zbuffer import nearest
from avatar_engine.head import fit_head
from avatar_engine.portrait import read_portrait
from avatar_engine.portrait.labels import Alignment, face_frame
from avatar_engine.types import HeadRig, Portrait

SIDE = 256
"""Pixels of a crop: finer than the network's, since hand-drawn lines and first labels live here."""

_MAPS = ("matte", "ear", "scalp")


@dataclass(frozen=True, slots=True)
class Crop:
    """One aligned crop; S = 256.

    Attributes:
        image: [S, S, 3] uint8.
        matte: [S, S] float32.
        in_photo: [S, S] bool, the photo itself reaches here.
        landmarks: [478, 2] pixels.
        ear, scalp: [S, S] float32 in [0, 1], where the fitted head has them.
    """

    image: NDArray[np.uint8]
    matte: NDArray[np.float32]
    in_photo: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    ear: NDArray[np.float32]
    scalp: NDArray[np.float32]

    def face_frame(self) -> NDArray[np.float32]:
        """[S, S, 2] across (cheeks at +-0.5), up (chin 0, top of the forehead 1)."""
        return face_frame(self.landmarks, len(self.image))

    def polygon(self, indices: list[int], *, grow: int = 0) -> NDArray[np.bool_]:
        """[S, S] within some landmarks, grown by pixels."""
        return self._filled(np.round(self.landmarks[indices]).astype(np.int32), grow)

    def hull(self, *, grow: int = 0) -> NDArray[np.bool_]:
        """[S, S] within all of the face's landmarks."""
        return self._filled(cv2.convexHull(np.round(self.landmarks[:468]).astype(np.int32)), grow)

    def _filled(self, points: NDArray[np.int32], grow: int) -> NDArray[np.bool_]:
        mask = np.zeros(self.image.shape[:2], np.uint8)
        cv2.fillPoly(mask, [points], (1.0,))
        kernel = np.ones((2 * abs(grow) + 1,) * 2, np.uint8)
        if grow:
            mask = cv2.dilate(mask, kernel) if grow > 0 else cv2.erode(mask, kernel)
        return mask > 0


def read_crop(photo: Path, rig: HeadRig, regions: Regions, cache: Path | None = None) -> Crop:
    """The crop of a photo, from the cache's folder where it is there.

    Raises:
        PhotoError: The photo cannot become a persona.
    """
    kept = cache / f"{photo.stem}.npz" if cache is not None else None
    if kept is not None and kept.exists():
        return _unpacked(kept)
    crop = _crop_of(read_portrait(photo), rig, regions)
    if kept is not None:
        small = {name: np.round(getattr(crop, name) * 255).astype(np.uint8) for name in _MAPS}
        np.savez_compressed(
            kept, image=crop.image, in_photo=crop.in_photo, landmarks=crop.landmarks, **small
        )
    return crop


def _unpacked(file: Path) -> Crop:
    with np.load(file) as kept:
        maps = {name: kept[name].astype(np.float32) / 255 for name in _MAPS}
        return Crop(
            image=kept["image"], in_photo=kept["in_photo"], landmarks=kept["landmarks"], **maps
        )


def _crop_of(portrait: Portrait, rig: HeadRig, regions: Regions) -> Crop:
    where = Alignment.of(portrait.landmarks, SIDE)
    fit = fit_head(rig, portrait)
    shape = rig.mean + np.tensordot(fit.identity, rig.identity[: len(fit.identity)], 1)
    shape = shape + np.tensordot(fit.expression, rig.expression, 1)
    seen = fit.camera.project(shape @ fit.placement[:, :3].T + fit.placement[:, 3])
    at = np.c_[where.points(seen), seen[:, 2]]
    head = nearest(at, regions.triangles, width=SIDE, height=SIDE)
    gathered = lambda field: np.clip(  # noqa: E731
        head.gather(regions.triangles, field.astype(np.float32)), 0, 1
    ).astype(np.float32)
    return Crop(
        image=where.cut(portrait.image),
        matte=where.cut(portrait.matte),
        in_photo=in_photo(portrait, where),
        landmarks=where.points(portrait.landmarks).astype(np.float32),
        ear=gathered(regions.ear),
        scalp=gathered(regions.scalp),
    )


def in_photo(portrait: Portrait, where: Alignment) -> NDArray[np.bool_]:
    """[S, S] where the photo itself is, not its repeated edge."""
    size = len(portrait.image)
    x0, y0, side = portrait.crop
    low = np.clip(np.array([-x0, -y0]) * size / side, 0, size).astype(int)
    high = np.clip((np.array(portrait.photo_size) - [x0, y0]) * size / side, 0, size).astype(int)
    box = np.zeros((size, size), np.float32)
    box[low[1] : high[1], low[0] : high[0]] = 1
    flat = cv2.warpAffine(
        box, where.to_picture, (SIDE, SIDE), flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
    )
    return np.asarray(flat > 0.5)
