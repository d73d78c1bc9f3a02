"""The networks' arithmetic in plain numpy; pictures are [B, C, H, W], tokens [B, T, D], float32.

Importing a training framework would cost more than the rest of a persona's making. Each function
is the twin of the torch operation of the same name in ``training.codebooks``.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Layers = Mapping[str, Floats]
"""``NAME.weight`` and ``NAME.bias`` of each layer, and what else a file holds."""


def convolved(layers: Layers, name: str, x: Floats, *, stride: int = 1) -> Floats:
    """3 x 3 convolution with a border of zeros."""
    weight, bias = layers[f"{name}.weight"], layers[f"{name}.bias"]
    batch, _, height, width = x.shape
    rows, columns = height // stride, width // stride
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    out = np.empty((batch, len(weight), rows * columns), np.float32)
    taps = np.ascontiguousarray(weight.reshape(len(weight), -1))
    for b in range(batch):  # one picture at a time stays within the cache
        windows = np.lib.stride_tricks.sliding_window_view(padded[b], (3, 3), (1, 2))
        windows = windows[:, ::stride, ::stride].transpose(0, 3, 4, 1, 2)
        np.matmul(taps, windows.reshape(-1, rows * columns), out=out[b])
    out += bias[:, None]
    return out.reshape(batch, -1, rows, columns)


def linear(layers: Layers, name: str, x: Floats) -> Floats:
    """A dense layer on the last axis."""
    return x @ layers[f"{name}.weight"].T + layers[f"{name}.bias"]


def normalised(layers: Layers, name: str, x: Floats) -> Floats:
    """Layer normalisation on the last axis."""
    x = x - x.mean(-1, keepdims=True)
    x /= np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(1e-5))
    return x * layers[f"{name}.weight"] + layers[f"{name}.bias"]


def gelu(x: Floats) -> Floats:
    """The smooth rectifier, by its tangent formula."""
    inner = np.float32(0.7978845608) * (x + np.float32(0.044715) * x * x * x)
    return np.float32(0.5) * x * (1 + np.tanh(inner))


def softmax(x: Floats) -> Floats:
    """Shares on the last axis."""
    x = np.exp(x - x.max(-1, keepdims=True))
    x /= x.sum(-1, keepdims=True)
    return x


def sigmoid(x: Floats) -> Floats:
    """Logits to shares."""
    return quotient(np.ones((), np.float32), 1 + np.exp(-x))


def quotient(value: Floats, by: Floats) -> Floats:
    """A division that leaves nothing undefined; ``by`` is not negative."""
    return np.divide(value, np.maximum(by, np.float32(1e-6)), dtype=np.float32)


def halved(x: Floats) -> Floats:
    """Means of 2 x 2 texels."""
    return np.float32(0.25) * (
        x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]
    )


def doubled(x: Floats) -> Floats:
    """Twice the size, bilinearly (texel centres at integer + 0.5, borders repeated)."""
    height, width = x.shape[-2:]
    tall = np.empty((*x.shape[:-2], 2 * height, width), np.float32)
    _doubled_into(np.swapaxes(tall, 0, -2), np.swapaxes(x, 0, -2))
    wide = np.empty((*tall.shape[:-1], 2 * width), np.float32)
    _doubled_into(np.swapaxes(wide, 0, -1), np.swapaxes(tall, 0, -1))
    return wide


def _doubled_into(out: Floats, x: Floats) -> None:
    """Along the first axis."""
    near, beside = np.float32(0.75) * x, np.float32(0.25) * x
    out[0], out[-1] = x[0], x[-1]
    np.add(near[1:], beside[:-1], out=out[2::2])
    np.add(near[:-1], beside[1:], out=out[1:-1:2])


def grown(x: Floats, side: int) -> Floats:
    """Maps [..., S, S] at ``side`` texels, doubled as often as it takes."""
    while x.shape[-1] < side:
        x = doubled(x)
    return x


def tokens_of(picture: Floats) -> Floats:
    """[B, C, H, W] as tokens [B, H W, C]."""
    return np.ascontiguousarray(picture.reshape(*picture.shape[:2], -1).transpose(0, 2, 1))


def picture_of(tokens: Floats) -> Floats:
    """Tokens [B, S S, C] as a picture [B, C, S, S]."""
    side = round(tokens.shape[1] ** 0.5)
    return np.ascontiguousarray(tokens.transpose(0, 2, 1)).reshape(len(tokens), -1, side, side)


def unfolded(tokens: Floats, patch: int) -> Floats:
    """Tokens [B, S S, 3 P P] (channel, row, column) as a picture [B, 3, S P, S P]."""
    batch, count, _ = tokens.shape
    side = round(count**0.5)
    grid = tokens.reshape(batch, side, side, 3, patch, patch)
    return grid.transpose(0, 3, 1, 4, 2, 5).reshape(batch, 3, side * patch, side * patch)


def shuffled(x: Floats) -> Floats:
    """Channels to 2 x 2 texels: [B, 4 C, H, W] to [B, C, 2 H, 2 W]."""
    b, c, h, w = x.shape
    grid = x.reshape(b, c // 4, 2, 2, h, w).transpose(0, 1, 4, 2, 5, 3)
    return grid.reshape(b, c // 4, 2 * h, 2 * w)


def unshuffled(x: Floats) -> Floats:
    """The inverse of :func:`shuffled`."""
    b, c, h, w = x.shape
    grid = x.reshape(b, c, h // 2, 2, w // 2, 2).transpose(0, 1, 3, 5, 2, 4)
    return grid.reshape(b, 4 * c, h // 2, w // 2)
