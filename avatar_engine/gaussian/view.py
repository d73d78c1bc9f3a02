"""The portrait at the working size, as every step of the persona's making sees it."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from avatar_engine.gaussian.smooth import blur_image, distance, fill, smoothstep
from avatar_engine.types import Camera, Portrait

WORKING_SIZE = 512
"""Pixels across. The face is some 150 texels wide in the atlas, and about as many pixels here."""

RIM_PX = 3.0
"""Within this of the outline the photo's colours are mixed with the background's."""

_LIKE_OUTSIDE, _APART = 0.5, 0.12  # colours in [0, 1]

CHIN, FOREHEAD, RIGHT_CHEEK, LEFT_CHEEK = 152, 10, 234, 454


@dataclass(frozen=True, slots=True)
class View:
    """The source view: picture, matte, landmarks and camera at one size.

    Attributes:
        image: [S, S, 3] float32 sRGB in [0, 1].
        lab: [S, S, 3] float32 CIELAB, L in [0, 100].
        matte: [S, S] float32 in [0, 1].
        inside: [S, S] bool, matte above one half.
        clean: [S, S, 3] float32, the person's own colours carried over the outline: the photo's
            rim is half background, and must not be taken along when the head turns.
        spilled: [S, S] bool, background that the matte took for the person's rim.
        landmarks: [478, 2] float64 in pixels.
        camera: The source camera at this size.
        face_height: Pixels from chin to the top of the forehead.
        face_width: Pixels from cheek to cheek.
        seen: [L, L, 9] of ``Portrait.labels``, or None.
        wears_glasses: As ``Portrait.wears_glasses``.
    """

    image: NDArray[np.float32]
    lab: NDArray[np.float32]
    matte: NDArray[np.float32]
    inside: NDArray[np.bool_]
    clean: NDArray[np.float32]
    spilled: NDArray[np.bool_]
    landmarks: NDArray[np.float64]
    camera: Camera
    face_height: float
    face_width: float
    seen: NDArray[np.float32] | None = None
    wears_glasses: bool = False
    _kept: dict[str, NDArray[np.float64]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    @property
    def size(self) -> int:
        """Pixels across."""
        return len(self.image)

    def face_frame(self, pixels: NDArray[np.floating]) -> NDArray[np.float64]:
        """Pixels [..., 2] in the face's frame: across (cheeks at +-0.5), up (chin 0, brow 1)."""
        marks = self.landmarks
        up = marks[FOREHEAD] - marks[CHIN]
        up = up / np.linalg.norm(up)
        across = np.array([-up[1], up[0]])
        centre = (marks[RIGHT_CHEEK] + marks[LEFT_CHEEK]) / 2
        u = (pixels - centre) @ across / self.face_width
        v = (pixels - marks[CHIN]) @ up / self.face_height
        return np.stack([u, v], -1)

    def frame(self) -> NDArray[np.float64]:
        """[S, S, 2] of :meth:`face_frame` at the pixels' centres; worked out once."""
        if "frame" not in self._kept:
            yy, xx = np.mgrid[0 : self.size, 0 : self.size]
            self._kept["frame"] = self.face_frame(np.stack([xx, yy], -1) + 0.5)
        return self._kept["frame"]

    def polygon(self, indices: list[int], *, grow: int = 0) -> NDArray[np.bool_]:
        """[S, S] mask of the polygon through landmarks, grown (or shrunk) by some pixels."""
        mask = np.zeros((self.size, self.size), np.uint8)
        cv2.fillPoly(mask, [np.round(self.landmarks[indices]).astype(np.int32)], (1.0,))
        return _grown(mask, grow)

    def face_hull(self, *, grow: int = 0) -> NDArray[np.bool_]:
        """[S, S] mask of the convex hull of the face's landmarks."""
        mask = np.zeros((self.size, self.size), np.uint8)
        hull = cv2.convexHull(np.round(self.landmarks[:468]).astype(np.int32))
        cv2.fillConvexPoly(mask, hull, (1.0,))
        return _grown(mask, grow)


