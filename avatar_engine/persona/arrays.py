"""How a persona's arrays are stored: deflated, or as PNG when they are pictures."""

import io
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PICTURES = {"background": 3, "body": 4, "photo": 3, "thumbnail": 3}
"""Arrays that are pictures, and their channels."""

_LARGEST_BYTES = 1 << 28


def packed(name: str, array: NDArray[Any]) -> tuple[str, NDArray[Any]]:
    """How an array is stored, and its stored form."""
    if name in PICTURES:
        buffer = io.BytesIO()
        Image.fromarray(array).save(buffer, "PNG", compress_level=6)
        return "png", np.frombuffer(buffer.getvalue(), np.uint8)
    if array.nbytes < 4096:
        return "plain", np.ascontiguousarray(array)
    whole = array.dtype.kind in "iu"
    stored = np.diff(array, axis=-2, prepend=array.dtype.type(0)) if name == "modes" else array
    planes = np.ascontiguousarray(stored).view(np.uint8).reshape(-1, array.itemsize).T
    deflated = zlib.compress(np.ascontiguousarray(planes).tobytes(), 6)
    how = "differences" if name == "modes" and whole else "planes"
    return how, np.frombuffer(deflated, np.uint8)


def restored(how: str, stored: NDArray[Any], shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """The array again.

    Raises:
        ValueError: What is stored does not have that shape.
    """
    if how == "png":
        with Image.open(io.BytesIO(stored.tobytes()), formats=["PNG"]) as picture:
            if picture.size != (shape[1], shape[0]):
                raise ValueError("picture size")
            return np.array(picture).reshape(shape)
    kind = np.dtype(dtype)
    if how == "plain":
        if stored.dtype != kind or stored.shape != shape:
            raise ValueError("array")
        return stored
    size = int(np.prod(shape)) * kind.itemsize
    if size > _LARGEST_BYTES:
        raise ValueError("too large")
    inflater = zlib.decompressobj()
    content = inflater.decompress(stored.tobytes(), size)
    if len(content) != size or inflater.unconsumed_tail:
        raise ValueError("length")
    planes = np.frombuffer(content, np.uint8).reshape(kind.itemsize, -1)
    array = np.ascontiguousarray(planes.T).view(kind).reshape(shape)
    if how == "differences":
        return np.cumsum(array, axis=-2, dtype=kind)
    if how != "planes":
        raise ValueError(how)
    return array
