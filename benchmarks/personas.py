"""Personas for the benchmarks, each built in a process of its own: none weighs on the figures."""

import os
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "examples" / "face.png"


def built(photo: Path, folder: Path) -> Path:
    """Build a photo's persona into a folder; the file."""
    made = folder / f"{photo.stem}.persona"
    command = [sys.executable, "-m", "avatar_engine", "persona", str(photo), "-o", str(made)]
    subprocess.run(command, check=True)
    return made


def people() -> dict[str, Path]:
    """The example face, and where the shared portraits are at hand three more people."""
    found = {"example": EXAMPLE}
    shared = os.environ.get("LIVEPITCH_SHARED")
    if shared:
        portraits = Path(shared) / "data" / "portraits" / "dev"
        found |= {
            "short_hair_and_glasses": portraits / "p003.jpg",
            "long_hair": portraits / "p009.jpg",
            "moustache_and_glasses": portraits / "p019.jpg",
        }
    return found
