"""The label network's arithmetic: 3 x 3 convolutions as nine matrix products each.

A picture with a border of zeros, laid out flat, is shifted by starting to read it elsewhere; so no
patch is ever copied together, and BLAS does all the work.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Layers = Mapping[str, NDArray[np.float32]]
"""``NAME.weight`` [out, in, 3, 3] or [out, in] and ``NAME.bias`` [out] of each convolution."""

Picture = NDArray[np.float32]

DOWN = ("down1", "down2", "down3")
"""Each halves the picture; two residual convolutions follow it."""


def run_network(layers: Layers, seen: Picture) -> Picture:
    """Logits [K, S, S] of an input [C, S, S]; S is a multiple of 16.

    The same network as ``training.labels.network.LabelNet``.
    """
    x = _relu(_mixed(layers, "stem", _unshuffled(seen)))  # [., S/2, S/2]
    skips = []
    for name in DOWN:
        skips.append(x)
        x = _relu(_convolved(layers, name, x)[:, ::2, ::2])
        for k in (1, 2):
            x = _relu(x + _convolved(layers, f"{name}.res{k}", x))
    x = _relu(x + _convolved(layers, "deep1", x, dilation=2))
    x = _relu(x + _convolved(layers, "deep2", x, dilation=4))
    x = x + _relu(_mixed(layers, "whole", x.mean((1, 2), keepdims=True)))
    for name, skip in zip(("up3", "up2", "up1"), reversed(skips), strict=True):
        x = np.concatenate([x.repeat(2, 1).repeat(2, 2), skip])
        x = _relu(_convolved(layers, name, x))
    return _shuffled(_mixed(layers, "head", x))


def _convolved(layers: Layers, name: str, x: Picture, *, dilation: int = 1) -> Picture:
    """3 x 3 convolution with a border of zeros, [O, H, W]."""
    weight, bias = layers[f"{name}.weight"], layers[f"{name}.bias"]
    channels, height, width = x.shape
    d = dilation
    row = width + 2 * d
    # A row more than needed, so that the last shift still reads inside.
    flat = np.zeros((channels, height + 2 * d + 1, row), np.float32)
    flat[:, d : d + height, d : d + width] = x
    flat = flat.reshape(channels, -1)
    length = height * row
    total = np.empty((len(weight), length), np.float32)
    total[:] = bias[:, None]
    for i in range(3):
        for j in range(3):
            start = i * d * row + j * d
            tap = np.ascontiguousarray(weight[:, :, i, j])
            total += tap @ flat[:, start : start + length]
    return total.reshape(len(weight), height, row)[:, :, :width]


def _mixed(layers: Layers, name: str, x: Picture) -> Picture:
    """1 x 1 convolution."""
    flat = np.ascontiguousarray(x).reshape(len(x), -1)
    out = layers[f"{name}.weight"] @ flat + layers[f"{name}.bias"][:, None]
    return out.reshape(-1, *x.shape[1:])


def _relu(x: Picture) -> Picture:
    return np.maximum(x, 0)


def _unshuffled(x: Picture) -> Picture:
    """Each 2 x 2 pixels become channels: [C, H, W] to [4 C, H/2, W/2], as torch does it."""
    c, h, w = x.shape
    return x.reshape(c, h // 2, 2, w // 2, 2).transpose(0, 2, 4, 1, 3).reshape(-1, h // 2, w // 2)


def _shuffled(x: Picture) -> Picture:
    """The inverse of :func:`_unshuffled`."""
    c, h, w = x.shape
    return x.reshape(c // 4, 2, 2, h, w).transpose(0, 3, 1, 4, 2).reshape(c // 4, 2 * h, 2 * w)
