"""Draw the contact sheet of every person in a folder of photos, to be looked at.

    python scripts/sheets.py PHOTOS_DIR SHEETS_DIR [--only p002 p006]

One PNG per photo; a photo that cannot become a persona is named with the reason, and the rest are
drawn. The status is 1 if none could be.
"""

import argparse
import sys
from pathlib import Path

from PIL import Image
from rich.progress import track

from avatar_engine.errors import AvatarEngineError
from avatar_engine.persona import build_persona, contact_sheet

ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


def draw(photos: list[Path], sheets: Path) -> int:
    """Write the sheets; returns how many."""
    sheets.mkdir(parents=True, exist_ok=True)
    drawn = 0
    for photo in track(photos, "Drawing"):
        try:
            picture = contact_sheet(build_persona(photo, pick_largest=True))
        except AvatarEngineError as error:
            print(f"{photo.name}: {error}", file=sys.stderr)
            continue
        Image.fromarray(picture).save(sheets / f"{photo.stem}.png")
        drawn += 1
    return drawn


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("sheets", type=Path)
    parser.add_argument("--only", nargs="*", help="names without their endings")
    options = parser.parse_args()
    if not options.photos.is_dir():
        parser.error(f"{options.photos} is no folder: name one that holds photos")
    found = sorted(p for p in options.photos.iterdir() if p.suffix.lower() in ENDINGS)
    photos = [p for p in found if not options.only or p.stem in options.only]
    drawn = draw(photos, options.sheets)
    print(f"{drawn} of {len(photos)} sheets in {options.sheets}")
    sys.exit(0 if drawn else 1)


if __name__ == "__main__":
    main()