def view_of(portrait: Portrait, camera: Camera, size: int = WORKING_SIZE) -> View:
    """The portrait and its camera, resampled to the working size."""
    scale = size / len(portrait.image)
    shrink = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    image = _unit(portrait.image / np.float32(255))
    matte = np.asarray(portrait.matte, np.float32)
    if scale != 1:
        image = _unit(cv2.resize(image, (size, size), interpolation=shrink))
        matte = _unit(cv2.resize(matte, (size, size), interpolation=shrink))
    inside = matte > 0.5
    spilled = _spilled(image, inside)
    landmarks = portrait.landmarks[:, :2].astype(np.float64) * scale
    return View(
        image=image,
        lab=cv2.cvtColor(image, cv2.COLOR_RGB2LAB),
        matte=matte,
        inside=inside,
        clean=_clean(image, matte, spilled),
        spilled=spilled,
        landmarks=landmarks,
        camera=camera.framed(size, size),
        face_height=float(np.linalg.norm(landmarks[CHIN] - landmarks[FOREHEAD])),
        face_width=float(np.linalg.norm(landmarks[RIGHT_CHEEK] - landmarks[LEFT_CHEEK])),
        seen=portrait.labels,
        wears_glasses=portrait.wears_glasses,
    )


def _grown(mask: NDArray[np.uint8], pixels: int) -> NDArray[np.bool_]:
    if pixels:
        kernel = np.ones((2 * abs(pixels) + 1,) * 2, np.uint8)
        mask = cv2.dilate(mask, kernel) if pixels > 0 else cv2.erode(mask, kernel)
    return mask > 0


def _unit(values: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.clip(values, 0, 1).astype(np.float32)


def _clean(
    image: NDArray[np.float32], matte: NDArray[np.float32], spilled: NDArray[np.bool_]
) -> NDArray[np.float32]:
    deep = smoothstep(distance((matte > 0.5) & ~spilled), RIM_PX - 1.0, RIM_PX + 1.0)
    sure = deep * (matte > 0.9) * ~spilled
    own = fill(image, (sure > 0.9).astype(np.float32), sigmas=(1, 2, 4, 8, 16), on_atlas=False)
    share = sure[..., None]
    return (image * share + own * (1 - share)).astype(np.float32)


def _spilled(image: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[S, S] near the outline, and nearer in colour to what is outside than to what is inside."""

    def small(picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)

    def tone(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        # What is blurred so wide is as good at a quarter of the size.
        weight = small(mask.astype(np.float32))
        mass = np.maximum(blur_image(weight, 9 / 4), 1e-4)[..., None]
        shown = small(image * mask[..., None])
        near = (blur_image(shown, 9 / 4) / mass).astype(np.float32)
        return cv2.resize(near, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)

    depth, (iy, ix) = distance_transform_edt(inside, return_indices=True)
    to_within = np.linalg.norm(image - tone(depth > 7), axis=-1)
    to_without = np.linalg.norm(image - tone(distance(~inside) > 3), axis=-1)
    spilled = (depth < 8) & (to_without < 0.6 * to_within)
    # A star on a flag is unlike what is around it; it goes on straight across the outline.
    ring = inside & (depth < 8) & ~spilled
    y, x = np.nonzero(ring)
    if not len(y):
        return np.asarray(spilled, np.bool_)
    out = np.stack([iy[ring] - y, ix[ring] - x], 1) / depth[ring][:, None]
    across = lambda steps, side: np.minimum.reduce(  # noqa: E731
        [_to_colour_at(image, (y, x), out, depth[ring] + k, inside == side) for k in steps]
    )
    within = np.minimum(across((-9.0, -12.0, -15.0), True), to_within[ring])
    spilled[ring] = across((3.0, 5.0, 8.0), False) < _LIKE_OUTSIDE * np.maximum(within, 0)
    spilled[ring] &= within > _APART
    return np.asarray(spilled, np.bool_)


def _to_colour_at(
    image: NDArray[np.float32],
    at: tuple[NDArray[np.int64], NDArray[np.int64]],
    outward: NDArray[np.float64],
    steps: NDArray[np.float64],
    known: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """How unlike [P] pixels are in colour to those some steps outward; very, where unknown."""
    last = len(image) - 1
    y = np.clip(np.round(at[0] + outward[:, 0] * steps), 0, last).astype(np.int64)
    x = np.clip(np.round(at[1] + outward[:, 1] * steps), 0, last).astype(np.int64)
    return np.where(known[y, x], np.linalg.norm(image[y, x] - image[at], axis=-1), np.inf)
