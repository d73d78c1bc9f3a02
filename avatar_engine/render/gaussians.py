"""The definition in plain torch: from maps and states to Gaussians in the picture.

Steps 1-9 of "From maps to pixels" in ``CONVENTIONS.md``, one function each, batched over frames
and differentiable. The reference renderer runs it in float64; the CUDA renderer in float32.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from avatar_engine.render import definition as d
from avatar_engine.render.joints import (
    expression_weights,
    eye_rotations,
    joint_blend,
    joint_matrices,
    teeth_light,
    tint_amounts,
)
from avatar_engine.types import Camera, Chart, FaceState, HeadMaps

_Change = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Gaussians:
    """What is rasterized: B frames of M Gaussians.

    Attributes:
        means: [B, M, 2] pixels, centres at integer + 0.5.
        covariances: [B, M, 3] px²: xx, xy, yy.
        depths: [B, M] cm, bias included: the order of blending.
        opacities: [B, M]; 0 where culled.
        colors: [B, M, 3] in [0, 1], tinted and lit.
        tints: [B, 6] how far each TintDriver acts.
    """

    means: Tensor
    covariances: Tensor
    depths: Tensor
    opacities: Tensor
    colors: Tensor
    tints: Tensor

    @property
    def conics(self) -> Tensor:
        """Inverse covariances [B, M, 3]: a, b, c of ``a dx² + 2 b dx dy + c dy²``."""
        xx, xy, yy = self.covariances.unbind(-1)
        return torch.stack([yy, -xy, xx], -1) / (xx * yy - xy * xy)[..., None]


class TorchMaps:
    """A persona's maps as tensors, and how they are posed.

    Args:
        maps: The persona.
        dtype: float64 to define, float32 to be fast.
        device: Where the tensors live.
    """

    def __init__(
        self, maps: HeadMaps, *, dtype: torch.dtype, device: torch.device | str = "cpu"
    ) -> None:
        self.maps = maps
        self._dtype, self._device = dtype, device
        self.positions = self._tensor(maps.positions)  # [M, 3]
        self.colors = self._tensor(maps.colors)  # [M, 3]
        opacities = np.clip(np.nan_to_num(maps.opacities), 0, d.OPACITY_LIMIT)
        self.opacities = self._tensor(opacities)  # [M]
        scales = self._tensor(maps.mode_scales)[:, None]
        self.modes = self._tensor(maps.modes.reshape(len(scales), -1)) * scales  # [K, N * 3]
        self.shares = self._tensor(joint_blend(maps.head_weight))  # [M, 3]
        self.sigmas = self._tensor(maps.sigmas)
        self.caps = self._tensor(np.minimum(maps.tangent_caps, 1e6))  # inf has no gradient
        self.winding, self.bias = self._tensor(maps.winding), self._tensor(maps.depth_bias)
        bits = d.inner_neighbours(maps.neighbours.reshape(-1, d.COLUMNS))
        self.has_neighbour = {
            bit: torch.as_tensor((bits & bit) > 0, device=device)[..., None] for bit in (1, 2, 4, 8)
        }
        self.eye_texels = self._index(np.flatnonzero(maps.chart == Chart.EYE))
        self.lid_texels = self._index(maps.lid_texels)
        mouth = np.isin(maps.chart, d.INNER_MOUTH)
        self.mouth_texels = self._index(np.flatnonzero(mouth))
        charts = maps.chart[mouth]
        self.fades = self._tensor(charts != Chart.CAVITY)  # [mouth texels]
        self.is_tooth = self._tensor(np.isin(charts, (Chart.TEETH, Chart.GUM)))
        tinted = np.flatnonzero(maps.tint_drivers)
        self.tinted_texels = self._index(tinted)
        self.tints = self._tensor(maps.tints[tinted])
        self.tint_drivers = self._index(maps.tint_drivers[tinted])
        self.lips = self._index(maps.lip_upper), self._index(maps.lip_lower)
        self.eye_centers = self._tensor(maps.eye_centers)

    def project(
        self, states: Sequence[FaceState], camera: Camera, *, source_residual: float = 0.0
    ) -> Gaussians:
        """Gaussians of B frames; ``camera`` is framed to the output."""
        weights = np.stack([expression_weights(self.maps, s, source_residual) for s in states])
        eyes = np.stack([eye_rotations(self.maps, s) for s in states])
        joints = np.stack([joint_matrices(self.maps, camera, s) for s in states])
        tints = np.stack([tint_amounts(self.maps, w) for w in weights])
        light = np.stack([teeth_light(self.maps, s) for s in states])
        surface = self.express(self._tensor(weights))
        surface = self.turn_eyes(surface, self._tensor(eyes))
        surface = self.push_lids(surface)
        view = self.move(surface, self._tensor(joints))  # camera axes
        focal, center = self._tensor(np.diag(camera.K)[:2]), self._tensor(camera.K[:2, 2])
        depth = view[..., 2]
        means = view[..., :2] / depth[..., None] * focal + center
        along_u, along_v = self.tangents(means)
        facing = along_u[..., 0] * along_v[..., 1] - along_u[..., 1] * along_v[..., 0]
        is_drawn = (facing * self.winding >= 0) & (depth > d.NEAR_CM)
        is_drawn &= torch.isfinite(means).all(-1) & torch.isfinite(facing)
        shown, lit = self.inner_mouth(surface, self._tensor(light))
        opacities = self.opacities * shown
        return Gaussians(
            means,
            self.covariances(along_u, along_v, float(camera.K[0, 0]) / depth),
            depth + self.bias,
            torch.where(is_drawn & (opacities >= d.ALPHA_CUT), opacities, 0.0),
            self.shaded(self.tinted(self._tensor(tints)), lit),
            self._tensor(tints),
        )

    def express(self, weights: Tensor) -> Tensor:
        """Step 1: weights [B, K] to surfaces [B, M, 3]; hair has no modes."""
        moved = (weights @ self.modes).unflatten(-1, (-1, 3))  # [B, N, 3]
        hair = len(self.positions) - moved.shape[1]
        return self.positions + torch.nn.functional.pad(moved, (0, 0, 0, hair))

    def turn_eyes(self, surface: Tensor, eyes: Tensor) -> Tensor:
        """Step 2: eyeballs turn by ``eyes`` [B, 2, 3, 3]."""
        return self._at_eyes(
            surface, self.eye_texels, lambda arm, e: (eyes[:, e] @ arm[..., None])[..., 0]
        )

    def push_lids(self, surface: Tensor) -> Tensor:
        """Step 3: lids stay outside the eyeballs."""
        clearance = d.LID_CLEARANCE * self.maps.eye_radius

        def pushed(arm: Tensor, _: Tensor) -> Tensor:
            distance = arm.norm(dim=-1, keepdim=True)
            is_inside = (distance < clearance) & (arm[..., 2:] > 0)
            return torch.where(is_inside, arm * (clearance / distance.clamp_min(1e-6)), arm)

        return self._at_eyes(surface, self.lid_texels, pushed)

    def move(self, surface: Tensor, joints: Tensor) -> Tensor:
        """Steps 4-5: joints [B, 3, 3, 4] blended per texel; [B, M, 3] in camera axes."""
        by_joint = (
            torch.einsum("bjck,bmk->bmjc", joints[..., :3], surface) + joints[:, None, ..., 3]
        )
        return (self.shares[..., None] * by_joint).sum(-2)

    def tangents(self, means: Tensor) -> tuple[Tensor, Tensor]:
        """Step 7: projected differences [B, M, 2] along u and v."""
        grid = means.unflatten(1, (-1, d.COLUMNS))  # [B, R, C, 2]

        def along(axis: int, back: int, ahead: int) -> Tensor:
            step_back = grid - grid.roll(1, axis)
            step_ahead = grid.roll(-1, axis) - grid
            has_back, has_ahead = self.has_neighbour[back], self.has_neighbour[ahead]
            total = torch.where(has_back, step_back, 0.0) + torch.where(has_ahead, step_ahead, 0.0)
            return (total / torch.where(has_back & has_ahead, 2.0, 1.0)).flatten(1, 2)

        return along(2, 1, 2), along(1, 4, 8)

    def covariances(self, along_u: Tensor, along_v: Tensor, px_per_cm: Tensor) -> Tensor:
        """Steps 7-8: [B, M, 3] from capped tangents."""
        low_pass = torch.tensor(
            [d.LOW_PASS_PX2, 0.0, d.LOW_PASS_PX2], dtype=self._dtype, device=self._device
        )
        total = low_pass.expand(*along_u.shape[:-1], 3)
        for axis, tangent in enumerate((along_u, along_v)):
            length = tangent.square().sum(-1).clamp_min(1e-12).sqrt()
            shorter = (self.caps[:, axis] * px_per_cm / length).clamp_max(1.0)
            x, y = (tangent * (shorter * self.sigmas[:, axis])[..., None]).unbind(-1)
            total = total + torch.stack([x * x, x * y, y * y], -1)
        return total

    def tinted(self, amounts: Tensor) -> Tensor:
        """Step 11: colours [B, M, 3] at tint amounts [B, 4]."""
        change = amounts[:, self.tint_drivers, None] * self.tints
        colors = self.colors.expand(len(amounts), -1, -1)
        return colors.index_add(1, self.tinted_texels, change) if len(self.tints) else colors

    def shaded(self, colors: Tensor, lit: Tensor) -> Tensor:
        """Step 9: colours [B, M, 3] in the light [B, M]."""
        shade = self._tensor(np.array(d.SHADE_RGB))
        return shade + (colors - shade) * lit[..., None]

    def inner_mouth(self, surface: Tensor, light: Tensor) -> tuple[Tensor, Tensor]:
        """Step 9: [B, M] factors on opacity and on colour, 1 outside the mouth.

        Args:
            surface: [B, M, 3] head space.
            light: [B, 3] of ``teeth_light``.
        """
        one = torch.ones_like(surface[..., 0])
        if not len(self.mouth_texels) or not len(self.lips[0]):
            return one, one
        at = surface[:, self.mouth_texels]
        gap = self.lip_gap(surface, at[..., 0].contiguous())
        shown = torch.lerp(torch.ones_like(gap), _smoothstep(gap, *d.APERTURE_CM), self.fades)
        lit = d.SHADE_FLOOR + (1 - d.SHADE_FLOOR) * _smoothstep(gap, *d.SHADED_CM)
        outward = torch.stack([at[..., 0], at[..., 2] - d.ARCH_Z_CM], -1)
        outward = outward / outward.norm(dim=-1, keepdim=True).clamp_min(1e-6)
        facing = (outward * light[:, None, ::2]).sum(-1).clamp_min(0)
        facing = d.TOOTH_AMBIENT + (1 - d.TOOTH_AMBIENT) * facing
        lit = lit * torch.lerp(torch.ones_like(facing), facing, self.is_tooth)
        return (
            one.index_copy(1, self.mouth_texels, shown),
            one.index_copy(1, self.mouth_texels, lit),
        )

    def lip_gap(self, surface: Tensor, x: Tensor) -> Tensor:
        """Gap of the lips in cm at each x [B, K]."""
        upper, lower = (surface[:, side] for side in self.lips)  # [B, P, 3]
        at = upper[..., 0].cummax(-1).values.contiguous()
        gap = upper[..., 1] - lower[..., 1]
        right = torch.searchsorted(at, x).clamp(1, max(at.shape[1] - 1, 1))
        right = right.clamp_max(at.shape[1] - 1)
        left = (right - 1).clamp_min(0)
        x0, x1 = at.gather(1, left), at.gather(1, right)
        share = torch.where(x1 > x0, (x - x0) / (x1 - x0).clamp_min(1e-12), 0.0)
        between = torch.lerp(gap.gather(1, left), gap.gather(1, right), share)
        is_inside = (x >= at[:, :1]) & (x <= at[:, -1:])
        return torch.where(is_inside, between, 0.0)

    def _at_eyes(self, surface: Tensor, texels: Tensor, change: _Change) -> Tensor:
        """Replace arms (from a texel's eye to it) of some texels; an eye owns half the columns."""
        eye = torch.where(texels % d.COLUMNS >= d.COLUMNS // 2, 0, 1)
        center = self.eye_centers[eye]
        arms = change(surface[:, texels] - center, eye)
        return surface.index_copy(1, texels, center + arms)

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(values)).to(self._device, self._dtype)

    def _index(self, texels: np.ndarray) -> Tensor:
        return torch.as_tensor(np.asarray(texels, np.int64), device=self._device)


def _smoothstep(x: Tensor, low: float, high: float) -> Tensor:
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def enlarged(gaussians: Gaussians, zoom: int) -> Gaussians:
    """The same on a picture ``zoom`` times as large."""
    return replace(
        gaussians, means=gaussians.means * zoom, covariances=gaussians.covariances * zoom**2
    )


def brought_up(color: Tensor, light: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Pictures [B, h, w, 3] with their light [B, h, w] at another size (H, W), bilinearly."""
    both = torch.cat([color, light[..., None]], -1).permute(0, 3, 1, 2)
    large = torch.nn.functional.interpolate(both, size, mode="bilinear", align_corners=False)
    return large[:, :3].permute(0, 2, 3, 1), large[:, 3]
