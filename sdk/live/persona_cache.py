"""Built personas, kept by photo: the second start of the same face takes no time."""

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path

import avatar_engine
from avatar_engine.errors import PersonaFileError
from avatar_engine.persona import Persona, load_persona

Progress = Callable[[str, float], None]


def persona_from(
    path: Path, *, consent: str | None, folder: Path | None, progress: Progress
) -> Persona:
    """A persona from its file, or from a photo; blocks for seconds when it must be built.

    Args:
        path: ``NAME.persona`` or a photo.
        consent: Who agreed to be shown, and to what; kept in a persona built here.
        folder: Where built ones are kept; None keeps none.
        progress: Told what is done and which share of it.

    Raises:
        AvatarEngineError: The file is damaged, or the photo cannot become a persona.
    """
    if path.suffix.lower() == ".persona":
        return load_persona(path)
    if folder is None or not path.is_file():
        return _built(path, consent, progress)
    kept = folder / "personas" / f"{_key(path, consent)}.persona"
    if kept.is_file():
        with contextlib.suppress(PersonaFileError):  # damaged: build it anew
            return load_persona(kept)
    persona = _built(path, consent, progress)
    # A full or read-only disk costs a rebuild, nothing else.
    with contextlib.suppress(OSError, PersonaFileError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        persona.save(kept)
    return persona


def _built(photo: Path, consent: str | None, progress: Progress) -> Persona:
    # Half a second and a hundred megabytes of imports, which a kept persona does without.
    from avatar_engine.persona import build_persona

    return build_persona(photo, consent=consent, progress=progress)


def _key(photo: Path, consent: str | None) -> str:
    digest = hashlib.sha256(photo.read_bytes())
    digest.update(repr(consent).encode())
    # Another version of the builder makes another persona of the same photo.
    package = Path(avatar_engine.__file__).parent
    for source in sorted(package.rglob("*")):
        if source.suffix in (".py", ".safetensors", ".tflite"):
            status = source.stat()
            digest.update(f"{source.name} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()[:32]
