"""Who is in the cache: one line per head, with what the portraits' own table says of them."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from avatar_engine.errors import ShapeError

INDEX = "index.csv"
_EVERY = 10
_DEV = "dev"


@dataclass(frozen=True, slots=True)
class Entry:
    """One head of the cache.

    Attributes:
        name: Its file is ``NAME.npz``.
        split: ``dev``, ``train``, ``train225`` or ``synthetic``.
        gender, ethnicity: As the portraits' table states them; empty where it does not.
        held_out: ``yes`` for measurement only, never trained on; else ``no``.
    """

    name: str
    split: str
    gender: str = ""
    ethnicity: str = ""
    held_out: str = "no"


def entries_of(table: Path | None, photos: Sequence[Path]) -> list[Entry]:
    """One entry per photo. The folder names the split; every tenth of a folder is held out, and
    all of ``dev``.

    Args:
        table: ``portraits.csv`` with the columns file, gender and ethnicity; None knows nothing.
        photos: In the order of their folders and names.

    Raises:
        ShapeError: The table is no such CSV.
    """
    known = _people(table) if table is not None else {}
    entries, counts = [], dict.fromkeys((photo.parent.name for photo in photos), 0)
    for photo in photos:
        split = photo.parent.name
        number = counts[split]
        counts[split] += 1
        person = known.get(f"{split}/{photo.name}", {})
        held_out = split == _DEV or number % _EVERY == 0
        entries.append(
            Entry(
                name=f"{split}-{photo.stem}",
                split=split,
                gender=person.get("gender", ""),
                ethnicity=person.get("ethnicity", ""),
                held_out="yes" if held_out else "no",
            )
        )
    return entries


def write_index(work: Path, entries: Iterable[Entry]) -> None:
    """Write (or extend) the cache's index; an entry of the same name is replaced."""
    merged = {entry.name: entry for entry in read_index(work)}
    merged |= {entry.name: entry for entry in entries}
    half_written = work / f"{INDEX}.part"
    with half_written.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Entry)])
        writer.writeheader()
        writer.writerows(asdict(merged[name]) for name in sorted(merged))
    half_written.replace(work / INDEX)


def read_index(work: Path) -> list[Entry]:
    """The entries of a cache, by name; none where there is no index yet.

    Heads that could not be read are listed too: an entry counts once its file is there.
    """
    path = work / INDEX
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [Entry(**row) for row in csv.DictReader(file)]


def _people(table: Path) -> dict[str, dict[str, str]]:
    """Rows by ``folder/file``."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if rows and "file" not in rows[0]:
        raise ShapeError(f"{table.name}: needs the columns file, gender and ethnicity")
    return {"/".join(Path(row["file"]).parts[-2:]): row for row in rows}
