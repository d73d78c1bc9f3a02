"""``NAME.persona``: one safetensors file whose header says what it is.

Reading one never executes anything, and never unpacks more than the header's shapes allow.
Format 2 holds corrective modes besides the 53 that format 1 has; both are read.
"""

import contextlib
import hashlib
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
from safetensors import SafetensorError
from safetensors.numpy import load, save

from avatar_engine.errors import PersonaFileError
from avatar_engine.persona.arrays import packed, restored
from avatar_engine.persona.persona import Persona, Provenance
from avatar_engine.types import Camera, Drivers, HeadMaps, Plates
from avatar_engine.types.maps import PLAIN_MODES

MAGIC = "livepitch.persona"
FORMAT_VERSION = 2
_READABLE = ("1", "2")
_ATLAS = 65536
_SHAPES: Mapping[str, tuple[object, ...]] = {
    "positions": ("M", 3), "modes": ("K", _ATLAS, 3), "mode_scales": ("K",), "rest": (52,),
    "source": (52,), "head_weight": ("M",), "chart": ("M",), "neighbours": ("M",),
    "colors": ("M", 3), "opacities": ("M",), "sigmas": ("M", 2), "tangent_caps": ("M", 2),
    "winding": ("M",), "depth_bias": ("M",), "eye_centers": (2, 3), "eye_gaze": (2, 2),
    "lid_texels": ("L",), "lip_upper": ("P",), "lip_lower": ("P",), "placement": (3, 4),
    "pivot": (3,), "background": ("S", "S", 3), "body": ("S", "S", 4),
    "thumbnail": (384, 384, 3), "tints": ("T", 3), "tint_drivers": ("T",),
    "photo": ("S", "S", 3), "driver_linear": ("C", 52), "driver_pairs": ("Q", 2),
    "driver_floors": ("Q",), "driver_products": ("C", "Q"),
}  # fmt: skip
_DRIVERS = {f.name: f"driver_{f.name}" for f in fields(Drivers)}
_OPTIONAL = ("tints", "tint_drivers", "photo", *_DRIVERS.values())
"""Not in every file of this format."""
_KINDS: Mapping[str, str] = {
    "modes": "int16", "chart": "uint8", "neighbours": "uint8", "winding": "int8",
    "lid_texels": "int32", "lip_upper": "int32", "lip_lower": "int32",
    "tint_drivers": "uint8", "background": "uint8", "body": "uint8", "thumbnail": "uint8",
    "photo": "uint8", "driver_pairs": "int32",
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
    drivers = arrays.pop("drivers")
    if len(drivers):
        arrays |= {stored: getattr(drivers, name) for name, stored in _DRIVERS.items()}
    tensors: dict[str, NDArray[Any]] = {}
    layout: dict[str, dict[str, Any]] = {}
    for name, array in arrays.items():
        array = np.asarray(array, _KINDS.get(name, "float32"))
        how, tensors[name] = packed(name, array)
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
    if version not in _READABLE:
        raise PersonaFileError(
            f"{name}: format {version[:20]!r}, but this version of livepitch reads formats "
            f"{' and '.join(_READABLE)}; upgrade livepitch or build the persona again"
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
        arrays[name] = restored(entry["how"], tensors[name], shape, entry["dtype"])
    pictures = {f.name: arrays.pop(f.name) for f in fields(Plates) if f.name in arrays}
    plates = Plates(**pictures)
    thumbnail = arrays.pop("thumbnail")
    drivers = _drivers(arrays)
    if sizes["K"] != PLAIN_MODES + len(drivers):
        raise ValueError("modes")
    camera = header["camera"]
    provenance = dict(header["provenance"])
    provenance["notes"] = tuple(provenance["notes"])
    return Persona(
        name=str(header["name"]),
        maps=HeadMaps(**arrays, eye_radius=float(header["eye_radius"]), drivers=drivers),
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


def _drivers(arrays: dict[str, Any]) -> Drivers:
    """Taken out of the arrays; none where the file has none."""
    found = {name: arrays.pop(stored) for name, stored in _DRIVERS.items() if stored in arrays}
    if not found:
        return Drivers.none()
    drivers = Drivers(**found)
    if drivers.pairs.size and not (drivers.pairs.min() >= 0 and drivers.pairs.max() < 52):
        raise ValueError("pairs")
    return drivers


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
