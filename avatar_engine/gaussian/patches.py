"""A hole's border carried on into it, in patches of what stands around it.

Every small patch at and in the hole takes after the patch of the known picture that is most like it
(PatchMatch, Barnes et al., 2009), every pixel of the hole is the mean of what the patches over it
say (Wexler et al., 2007), and so on from coarse to fine. Stripes and window bars go on as stripes
and bars, as sharp as they are.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from avatar_engine.gaussian.patch_kernels import HALF, fetch, search, vote
from avatar_engine.gaussian.smooth import fill

_LEVELS = ((80, 5, 0.5), (192, 1, 0.04))  # width px, rounds, reach of chance
_TRUST = 25.0  # per picture's width: a guess counts less the deeper in the hole it is
_GUESS = 1e-3  # of that, in the first round
_STEP = 0.12  # sRGB; what differs more at a border is another thing, not another light
_TONE = (0.015, 0.03, 0.06, 0.12)  # of the picture's width; how far the border's tone reaches
_FAR = 0.02  # cost of a patch from a whole picture's width away, sideways; twice that upright


@dataclass(frozen=True, slots=True)
class PatchField:
    """Where a hole's pixels are taken from.

    Attributes:
        offset: [N, N, 2] float32 (x, y), shares of the picture's width.
        is_set: [N, N] where there is an offset.
        tone: [N, N, 3] sRGB to add to what is fetched, so that it meets the hole's border.
    """

    offset: NDArray[np.float32]
    is_set: NDArray[np.bool_]
    tone: NDArray[np.float32]

    def fetch(
        self, picture: NDArray[np.float32], wanted: NDArray[np.bool_], out: NDArray[np.float32]
    ) -> None:
        """Paint what is wanted of a hole, each pixel from the nine offsets around it.

        Args:
            picture: [S, S, 3] of any size.
            wanted: [S, S] pixels to paint; one without an offset near it is left.
            out: [S, S, 3] painted on.
        """
        y, x = (axis.astype(np.int32) for axis in np.nonzero(wanted))
        fetch(picture, self.offset, self.is_set, y, x, out)
        out[y, x] += _sized(self.tone, len(picture))[y, x]


def carried_on(
    picture: NDArray[np.float32],
    hole: NDArray[np.bool_],
    wanted: NDArray[np.bool_],
    guess: NDArray[np.float32],
) -> PatchField | None:
    """Find for each pixel of a hole another one to stand for it; None where nothing is known.

    Args:
        picture: [S, S, 3] sRGB in [0, 1].
        hole: [S, S] pixels that are not known.
        wanted: [S, S] pixels of the hole to find one for.
        guess: [M, M, 3] the picture with a smooth fill, to begin with.
    """
    field: PatchField | None = None
    for size, rounds, chance in _LEVELS:
        level = _Level.at(size, picture, hole, wanted)
        if not level.can_give.any() or not level.is_wanted.any():
            return field
        start = _refined(field, level)
        now = np.where(level.is_gone[..., None], _sized(guess, size), level.picture)
        guess, start = _settled(level, now.astype(np.float32), start, rounds, chance * size)
        yy, xx = np.mgrid[0:size, 0:size]
        away = np.stack([start[..., 1] - xx, start[..., 0] - yy], -1) / np.float32(size)
        field = _evened(away.astype(np.float32), level)
    return field


@dataclass(frozen=True, slots=True)
class _Level:
    """The picture at one size N.

    Attributes:
        picture: [N, N, 3].
        is_gone: [N, N] in the hole, wanted or not.
        is_wanted: [N, N] whose patch is looked for: the wanted ones and what their patches touch.
        can_give: [N, N] whose patch is known altogether.
        trust: [N, N] how much a pixel counts in a patch.
    """

    picture: NDArray[np.float32]
    is_gone: NDArray[np.bool_]
    is_wanted: NDArray[np.bool_]
    can_give: NDArray[np.bool_]
    trust: NDArray[np.float32]

    @staticmethod
    def at(
        size: int,
        picture: NDArray[np.float32],
        hole: NDArray[np.bool_],
        wanted: NDArray[np.bool_],
    ) -> "_Level":
        patch = np.ones((2 * HALF + 1,) * 2, np.uint8)
        small = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
        gone = cv2.resize(hole.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
        asked = cv2.resize(wanted.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
        is_gone, is_asked = gone > 0.02, (asked > 0) & (gone > 0.02)
        touched = cv2.dilate(is_asked.astype(np.uint8), patch) > 0
        can_give = cv2.dilate(is_gone.astype(np.uint8), patch) == 0
        for edge in (slice(None, HALF), slice(-HALF, None)):
            can_give[edge] = can_give[:, edge] = False
        depth = distance_transform_edt(is_gone) / size
        trust = np.exp(-_TRUST * depth) * ~(is_gone & ~is_asked)
        return _Level(
            small, is_gone, touched & (~is_gone | is_asked), can_give, trust.astype(np.float32)
        )


def _refined(field: PatchField | None, level: _Level) -> NDArray[np.int32]:
    """[N, N, 2] (y, x) where to begin: the nearest place that can be taken, of the pixel itself or
    of where the coarser level found.
    """
    size = len(level.picture)
    y, x = np.mgrid[0:size, 0:size]
    if field is not None:
        coarse = y * len(field.offset) // size, x * len(field.offset) // size
        away = np.round(field.offset[coarse] * size).astype(np.intp)
        y = np.clip(y + away[..., 1], 0, size - 1)
        x = np.clip(x + away[..., 0], 0, size - 1)
    border = distance_transform_edt(~level.can_give, return_distances=False, return_indices=True)
    return np.ascontiguousarray(np.stack([border[0][y, x], border[1][y, x]], -1), np.int32)


def _settled(
    level: _Level, now: NDArray[np.float32], at: NDArray[np.int32], rounds: int, chance: float
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Search and vote in turn; returns the picture [N, N, 3] and the places [N, N, 2]."""
    y, x = (axis.astype(np.int32) for axis in np.nonzero(level.is_wanted))
    cost = np.zeros(now.shape[:2], np.float32)
    for number in range(rounds):
        trust = level.trust
        if number == 0 and rounds > 1:  # a smooth guess would find things of its mixed colour
            trust = np.where(level.is_gone, _GUESS * trust, trust).astype(np.float32)
        full = cv2.boxFilter(
            trust, -1, (2 * HALF + 1,) * 2, normalize=False, borderType=cv2.BORDER_CONSTANT
        )
        for step in (1, -1):
            seed = 2 * number + (step < 0)
            search(now, trust, full, level.can_give, at, cost, y, x, step, chance, _FAR, seed)
        now = vote(now, level.picture, trust, level.is_gone, at, cost, y, x)
    return now, at


def _evened(offset: NDArray[np.float32], level: _Level) -> PatchField:
    """Without single strays at the seams between two offsets, which would look ragged, and without
    a step at the hole's border where light falls off along a wall.
    """
    size = len(offset)
    evened = np.stack([cv2.medianBlur(o, 5) for o in np.moveaxis(offset, -1, 0)], -1)
    y, x = _places(evened)
    offset = np.where(level.can_give[y, x][..., None], evened, offset)
    y, x = _places(offset)
    beside = (level.is_wanted & ~level.is_gone).astype(np.float32)
    step = np.clip(level.picture - level.picture[y, x], -_STEP, _STEP)
    widths = tuple(share * size for share in _TONE)
    return PatchField(offset, level.is_wanted, fill(step, beside, sigmas=widths, on_atlas=False))


def _places(offset: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """[N, N] row and column that each pixel is taken from."""
    size = len(offset)
    y, x = np.mgrid[0:size, 0:size]
    row = np.clip(np.round(y + offset[..., 1] * size), 0, size - 1)
    column = np.clip(np.round(x + offset[..., 0] * size), 0, size - 1)
    return row.astype(np.intp), column.astype(np.intp)


def _sized(picture: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
