"""One head as the codebooks' recipes read it: small integers, half precision, no pickle."""

from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import ShapeError

Bytes = NDArray[np.uint8]
Halves = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class CachedHead:
    """One head over the atlas; R = 256, coarse maps at 64 (see :class:`coarse.CoarseGrid`).

    Attributes:
        residual: [64, 64, 3] float16 cm, head space: what the linear rig leaves to the photo's
            landmarks, of the person and of the expression.
        residual_seen: [64, 64] uint8, 255 where landmarks and the view speak for it.
        positions: [64, 64, 3] float16 cm at expression zero.
        source: [52] float16 expression of the photo.
        pose: [3] float32 yaw, pitch, roll of the source view, radians.
        color: [R, R, 3] uint8 sRGB the photo itself shows, 0 where it shows nothing.
        seen: [R, R] uint8, 255 where the photo shows the texel well, itself and not its twin.
        hairy: [R, R] uint8 share of hair.
        base: [R, R, 3] uint8 sRGB, what a persona's build makes of it without codebooks.
        truth: [R, R, 3] uint8, the whole texture; synthetic heads only.
        lid_truth: [R, R, 3] uint8, the same with both eyes closed; synthetic heads only.
        light: [R, R, 3] float16, ``truth`` over the unlit skin; synthetic heads only.
        expressions: [K, 52] float16 weights; synthetic heads only.
        truth_displacement: [K, 64, 64, 3] float16 cm, how far each moves the surface from
            expression zero; synthetic heads only.
    """

    residual: Halves
    residual_seen: Bytes
    positions: Halves
    source: Halves
    pose: NDArray[np.float32]
    color: Bytes | None = None
    seen: Bytes | None = None
    hairy: Bytes | None = None
    base: Bytes | None = None
    truth: Bytes | None = None
    lid_truth: Bytes | None = None
    light: Halves | None = None
    expressions: Halves | None = None
    truth_displacement: Halves | None = None

    def save(self, path: Path) -> None:
        """Write the head, whole or not at all."""
        known = {f.name: getattr(self, f.name) for f in fields(self)}
        half_written = path.with_suffix(".part.npz")
        np.savez_compressed(half_written, **{k: v for k, v in known.items() if v is not None})
        half_written.replace(path)


def load_cached(path: Path) -> CachedHead:
    """Read what :meth:`CachedHead.save` wrote.

    Raises:
        ShapeError: The file is not such a head; delete it and gather again.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            names = {f.name for f in fields(CachedHead)}
            return CachedHead(**{name: kept[name] for name in kept.files if name in names})
    except (OSError, EOFError, ValueError, TypeError, KeyError, BadZipFile) as error:
        raise ShapeError(f"{path.name}: not a cached head; delete it and gather again") from error


def as_bytes(values: NDArray[np.floating]) -> Bytes:
    """Values in [0, 1] as 0-255."""
    return np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)
