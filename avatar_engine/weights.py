"""Shipped weight files: read only when whole, unaltered and under a licence that allows sale.

A ``.safetensors`` file carries its own facts and a digest in its header. Files of other makers
(``.tflite``) cannot, so their facts stand in a manifest ``weights.json`` beside them::

    {"face_landmark.tflite": {"sha256": "…", "licence": "Apache-2.0", "source": "…"}}
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from avatar_engine.errors import WeightsError

LICENCES = frozenset({"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0"})
"""SPDX names that allow sale; a file may join several with `` AND ``."""

MANIFEST = "weights.json"

_UNREADABLE = (SafetensorError, struct.error, ValueError, LookupError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class WeightFacts:
    """Where weights come from.

    Attributes:
        name: What they are.
        version: Of the file's layout; readers refuse what they do not know.
        licence: SPDX expression.
        recipe: The command that made them, or the place they were taken from.
    """

    name: str
    version: str
    licence: str
    recipe: str


@dataclass(frozen=True, slots=True)
class Weights:
    """One verified file: its facts and its arrays."""

    facts: WeightFacts
    tensors: Mapping[str, NDArray[Any]]


def load_weights(path: Path, kind: tuple[str, str] | None = None) -> Weights:
    """Read a ``.safetensors`` file written by :func:`save_weights`.

    Args:
        path: The file.
        kind: The name and version of the only weights that will do.

    Raises:
        WeightsError: The file is missing, damaged, altered, of another kind, or of a licence that
            forbids sale.
    """
    content = _read(path)
    try:
        (length,) = struct.unpack("<Q", content[:8])
        header = dict(json.loads(content[8 : 8 + length]).get("__metadata__") or {})
        tensors = load(content)
        digest = header.pop("sha256")
        facts = WeightFacts(**header)
    except (
        SafetensorError,
        struct.error,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:
        raise WeightsError(
            f"{path.name}: not a weight file of ours; reinstall livepitch"
        ) from error
    if _digest(tensors, facts) != digest:
        raise WeightsError(f"{path.name}: altered after it was made; reinstall livepitch")
    _check_licence(path.name, facts.licence)
    if kind is not None and (facts.name, facts.version) != kind:
        found, needed = f"{facts.name} {facts.version}", " ".join(kind)
        raise WeightsError(f"{path.name}: holds {found!r}, needed is {needed!r}")
    return Weights(facts, tensors)


def save_weights(path: Path, tensors: Mapping[str, NDArray[Any]], facts: WeightFacts) -> None:
    """Write arrays with their facts and digest; the same content gives the same bytes.

    Raises:
        WeightsError: The licence is not one we may ship.
    """
    _check_licence(path.name, facts.licence)
    whole = {name: np.ascontiguousarray(array) for name, array in sorted(tensors.items())}
    content = save(whole, {**asdict(facts), "sha256": _digest(whole, facts)})
    (length,) = struct.unpack("<Q", content[:8])
    # The library writes metadata in no fixed order; sorted, the file reproduces byte for byte.
    header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True, separators=(",", ":"))
    padded = header.encode().ljust(-(-len(header.encode()) // 8) * 8)
    path.write_bytes(struct.pack("<Q", len(padded)) + padded + content[8 + length :])


@cache
def weights_path(path: Path) -> Path:
    """The path of a file another maker trained, once its manifest vouches for it.

    Args:
        path: The file; ``weights.json`` lies beside it.

    Raises:
        WeightsError: The file is missing, altered, not in the manifest, or of a licence that
            forbids sale.
    """
    content = _read(path)
    try:
        entry = json.loads(_read(path.with_name(MANIFEST)))[path.name]
        digest, licence = entry["sha256"], entry["licence"]
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"{path.name}: {MANIFEST} beside it does not state its licence and sha256"
        ) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise WeightsError(f"{path.name}: altered after it was shipped; reinstall livepitch")
    _check_licence(path.name, licence)
    return path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path.name}: cannot be read; reinstall livepitch") from error


def _check_licence(name: str, licence: str) -> None:
    if not set(licence.split(" AND ")) <= LICENCES:
        known = ", ".join(sorted(LICENCES))
        raise WeightsError(f"{name}: licence {licence!r} is not one we may sell under ({known})")


def _digest(tensors: Mapping[str, NDArray[Any]], facts: WeightFacts) -> str:
    """SHA-256 over the facts and every array's name, type, shape and bytes."""
    total = hashlib.sha256(json.dumps(asdict(facts), sort_keys=True).encode())
    for name, array in sorted(tensors.items()):
        total.update(f"{name} {array.dtype.str} {array.shape}".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()
