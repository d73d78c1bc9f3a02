"""From folders of portraits to examples: read, first labels, and how often each is shown."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import PhotoError
from avatar_engine.gaussian.regions import regions_of
from avatar_engine.head import load_head_rig
from avatar_engine.training.labels.crops import read_crop
from avatar_engine.training.labels.examples import Example, example_of
from avatar_engine.training.labels.hand import KEPT_APART, Notes, read_notes
from avatar_engine.training.labels.pseudo import pseudo_labels

_RARE = {"long": 4.0, "beard": 3.0, "moustache": 1.5, "bald": 2.0, "receding": 1.3}
_LARGE, _LARGE_WEIGHT = 100_000, 1.5  # bytes of a photo's file: it shows more than its resolution


def photos_in(folders: Sequence[Path]) -> list[Path]:
    """All .jpg and .png of some folders, by folder and name."""
    return [
        photo
        for folder in folders
        for photo in sorted(folder.iterdir())
        if photo.suffix.lower() in (".jpg", ".png")
    ]


def gather(
    photos: Sequence[Path],
    notes: dict[str, Notes],
    work: Path,
    told: Callable[[], None] = lambda: None,
) -> tuple[list[Example], NDArray[np.float64], list[str]]:
    """Examples, their odds of being shown, and why photos were left out.

    Crops are kept in ``work/crops`` and labels in ``work/examples``, so a second call is quick.
    """
    rig = load_head_rig()
    regions = regions_of(rig)
    crops, kept = work / "crops", work / "examples"
    crops.mkdir(parents=True, exist_ok=True)
    kept.mkdir(parents=True, exist_ok=True)
    apart = read_notes(KEPT_APART)
    examples, odds, left_out = [], [], []
    for photo in photos:
        told()
        if photo.stem in apart:
            continue
        note = notes.get(photo.stem, Notes())
        if "drop" in note.kinds:
            left_out.append(f"{photo.stem}: noted as misleading")
            continue
        file = kept / f"{photo.stem}.npz"
        if file.exists():
            example = _read(file)
        else:
            try:
                crop = read_crop(photo, rig, regions, crops)
            except PhotoError as refusal:
                left_out.append(f"{photo.stem}: {refusal}")
                continue
            example = example_of(crop, pseudo_labels(crop, note))
            _write(file, example)
        examples.append(example)
        weight = float(np.prod([_RARE.get(kind, 1.0) for kind in note.kinds]))
        odds.append(weight * (_LARGE_WEIGHT if photo.stat().st_size > _LARGE else 1.0))
    return examples, np.array(odds), left_out


def _write(file: Path, example: Example) -> None:
    matte = np.round(example.matte * 255).astype(np.uint8)
    np.savez_compressed(
        file, image=example.image, matte=matte, marks=example.marks, kind=example.kind
    )


def _read(file: Path) -> Example:
    with np.load(file) as kept:
        matte = kept["matte"].astype(np.float32) / 255
        return Example(kept["image"], matte, kept["marks"], kept["kind"])
