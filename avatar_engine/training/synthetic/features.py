"""What is drawn on skin: brows, lips, lashes, freckles, moles, beards, powder on lids."""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.regions import Regions
from avatar_engine.gaussian.smooth import blur_image, smoothstep
from avatar_engine.gaussian.unwrap import INNER_LIPS
from avatar_engine.types import HeadRig

Floats = NDArray[np.float64]

_BROWS = (
    [70, 63, 105, 66, 107, 55, 65, 52, 53, 46],
    [300, 293, 334, 296, 336, 285, 295, 282, 283, 276],
)
_OUTER_LIPS = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375]
_OUTER_LIPS += [291, 409, 270, 269, 267, 0, 37, 39, 40, 185]

HAIR_COLOURS = np.array(
    [
        [0.06, 0.05, 0.05],
        [0.13, 0.09, 0.07],
        [0.24, 0.16, 0.11],
        [0.42, 0.31, 0.20],
        [0.62, 0.50, 0.33],
        [0.36, 0.17, 0.09],
        [0.48, 0.47, 0.46],
        [0.76, 0.75, 0.73],
    ]
)
"""[8, 3] sRGB: black, dark, brown, dark fair, fair, red, grey, white."""


class Features:
    """Draws on log skin [R, R, 3] in place; keeps where things belong.

    Args:
        rig: The head model.
        regions: Of it.
    """

    def __init__(self, rig: HeadRig, regions: Regions) -> None:
        R = self.side = rig.resolution
        grid = lambda a: np.asarray(a, np.float64).reshape(R, R)  # noqa: E731
        texel = rig.landmark_texels[np.arange(478), rig.landmark_weights.argmax(1)]
        self._marks = np.stack([texel % R, texel // R], 1)
        self.skin = grid(regions.skin)
        self.brows = sum(self._polygon(brow, 1.5) for brow in _BROWS) * self.skin
        inner = self._polygon(INNER_LIPS, 0.3)
        self.lips = np.clip(self._polygon(_OUTER_LIPS, 1.0) + inner, 0, 1) * self.skin
        self.lips *= 1 - smoothstep(grid(regions.mouth_distance), 20, 26)
        lids = grid(regions.lid_distance)
        above = grid(regions.above_lids)
        self.lashes = smoothstep(lids, 3.0, 1.0) * self.skin * (0.35 + 0.65 * above)
        self.lid = smoothstep(lids, 13, 6) * above * self.skin
        self.crease = np.exp(-(((lids - 7.0) / 2.2) ** 2)) * above * self.skin
        self.beard = self._beard(rig, regions)
        x, y, z = (grid(c) for c in rig.mean.T)
        self.freckled = smoothstep(z, 6.5, 9.0) * smoothstep(np.abs(y - 1.0), 3.2, 1.0) * self.skin
        self.freckled *= 1 - np.clip(self.brows + self.lips + self.lid, 0, 1)
        self._flow = np.stack([-np.sign(x), 0 * x], -1)

    def draw(self, log: Floats, hair: Floats, *, bearded: bool, rng: np.random.Generator) -> None:
        """Everything of one person, in place.

        Args:
            log: [R, R, 3] log colour of the bare skin.
            hair: [3] sRGB.
            bearded: May grow a beard.
            rng: Whoever this is.
        """
        shape = (self.side, self.side)
        pores = blur_image(rng.normal(size=shape), 0.6) * 2
        log += (0.018 * rng.uniform(0.5, 1.6) * pores * self.skin)[..., None]
        blotches = blur_image(rng.normal(size=(*shape, 3)), 5.0) * 12
        log += 0.03 * blotches * self.skin[..., None] * [0.4, 1.0, 1.0]
        self._freckles(log, rng)
        lips = rng.normal([0.0, -0.07, -0.05], [0.04, 0.08, 0.08])
        log += self.lips[..., None] * lips
        if rng.random() < 0.25:  # eye shadow
            powder = rng.normal(-0.15, 0.12) + rng.normal(0, 0.05, 3)
            log += self.lid[..., None] * powder
        dark = np.log(np.clip(hair * rng.uniform(0.6, 0.9), 0.03, 1))
        self._cover(log, self.brows * rng.uniform(0.35, 0.95), dark, 0.5, rng)
        if bearded and rng.random() < 0.45:
            cover = self.beard * rng.choice([0.25, 0.5, 0.85], p=[0.5, 0.3, 0.2])
            self._cover(log, cover, np.log(np.clip(0.85 * hair, 0.03, 1)), 0.15, rng)

    def opened(self, log: Floats, depth: float) -> Floats:
        """The same with the lids folded: the crease's shade and the lash line."""
        shade = -depth * self.crease[..., None] * [0.8, 1.0, 1.0]
        return self.lashed(log + shade)

    def lashed(self, log: Floats) -> Floats:
        """The same with lashes."""
        lash = np.log(np.array([0.10, 0.07, 0.06]))
        share = (0.85 * self.lashes)[..., None]
        return np.asarray(log * (1 - share) + np.minimum(log, lash) * share)

    def _cover(
        self, log: Floats, cover: Floats, colour: Floats, grain: float, rng: np.random.Generator
    ) -> None:
        """Hairs of a colour over a share of the skin, in place."""
        noise = blur_image(rng.normal(size=cover.shape), 0.7)
        noise = noise / noise.std()
        share = np.clip(cover * (1 + grain * noise), 0, 0.97)[..., None]
        log *= 1 - share
        log += share * colour

    def _freckles(self, log: Floats, rng: np.random.Generator) -> None:
        spots = np.zeros((self.side, self.side), np.float32)
        many = int(rng.uniform(150, 700)) if rng.random() < 0.15 else int(rng.integers(0, 8))
        rows, cols = np.nonzero(self.freckled > 0.3)
        chosen = rng.choice(len(rows), many)
        np.add.at(spots, (rows[chosen], cols[chosen]), rng.uniform(0.4, 1.0, many))
        spots = np.clip(blur_image(spots, 0.5) * 2, 0, 1)
        log -= (spots * self.freckled)[..., None] * [0.25, 0.4, 0.45]

    def _polygon(self, marks: list[int], soft: float) -> Floats:
        mask = np.zeros((self.side, self.side), np.uint8)
        cv2.fillPoly(mask, [self._marks[marks].astype(np.int32)], (1.0,))
        return np.asarray(blur_image(mask.astype(np.float32), soft), np.float64)

    def _beard(self, rig: HeadRig, regions: Regions) -> Floats:
        R = self.side
        x, y, z = rig.mean.T.astype(np.float64)
        jaw = smoothstep(y + 0.12 * np.abs(x), -2.2, -3.4) * smoothstep(z, 2.5, 5.0)
        jaw *= smoothstep(y + 0.35 * z, -7.0, -4.8)
        side = smoothstep(np.abs(x), 5.2, 6.2) * smoothstep(y, 1.5, -1.0) * smoothstep(z, 2.0, 3.5)
        whole = np.maximum(jaw, side * (y > -6)) * regions.skin * (1 - regions.ear_weight)
        return np.asarray(blur_image(whole.reshape(R, R), 1.5) * (1 - self.lips), np.float64)
