# mypy: allow-untyped-defs, allow-untyped-calls
"""The body plate of the CPU renderer: its rows slide, and it is laid over the background anew."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_engine.render.colour import RGB_TO_YUV, YUV_OFFSET, to_bytes, to_i420
from avatar_engine.render.cpu.kernel_cache import kernel
from avatar_engine.render.plates import Backdrop
from avatar_engine.render.protocol import RenderConfig
from avatar_engine.render.torso import TorsoRule
from avatar_engine.types import FaceState

_LEAST_SHARE = 1 / 512  # of the body's coverage; rows that show less have no body


class _Layers(NamedTuple):
    """The rows of the picture that show the body, with room on both sides to slide."""

    body: NDArray[np.float32]  # [P, h, W + 2 pad] premultiplied
    share: NDArray[np.float32]  # [h, W + 2 pad]
    far: NDArray[np.float32]  # [P, h, W]
    pad: int


class SlidingPlate:
    """What the kernels blend over, and its slides.

    Attributes:
        behind: RGB: uint8 [3, H, W]; I420: flat uint8; RGBA: float32 [4, H, W] of the body's
            premultiplied colour in [0, 255] and its coverage.
        first: The first row that ever changes.
    """

    def __init__(self, backdrop: Backdrop, rule: TorsoRule, config: RenderConfig) -> None:
        self._rule, self._config = rule, config
        self._at = (0.0, 0.0)
        self._still = self._as_blended(backdrop)
        self.behind = self._still.copy()
        shown = np.flatnonzero((backdrop.share > _LEAST_SHARE).any(1))
        reach = int(np.ceil(rule.farthest)) + 1
        first = max(int(shown[0]) - reach, 0) if len(shown) else config.height
        self.first = first & ~1
        self._groups = self._layers(backdrop, reach) if len(shown) else []

    def follow(self, state: FaceState) -> bool:
        """Slide to where this state has the torso; returns whether ``behind`` changed."""
        at = self._rule.pixels(state)
        if at == self._at or not self._groups:
            return False
        self._at = at
        if not any(at):
            self.behind[...] = self._still
            return True
        offsets = self._rule.offsets(at)[self.first :].astype(np.float32)
        for layers, out, offset in self._groups:
            if len(layers.share) < len(offsets):  # chroma has every second row
                halved = np.float32(0.25) * (offsets[::2] + offsets[1::2])
                _lay(*layers, np.float32(offset), halved, self.first // 2, out)
            elif self._config.pixel_format == "rgba":
                _slide(layers.body, layers.pad, offsets, self.first, out)
            else:
                _lay(*layers, np.float32(offset), offsets, self.first, out)
        return True

    def _as_blended(self, backdrop: Backdrop) -> NDArray:
        if self._config.pixel_format == "i420":
            return to_i420(backdrop.behind)
        if self._config.pixel_format == "rgb":
            return np.ascontiguousarray(to_bytes(backdrop.behind).transpose(2, 0, 1))
        layers = np.concatenate([backdrop.body, backdrop.share[..., None]], -1)
        return np.ascontiguousarray(layers.transpose(2, 0, 1))

    def _layers(
        self, backdrop: Backdrop, reach: int
    ) -> list[tuple[_Layers, NDArray[np.uint8], float]]:
        """What slides alike, each with the planes it is laid into and what is added to it.

        The planes are whole, so that one compiled kernel serves every persona.
        """
        rows = slice(self.first, None)
        body, far = backdrop.body[rows].transpose(2, 0, 1), backdrop.far[rows].transpose(2, 0, 1)
        share = backdrop.share[rows]
        if self._config.pixel_format == "rgb":
            return [(_padded(body, share, far, reach), self.behind, 0.0)]
        if self._config.pixel_format == "rgba":
            four = np.concatenate([body, share[None]])
            return [(_padded(four, share, far, reach), self.behind, 0.0)]
        width, height = self._config.width, self._config.height
        luma = self.behind[: width * height].reshape(1, height, width)
        chroma = self.behind[width * height :].reshape(2, height // 2, width // 2)
        y, uv = RGB_TO_YUV[:1], RGB_TO_YUV[1:]
        mixed = lambda kind, planes: np.tensordot(kind, planes, 1)  # noqa: E731
        return [
            (_padded(mixed(y, body), share, mixed(y, far), reach), luma, 0.0),
            (
                _padded(
                    _halved(mixed(uv, body)),
                    _halved(share[None])[0],
                    _halved(mixed(uv, far)),
                    reach // 2 + 1,
                ),
                chroma,
                float(YUV_OFFSET[1]),
            ),
        ]


def _padded(body: NDArray, share: NDArray, far: NDArray, pad: int) -> _Layers:
    sides = ((0, 0), (pad, pad))
    return _Layers(
        np.ascontiguousarray(np.pad(body, ((0, 0), *sides), mode="edge"), np.float32),
        np.ascontiguousarray(np.pad(share, sides, mode="edge"), np.float32),
        np.ascontiguousarray(far, np.float32),
        pad,
    )


def _halved(planes: NDArray) -> NDArray:
    count, height, width = planes.shape
    return planes.reshape(count, height // 2, 2, width // 2, 2).mean((2, 4))


@kernel
def _taps(y, rows, offsets, pad):
    """Where a row's pixels come from: two rows, the first column, and the weights of four."""
    from_row, from_column = np.float32(y) - offsets[y, 1], np.float32(pad) - offsets[y, 0]
    top, left = np.floor(from_row), np.floor(from_column)
    down, right = from_row - top, from_column - left
    one = np.float32(1)
    upper = min(max(np.int64(top), 0), rows - 1)
    lower = min(max(np.int64(top) + 1, 0), rows - 1)
    weights = (
        (one - down) * (one - right),
        (one - down) * right,
        down * (one - right),
        down * right,
    )
    return upper, lower, np.int64(left), weights


@kernel
def _lay(body, share, far, pad, offset, offsets, first, out):
    """Slide the body and lay it over what is far: into [P, H, W] from a row on, to bytes."""
    rows, width = share.shape[0], out.shape[2]
    one, half = np.float32(1), np.float32(0.5)
    for y in range(rows):
        upper, lower, left, (a, b, c, d) = _taps(y, rows, offsets, pad)
        # Slices, since an index that could be negative keeps a loop out of the vector unit.
        share_a, share_b = share[upper, left:], share[upper, left + 1 :]
        share_c, share_d = share[lower, left:], share[lower, left + 1 :]
        for p in range(out.shape[0]):
            body_a, body_b = body[p, upper, left:], body[p, upper, left + 1 :]
            body_c, body_d = body[p, lower, left:], body[p, lower, left + 1 :]
            behind, to = far[p, y], out[p, first + y]
            for x in range(width):
                shown = a * share_a[x] + b * share_b[x] + c * share_c[x] + d * share_d[x]
                value = a * body_a[x] + b * body_b[x] + c * body_c[x] + d * body_d[x]
                value += (one - shown) * behind[x] + offset + half
                to[x] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))


@kernel
def _slide(body, pad, offsets, first, out):
    """Slide alone: into [P, H, W] float32 from a row on."""
    rows, width = body.shape[1], out.shape[2]
    for y in range(rows):
        upper, lower, left, (a, b, c, d) = _taps(y, rows, offsets, pad)
        for p in range(out.shape[0]):
            body_a, body_b = body[p, upper, left:], body[p, upper, left + 1 :]
            body_c, body_d = body[p, lower, left:], body[p, lower, left + 1 :]
            to = out[p, first + y]
            for x in range(width):
                to[x] = a * body_a[x] + b * body_b[x] + c * body_c[x] + d * body_d[x]
