"""``NAME.persona``: one safetensors file whose header says what it is.

Arrays are stored as they are, deflated (integers by differences, byte planes apart), or as PNG
when they are pictures. Reading one never executes anything, and never unpacks more than the
header's shapes allow.
"""

import contextlib
import hashlib
import io
import json
import os
import struct
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from safetensors.numpy import load, save

from avatar_engine.errors import PersonaFileError
from avatar_engine.persona.persona import Persona, Provenance
from avatar_engine.types import Camera, HeadMaps, Plates

MAGIC = "livepitch.persona"
FORMAT_VERSION = 1
_ATLAS = 65536
_LARGEST_BYTES = 1 << 28
_PICTURES = {"background": 3, "body": 4, "photo": 3, "thumbnail": 3}
_SHAPES: Mapping[str, tuple[object, ...]] = {
    "positions": ("M", 3), "modes": (53, _ATLAS, 3), "mode_scales": (53,), "rest": (52,),
    "source": (52,), "head_weight": ("M",), "chart": ("M",), "neighbours": ("M",),
    "colors": ("M", 3), "opacities": ("M",), "sigmas": ("M", 2), "tangent_caps": ("M", 2),
    "winding": ("M",), "depth_bias": ("M",), "eye_centers": (2, 3), "eye_gaze": (2, 2),
    "lid_texels": ("L",), "lip_upper": ("P",), "lip_lower": ("P",), "placement": (3, 4),
    "pivot": (3,), "background": ("S", "S", 3), "body": ("S", "S", 4),
    "thumbnail": (384, 384, 3), "tints": ("T", 3), "tint_drivers": ("T",),
    "photo": ("S", "S", 3),
}  # fmt: skip
_OPTIONAL = ("tints", "tint_drivers", "photo")
"""Not in every file of this format."""
_KINDS: Mapping[str, str] = {
    "modes": "int16", "chart": "uint8", "neighbours": "uint8", "winding": "int8",
    "lid_texels": "int32", "lip_upper": "int32", "lip_lower": "int32",
    "tint_drivers": "uint8", "background": "uint8", "body": "uint8", "thumbnail": "uint8",
    "photo": "uint8",
}  # fmt: skip


def save_persona(persona: Persona, path: Path) -> None:
    """Write a persona, whole or not at all.

    Raises:
        PersonaFileError: The file cannot be written there.
    """
    arrays = {f.name: getattr(persona.maps, f.name) for f in fields(HeadMaps)}
    radius = float(arrays.pop("eye_radius"))
    arrays |= {"background": persona.plates.background, "body": persona.plates.body}
    if persona.plates.photo.size:
        arrays["photo"] = persona.plates.photo
    arrays["thumbnail"] = persona.thumbnail
    tensors: dict[str, NDArray[Any]] = {}
    layout: dict[str, dict[str, Any]] = {}
    for name, array in arrays.items():
        array = np.asarray(array, _KINDS.get(name, "float32"))
        how, tensors[name] = _packed(name, array)
        layout[name] = {"how": how, "shape": array.shape, "dtype": str(array.dtype)}
    header = {
        "name": persona.name,
        "consent": persona.consent,
        "provenance": asdict(persona.provenance),
        "eye_radius": radius,
        "camera": {
            "viewmat": persona.camera.viewmat.tolist(),
            "K": persona.camera.K.tolist(),
            "width": persona.camera.width,
            "height": persona.camera.height,
        },
        "layout": layout,
    }
    text = json.dumps(header, ensure_ascii=False)
    metadata = {
        "magic": MAGIC,
        "format_version": str(FORMAT_VERSION),
        "persona": text,
        "sha256": _digest(text, tensors),
    }
    _write(path, save(tensors, metadata))


def load_persona(path: Path | str) -> Persona:
    """Read a persona.

    Raises:
        PersonaFileError: The file is missing, damaged, not ours, or of a newer version.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise PersonaFileError(f"{path.name}: {reason}; give the path of a .persona file") from None
    metadata = _metadata(path.name, content)
    try:
        tensors = load(content)
        if _digest(metadata["persona"], tensors) != metadata["sha256"]:
            raise ValueError
        return _unpacked(json.loads(metadata["persona"]), tensors)
    except (SafetensorError, LookupError, TypeError, ValueError, zlib.error, OSError):
        raise PersonaFileError(
            f"{path.name}: the file is damaged or was altered; build the persona again"
        ) from None


def _metadata(name: str, content: bytes) -> dict[str, str]:
    """The header's strings, after checking that the file is ours and not from the future."""
    foreign = f"{name}: not a .persona file; make one with: livepitch persona PHOTO -o NAME.persona"
    try:
        (length,) = struct.unpack("<Q", content[:8])
        if length > len(content):
            complete = False
            metadata = {}
        else:
            complete = True
            metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    except (struct.error, ValueError, LookupError, TypeError):
        raise PersonaFileError(foreign) from None
    if not complete and MAGIC.encode() in content[:4096]:
        raise PersonaFileError(f"{name}: the file is cut short; copy it again or build it again")
    if not isinstance(metadata, dict) or metadata.get("magic") != MAGIC:
        raise PersonaFileError(foreign)
    version = str(metadata.get("format_version", ""))
    if version != str(FORMAT_VERSION):
        raise PersonaFileError(
            f"{name}: format {version[:20]!r}, but this version of livepitch reads format "
            f"{FORMAT_VERSION}; upgrade livepitch or build the persona again"
        )
    return metadata


def _unpacked(header: dict[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Persona:
    sizes: dict[str, int] = {}
    arrays = {}
    for name, wanted in _SHAPES.items():
        if name in _OPTIONAL and name not in header["layout"]:
            continue
        entry = header["layout"][name]
        shape = tuple(int(n) for n in entry["shape"])
        if len(shape) != len(wanted) or entry["dtype"] != _KINDS.get(name, "float32"):
            raise ValueError(name)
        for have, want in zip(shape, wanted, strict=True):
            if have != (sizes.setdefault(want, have) if isinstance(want, str) else want):
                raise ValueError(name)
        arrays[name] = _restored(entry["how"], tensors[name], shape, entry["dtype"])
    pictures = {f.name: arrays.pop(f.name) for f in fields(Plates) if f.name in arrays}
    plates = Plates(**pictures)
    thumbnail = arrays.pop("thumbnail")
    camera = header["camera"]
    provenance = dict(header["provenance"])
    provenance["notes"] = tuple(provenance["notes"])
    return Persona(
        name=str(header["name"]),
        maps=HeadMaps(**arrays, eye_radius=float(header["eye_radius"])),
        plates=plates,
        camera=Camera(
            np.array(camera["viewmat"], np.float64).reshape(4, 4),
            np.array(camera["K"], np.float64).reshape(3, 3),
            int(camera["width"]),
            int(camera["height"]),
        ),
        thumbnail=thumbnail,
        consent=header["consent"],
        provenance=Provenance(**provenance),
    )


def _packed(name: str, array: NDArray[Any]) -> tuple[str, NDArray[Any]]:
    """How an array is stored, and its stored form."""
    if name in _PICTURES:
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


def _restored(how: str, stored: NDArray[Any], shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
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


def _digest(text: str, tensors: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensors[name]).tobytes())
    return digest.hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Write beside the place and move it there, so that nothing half-written is ever seen."""
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = file.name
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        reason = error.strerror or "cannot be written"
        raise PersonaFileError(
            f"{path}: {reason}; choose another place or free some space"
        ) from None
