"""Records of many people, made once: ``NAME_K.npz``, and each person's ``NAME.persona``."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import PhotoError
from avatar_engine.persona import build_persona
from avatar_engine.training.screen.returning import Record, records_of

HELD_OUT_EVERY = 10
"""Of a folder's photos in the order of names, each so-manieth is never trained on."""


def photos_in(folder: Path, *, is_training: bool) -> list[Path]:
    """A folder's portraits in the order of names; for training without the held-out ones."""
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    return [p for k, p in enumerate(found) if not is_training or k % HELD_OUT_EVERY]


def gather(
    photos: Iterable[Path],
    work: Path,
    *,
    side: int,
    views: int,
    told: Callable[[str], None] = lambda _name: None,
) -> list[str]:
    """Make the records that are not there yet.

    Args:
        photos: One person each.
        work: Folder of the records.
        side: R of ``Record``.
        views: Other views per person, besides the return to the photo.
        told: Called with each person's name.

    Returns:
        Who was left out, with the reason, of this run.
    """
    work.mkdir(parents=True, exist_ok=True)
    left_out = []
    for photo in photos:
        told(photo.stem)
        done = work / f"{photo.stem}.done"
        if done.exists():
            continue
        seed = int.from_bytes(hashlib.sha256(photo.name.encode()).digest()[:4])
        reason = ""
        try:
            first = build_persona(photo)
            first.save(work / f"{photo.stem}.persona")
            made = records_of(first, np.random.default_rng(seed), side=side, views=views)
            for k, record in enumerate(made):
                write_record(work / f"{photo.stem}_{k}.npz", record)
        except PhotoError as refusal:
            reason = f"{photo.stem}: {refusal}"
            left_out.append(reason)
        done.write_text(reason)
    return left_out


def write_record(path: Path, record: Record) -> None:
    """Keep one record, whole or not at all."""
    part = path.with_suffix(".part.npz")
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in asdict(record).items()}
    np.savez_compressed(part, allow_pickle=False, **arrays)
    part.replace(path)


def read_records(work: Path, names: Iterable[str], *, has_large: bool = False) -> list[Record]:
    """The records of these people, by name and number; without the large pictures if not asked."""
    none: NDArray[np.uint8] = np.zeros((0, 0, 3), np.uint8)
    found = []
    for name in names:
        for path in sorted(work.glob(f"{name}_*.npz")):
            with np.load(path, allow_pickle=False) as kept:
                values: dict[str, Any] = {
                    f.name: none if f.name.startswith("large") and not has_large else kept[f.name]
                    for f in fields(Record)
                }
            found.append(Record(**{**values, "is_real": int(values["is_real"])}))
    return found
