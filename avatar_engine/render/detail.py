"""Step 12 in plain torch: what the Gaussians blur away, fetched from the photo.

The definition, for the reference and the CUDA renderer; ``render/cpu/detail.py`` is the fast one.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from avatar_engine.render import detail_definition as d
from avatar_engine.render.colour import RGB_TO_YUV
from avatar_engine.render.gaussians import Gaussians
from avatar_engine.types import HeadMaps


class Detail:
    """The photo minus the Gaussians' own picture of it, and where each texel was in the photo.

    Args:
        source: Gaussians of one frame (B = 1) as the photo shows them, at the output's size.
        maps: The persona.
        missing: [H, W, 3] photo minus the Gaussians' picture, in bytes.

    Attributes:
        missing: The same, rounded and within ±127.
        came_from: [M, 2] pixel of the photo where each texel was.
        seen: [M] 1 where the photo showed it, else 0.
        bears: [M] how much it bears to be stretched.
    """

    def __init__(self, source: Gaussians, maps: HeadMaps, missing: Tensor) -> None:
        self._height, self._width = missing.shape[:2]
        self._cell = d.detail_cell(self._width, self._height)
        self._rows = -(-self._height // self._cell)
        self._columns = -(-self._width // self._cell)
        kinds = torch.as_tensor(d.carrier_kinds(maps), device=missing.device)
        drivers, fading = d.detail_fading(maps)
        self._kinds = kinds
        self._drivers = torch.as_tensor(drivers.astype(np.int64), device=missing.device)
        self._fading = torch.as_tensor(fading, device=missing.device).to(missing.dtype)
        self.missing = missing.round().clamp(-127, 127)
        texels, cells, is_front = self._front(source, 0)
        self.came_from = source.means[0].clone()
        self._area = source.covariances[0]
        self.seen = torch.zeros_like(self.came_from[:, 0])
        is_shown = is_front & (kinds[texels] != d.MOUTH)
        self.seen[texels] = is_shown.to(self.seen.dtype)
        luma = missing.double().cpu().numpy() @ RGB_TO_YUV[0]
        bears = torch.as_tensor(d.detail_bears(luma, self._cell), device=missing.device)
        self.bears = torch.ones_like(self.seen)
        self.bears[texels] = bears.to(self.seen.dtype).flatten()[cells]

    def added(self, gaussians: Gaussians, picture: Tensor) -> Tensor:
        """Pictures [B, H, W, 3] in bytes with the detail of their frames, not rounded."""
        return torch.stack([p + self._of(gaussians, b) for b, p in enumerate(picture)])

    def _of(self, gaussians: Gaussians, frame: int) -> Tensor:
        weight, flow = self._flow(gaussians, frame)
        height, width, cell = self._height, self._width, self._cell
        # Flow is taken once per run of two cells and two rows; weights go linearly along it.
        run = max(2 * cell, 8)
        u = torch.arange(width, device=weight.device)
        begin = u // run * run
        share = ((u - begin) / run).to(weight.dtype)
        v = torch.arange(height, device=weight.device)
        between = v // 2 * 2 + 0.5  # two rows share their flow
        at = [self._sampled(weight, flow, between, begin + n * run // 2) for n in range(3)]
        total = (at[0][0] + 2 * at[1][0] + at[2][0]).clamp_min(1e-12)
        looks = (at[0][1] + 2 * at[1][1] + at[2][1]) / total[..., None]
        shown = at[0][0] + (at[2][0] - at[0][0]) * share
        faint = torch.stack([w for w, _ in at]).amax(0) < d.DETAIL_FAINTEST
        grid = torch.stack(torch.broadcast_tensors(u[None], v[:, None]), -1).to(weight.dtype)
        found = self._looked_up(grid + looks)
        return torch.where(faint, 0.0, shown)[..., None] * found

    def _front(self, gaussians: Gaussians, frame: int) -> tuple[Tensor, Tensor, Tensor]:
        """Opaque texels in the picture, their cells, and whether they are on the surface."""
        means, opacities = gaussians.means[frame], gaussians.opacities[frame]
        column, row = torch.floor(means / self._cell).unbind(-1)
        inside = (column >= 0) & (row >= 0) & (column < self._columns) & (row < self._rows)
        carries = (opacities >= d.DETAIL_OPAQUE) & (self._kinds != d.IDLE)
        texels = torch.nonzero(carries & inside)[:, 0]
        cells = (row[texels] * self._columns + column[texels]).long()
        depths = gaussians.depths[frame, texels]
        nearest = depths.new_full((self._rows * self._columns,), float("inf"))
        is_outside = self._kinds[texels] == d.OUTSIDE
        nearest = nearest.scatter_reduce(0, cells[is_outside], depths[is_outside], "amin")
        reach = torch.where(is_outside, d.DETAIL_DEPTH_CM, 0.0)
        return texels, cells, depths <= nearest[cells] + reach

    def _flow(self, gaussians: Gaussians, frame: int) -> tuple[Tensor, Tensor]:
        """Weight [rows, columns], and flow times weight [rows, columns, 2]."""
        texels, cells, is_front = self._front(gaussians, frame)
        texels, cells = texels[is_front], cells[is_front]
        stretch = _log_area(gaussians.covariances[frame, texels]) - _log_area(self._area[texels])
        kept = 1 - gaussians.tints[frame, self._drivers[texels]] * self._fading[texels]
        seen = kept * self.seen[texels] / (1 + (stretch / self.bears[texels]) ** 4)
        came = self.came_from[texels] - gaussians.means[frame, texels]
        terms = [torch.ones_like(seen), seen, seen * came[:, 0], seen * came[:, 1]]
        terms.append(seen * came.square().sum(-1))
        sums = seen.new_zeros(5, self._rows * self._columns)
        sums = sums.index_add(1, cells, torch.stack(terms))
        tent = torch.tensor([0.25, 0.5, 0.25], dtype=seen.dtype, device=seen.device)
        kernel = (tent[:, None] * tent)[None, None]
        grid = sums.view(5, 1, self._rows, self._columns)
        count, known, x, y, square = conv2d(grid, kernel, padding=1)[:, 0]
        known_ = known.clamp_min(1e-6)
        flow = torch.stack([x, y], -1) / known_[..., None]
        spread = (square / known_ - flow.square().sum(-1)).clamp_min(0)
        spread = spread / (d.DETAIL_FOLD_CELLS * self._cell) ** 2
        weight = known / count.clamp_min(d.DETAIL_FULL) / (1 + spread.square())
        return weight, weight[..., None] * flow

    def _sampled(self, weight: Tensor, flow: Tensor, v: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        """Weight [V, U] and weighted flow [V, U, 2] at pixels, between the cells' middles."""
        values = torch.cat([weight[..., None], flow], -1)

        def between(length: int, at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            place = (at.to(weight.dtype) + 0.5) / self._cell - 0.5
            low = torch.floor(place)
            first = low.clamp(0, length - 1).long()
            return first, (low + 1).clamp(0, length - 1).long(), place - low

        top, low, down = between(self._rows, v)
        rows = torch.lerp(values[top], values[low], down[:, None, None])
        left, right, along = between(self._columns, u)
        found = torch.lerp(rows[:, left], rows[:, right], along[None, :, None])
        return found[..., 0], found[..., 1:]

    def _looked_up(self, at: Tensor) -> Tensor:
        """Differences [H, W, 3] between pixels; nothing outside the photo."""
        height, width = self.missing.shape[:2]
        padded = torch.nn.functional.pad(self.missing.permute(2, 0, 1), (1, 2, 1, 2))
        x, y = at[..., 0].clamp(-1, width), at[..., 1].clamp(-1, height)
        ix, iy = torch.floor(x).long(), torch.floor(y).long()
        gx, gy = (x - ix), (y - iy)
        corner = [
            padded[:, iy + 1 + j, ix + 1 + i] for j in (0, 1) for i in (0, 1)
        ]  # each [3, H, W]
        top = torch.lerp(corner[0], corner[1], gx)
        low = torch.lerp(corner[2], corner[3], gx)
        return torch.lerp(top, low, gy).permute(1, 2, 0)


def _log_area(covariances: Tensor) -> Tensor:
    """Logarithm of the area [...] of ellipses with covariances [..., 3], but for a constant."""
    xx, xy, yy = covariances.unbind(-1)
    return 0.5 * torch.log((xx * yy - xy * xy).clamp_min(1e-12))
