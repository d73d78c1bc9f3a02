"""What a persona is."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_engine.types import Camera, HeadMaps, Plates


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a persona comes from.

    Attributes:
        engine_version: Of the package that built it.
        photo_sha256: Of the photo's file, hexadecimal.
        created_at: ISO 8601, UTC.
        notes: What was not ideal about the photo, one sentence each.
    """

    engine_version: str
    photo_sha256: str
    created_at: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Persona:
    """One face, ready to be drawn.

    Attributes:
        name: What the photo's file was called.
        maps: Geometry, colour and motion of the head.
        plates: What stands behind it.
        camera: The source view, at the plates' pixels.
        thumbnail: [384, 384, 3] uint8 of the photo.
        consent: Who agreed to be shown, and to what; None when it was not stated.
        provenance: Where it comes from.
    """

    name: str
    maps: HeadMaps
    plates: Plates
    camera: Camera
    thumbnail: NDArray[np.uint8]
    consent: str | None
    provenance: Provenance

    def save(self, path: Path | str) -> None:
        """Write the persona to one file, whole or not at all.

        Raises:
            PersonaFileError: The file cannot be written there.
        """
        from avatar_engine.persona.file import save_persona

        save_persona(self, Path(path))
