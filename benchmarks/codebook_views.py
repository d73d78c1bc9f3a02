"""What a turned head hides, and how far a completion is from the truth."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from avatar_engine.gaussian.smooth import smoothstep
from avatar_engine.gaussian.zbuffer import nearest
from avatar_engine.shapes import texel_triangles
from avatar_engine.types import HeadRig

_FACING = (0.18, 0.55)
_BEHIND_CM = 0.3
_SIDE_PX, _PX_PER_CM, _FAR_CM = 384, 12, 130
_SHEET_ROWS = 112  # of 128; below are eyes and teeth


def visible_when_turned(rig: HeadRig, yaw: float) -> NDArray[np.float32]:
    """[N] in [0, 1] how well the mean head's texels are seen, turned by ``yaw`` (exact hiding)."""
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    x = rig.mean @ turn.T
    side = _SIDE_PX
    p = np.stack([x[:, 0] * _PX_PER_CM, -x[:, 1] * _PX_PER_CM, _FAR_CM - x[:, 2]], 1)
    p[:, :2] += side / 2
    triangles = texel_triangles(rig.chart)
    front = nearest(p, triangles, width=side, height=side)
    a, b, d = (x[triangles[:, k]] for k in range(3))
    normal = np.zeros_like(x)
    for k in range(3):
        np.add.at(normal, triangles[:, k], np.cross(b - a, d - a))
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    outward = np.sign((normal * x).sum())
    col, row = (np.clip(p[:, k].astype(int), 0, side - 1) for k in (0, 1))
    shown = p[:, 2] < front.depth[row, col] + _BEHIND_CM
    return (shown * smoothstep(outward * normal[:, 2], *_FACING)).astype(np.float32)


def size_of(module: nn.Module, *inputs: Any) -> tuple[int, int]:
    """Parameters, and multiply-adds of one forward pass (convolutions and linear layers)."""
    counted = 0

    def convolved(layer: nn.Conv2d, _given: Any, made: Tensor) -> None:
        nonlocal counted
        counted += made[0].numel() * layer.weight[0].numel() * len(made)

    def multiplied(layer: nn.Linear, _given: Any, made: Tensor) -> None:
        nonlocal counted
        counted += made.numel() * layer.in_features

    hooks = []
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            hooks.append(layer.register_forward_hook(convolved))
        elif isinstance(layer, nn.Linear):
            hooks.append(layer.register_forward_hook(multiplied))
    with torch.no_grad():
        module(*inputs)
    for hook in hooks:
        hook.remove()
    return sum(p.numel() for p in module.parameters()), counted


def rms(miss: NDArray[np.floating], weight: NDArray[np.floating]) -> float:
    """Root mean square: of colours in 0-255 when they come in [0, 1]; of vectors by component."""
    weight = np.broadcast_to(weight, miss.shape)
    return float(np.sqrt((miss**2 * weight).sum() / max(float(weight.sum()), 1e-9)))


def psnr(miss: NDArray[np.floating], weight: NDArray[np.floating]) -> float:
    """dB of misses in [0, 1] over a region."""
    return float(-20 * np.log10(max(rms(miss, weight), 1e-6)))


def write_sheet(rows: Sequence[Sequence[NDArray[np.floating]]], file: Path) -> None:
    """Atlases [3, 128, 128] sRGB side by side, a row for each head, at twice their size."""
    cut = [np.concatenate(row, 2)[:, :_SHEET_ROWS] for row in rows]
    whole = np.concatenate(cut, 1).transpose(1, 2, 0)
    picture = Image.fromarray(np.round(255 * whole).astype(np.uint8))
    double = (2 * picture.width, 2 * picture.height)
    picture.resize(double, Image.Resampling.BICUBIC).save(file, quality=88)
