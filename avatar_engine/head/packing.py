"""The head model's file layout: one half of what is symmetric, whole steps, differences, deflate.

A map is rounded to a step of length, and each texel is stored as what its left, upper and
upper-left neighbours do not predict. A head is smooth, so a mode of 65,536 texels takes about
15 kB at a step of a fiftieth of a millimetre.
"""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import WeightsError
from avatar_engine.types import ARKIT, HeadRig

VERSION = "1"
MEAN_STEP_CM = 0.0005
MODE_STEP_CM = 0.002
_WEIGHT_STEP = 1 / 4096
_MIRROR = np.array([-1, 1, 1], np.float32)  # x changes its sign between a texel and its twin


def twin_name(name: str) -> str:
    """The expression that does on the other side what ``name`` does (itself where it is symmetric).

    Example:
        ``twin_name("eyeBlinkLeft") == "eyeBlinkRight"``
    """
    if name.endswith("Left"):
        return name[:-4] + "Right"
    return name[:-5] + "Left" if name.endswith("Right") else name


def pack_rig(rig: HeadRig) -> dict[str, NDArray[Any]]:
    """Arrays of the file. ``rig`` must be left-right symmetric; its right half is not looked at,
    save for the expressions of the left side, which are stored whole.
    """
    R = rig.resolution
    shape = (-1, R, R, 3)
    half = np.s_[:, :, R // 2 :]
    expression = rig.expression.reshape(shape)
    sided = [i for i, name in enumerate(ARKIT) if name.endswith("Left")]
    both = [i for i, name in enumerate(ARKIT) if twin_name(name) == name]
    weights = np.stack([rig.neck, rig.jaw], -1).reshape(1, R, R, 2)
    return {
        "chart": _deflate(rig.chart[:, R // 2 :].tobytes()),
        "mean": _pack(rig.mean.reshape(shape)[half], MEAN_STEP_CM),
        "identity": _pack(rig.identity.reshape(shape)[half], MODE_STEP_CM),
        "expression_both": _pack(expression[both][half], MODE_STEP_CM),
        "expression_left": _pack(expression[sided], MODE_STEP_CM),
        "joints": _pack(weights[half], _WEIGHT_STEP),
        "eye_center": rig.eye_centers[0],
        "eye_identity": np.ascontiguousarray(rig.eye_identity[:, 0]),
        "eye_radius": np.array([rig.eye_radius], np.float32),
        "resolution": np.array([R], np.int32),
        "landmark_texels": rig.landmark_texels,
        "landmark_weights": rig.landmark_weights,
        "landmark_distance": rig.landmark_distance,
    }


def unpack_rig(tensors: Mapping[str, NDArray[Any]]) -> HeadRig:
    """The rig of a file's arrays.

    Raises:
        WeightsError: An array is missing or of another layout.
    """
    try:
        return _unpack_rig(tensors)
    except (KeyError, ValueError, IndexError, zlib.error) as error:
        raise WeightsError(f"head model: unknown layout ({error}); reinstall livepitch") from error


def _unpack_rig(tensors: Mapping[str, NDArray[Any]]) -> HeadRig:
    R = int(tensors["resolution"][0])
    N, H = R * R, R // 2
    half_chart = np.frombuffer(zlib.decompress(tensors["chart"].tobytes()), np.uint8).reshape(R, H)
    chart = np.concatenate([half_chart[:, ::-1], half_chart], 1)
    mean = _mirrored(_unpack(tensors["mean"], MEAN_STEP_CM, (R, H, 3)))
    identity = _mirrored(_unpack(tensors["identity"], MODE_STEP_CM, (R, H, 3)))
    left = _unpack(tensors["expression_left"], MODE_STEP_CM, (R, R, 3))
    both = _unpack(tensors["expression_both"], MODE_STEP_CM, (R, H, 3))
    expression = np.empty((len(ARKIT), R, R, 3), np.float32)
    expression[[i for i, n in enumerate(ARKIT) if n.endswith("Left")]] = left
    rights = [i for i, n in enumerate(ARKIT) if n.endswith("Right")]
    order = [ARKIT.index(twin_name(ARKIT[i])) for i in rights]
    expression[rights] = expression[order][:, :, ::-1] * _MIRROR
    expression[[i for i, n in enumerate(ARKIT) if twin_name(n) == n]] = _mirrored(both)
    joints = _unpack(tensors["joints"], _WEIGHT_STEP, (R, H, 2))[0]
    joints = np.concatenate([joints[:, ::-1], joints], 1).reshape(N, 2)
    center, moved = tensors["eye_center"], tensors["eye_identity"]
    return HeadRig(
        resolution=R,
        chart=chart,
        mean=mean.reshape(N, 3),
        identity=identity.reshape(-1, N, 3),
        expression=expression.reshape(-1, N, 3),
        neck=np.ascontiguousarray(joints[:, 0]),
        jaw=np.ascontiguousarray(joints[:, 1]),
        eye_centers=np.stack([center, center * _MIRROR]),
        eye_identity=np.stack([moved, moved * _MIRROR], 1),
        eye_radius=float(tensors["eye_radius"][0]),
        landmark_texels=tensors["landmark_texels"],
        landmark_weights=tensors["landmark_weights"],
        landmark_distance=tensors["landmark_distance"],
    )


def _mirrored(half: NDArray[np.float32]) -> NDArray[np.float32]:
    """Whole maps [..., R, R, 3] of left halves [..., R, R / 2, 3]."""
    return np.concatenate([half[..., ::-1, :] * _MIRROR, half], -2)


def _pack(maps: NDArray[np.floating], step: float) -> NDArray[np.uint8]:
    """Maps [M, H, W, C] as a deflated stream: all low bytes, then all high bytes."""
    q = np.round(np.moveaxis(maps.astype(np.float64), -1, 1) / step)
    if np.abs(q).max(initial=0) > np.iinfo(np.int16).max:
        raise ValueError(f"a map reaches too far for a step of {step}")
    # Differences may leave int16; they wrap, and the sums of _unpack wrap back.
    d: NDArray[np.int16] = q.astype(np.int16)
    for axis in (-1, -2):
        d = np.diff(d, axis=axis, prepend=np.int16(0)).astype(np.int16)
    folded = ((d << 1) ^ (d >> 15)).view(np.uint16)  # small of either sign becomes small
    low, high = (folded & 0xFF).astype(np.uint8), (folded >> 8).astype(np.uint8)
    return _deflate(low.tobytes() + high.tobytes())


def _unpack(
    packed: NDArray[np.uint8], step: float, shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Maps [M, H, W, C] of :func:`_pack`."""
    low, high = np.frombuffer(zlib.decompress(packed.tobytes()), np.uint8).reshape(2, -1)
    folded = low.astype(np.uint16) | high.astype(np.uint16) << 8
    d = (folded >> 1).astype(np.int16) ^ -(folded & 1).astype(np.int16)
    q = d.reshape(-1, shape[2], *shape[:2])
    np.cumsum(q, axis=-2, dtype=np.int16, out=q)
    np.cumsum(q, axis=-1, dtype=np.int16, out=q)
    return np.ascontiguousarray(np.moveaxis(q, 1, -1)).astype(np.float32) * np.float32(step)


def _deflate(content: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(zlib.compress(content, 9), np.uint8)
