"""From photo to persona: portrait, head fit, maps and plates, in one call."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.codebook import load_compensator
from avatar_engine.codebook.fine_motion import WithFineMotion, load_fine_motion
from avatar_engine.device import give_back_memory, with_quiet_blas
from avatar_engine.errors import PhotoError, WeightsError
from avatar_engine.gaussian import build_maps
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.persona.file import load_persona
from avatar_engine.persona.persona import Persona, Provenance
from avatar_engine.portrait import read_portrait
from avatar_engine.render.weights import BlendedView
from avatar_engine.types import (
    Camera,
    Compensator,
    Drivers,
    FaceState,
    HeadMaps,
    HeadRig,
    Portrait,
)
from avatar_engine.types.maps import PLAIN_MODES

Progress = Callable[[str, float], None]
_THUMBNAIL_PX = 384
_log = logging.getLogger(__name__)


@with_quiet_blas
def build_persona(
    photo: Path | str | bytes,
    *,
    consent: str | None = None,
    pick_largest: bool = False,
    has_compensation: bool = True,
    progress: Progress | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Persona:
    """Make a persona from one photo.

    Args:
        photo: A picture file, or its bytes.
        consent: Who agreed to be shown, and to what; kept in the persona.
        pick_largest: With several faces in the photo, take the largest.
        has_compensation: Let the codebooks add what the photo does not show; without their
            weights it is done without them, after one warning.
        progress: Told the step and the share done in [0, 1].
        clock: Says when it was made.

    Raises:
        PhotoError: The photo cannot become a persona; ``reason`` says why.
    """
    tell = progress or (lambda _step, _share: None)
    tell("looking at the photo", 0.0)
    portrait = read_portrait(photo, pick_largest=pick_largest)
    tell("fitting the head", 0.1)
    rig = _shared_rig()
    fit = fit_head(rig, portrait)
    maps, plates = build_maps(
        rig,
        fit,
        portrait,
        source_view,
        lambda step, share: tell(step, 0.25 + 0.75 * share),
        compensator=_shared_compensator() if has_compensation else None,
    )
    give_back_memory()
    return Persona(
        name="persona" if isinstance(photo, bytes) else Path(photo).stem,
        maps=maps,
        plates=replace(plates, photo=portrait.image),
        camera=fit.camera,
        thumbnail=_thumbnail(portrait),
        consent=consent.strip() or None if consent else None,
        provenance=Provenance(
            engine_version=_engine_version(),
            photo_sha256=_sha256(photo),
            created_at=clock().isoformat(timespec="seconds"),
            notes=portrait.warnings,
        ),
    )


def open_persona(
    path: Path | str, *, has_compensation: bool = True, progress: Progress | None = None
) -> Persona:
    """A persona from its file, or from a photo.

    Args:
        path: A ``.persona`` file or a picture.
        has_compensation: As in ``build_persona``; a finished persona keeps its colours, but is
            moved without corrective modes.
        progress: Told the step and the share done in [0, 1].

    Raises:
        PersonaFileError: The ``.persona`` file cannot be read.
        PhotoError: The photo cannot become a persona.
    """
    if Path(path).suffix.lower() == ".persona":
        made = load_persona(path)
        return made if has_compensation else replace(made, maps=_without_corrections(made.maps))
    return build_persona(path, has_compensation=has_compensation, progress=progress)


def source_view(maps: HeadMaps, camera: Camera) -> BlendedView:
    """The photo's own view and expression."""
    return BlendedView(maps, camera, FaceState(blendshapes=maps.source - maps.rest), 1.0)


def _without_corrections(maps: HeadMaps) -> HeadMaps:
    plain = slice(PLAIN_MODES)
    return replace(
        maps,
        modes=maps.modes[plain],
        mode_scales=maps.mode_scales[plain],
        drivers=Drivers.none(),
    )


@lru_cache(maxsize=1)
def _shared_rig() -> HeadRig:
    return load_head_rig()


@lru_cache(maxsize=1)
def _shared_compensator() -> Compensator | None:
    """The codebooks; None, after one warning, where their weights cannot be used."""
    try:
        return WithFineMotion(load_compensator(), load_fine_motion())
    except WeightsError as error:
        _log.warning("personas are built without the codebooks' compensation: %s", error)
        return None


def _thumbnail(portrait: Portrait) -> NDArray[np.uint8]:
    size = (_THUMBNAIL_PX, _THUMBNAIL_PX)
    return np.asarray(cv2.resize(portrait.image, size, interpolation=cv2.INTER_AREA))


def _sha256(photo: Path | str | bytes) -> str:
    try:
        content = photo if isinstance(photo, bytes) else Path(photo).read_bytes()
    except OSError:
        raise PhotoError("not_found", f"{photo!s}: no such photo; check the path") from None
    return hashlib.sha256(content).hexdigest()


def _engine_version() -> str:
    try:
        return version("livepitch")
    except PackageNotFoundError:
        return "unpackaged"
