"""Fills the cache, in one process or several; what is there already is not made again."""

import csv
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from time import monotonic

from avatar_engine.errors import AvatarEngineError
from avatar_engine.head import load_head_rig
from avatar_engine.training.portraits.index import Entry, write_index
from avatar_engine.training.portraits.unwrapping import Unwrapper

LEFT_OUT = "left_out.csv"
"""Name and reason of each photo that cannot become a head, so that it is not tried again."""

Told = Callable[[str, str | None], None]
_Job = tuple[Path, Path]


def gather(
    photos: Sequence[Path],
    entries: Sequence[Entry],
    work: Path,
    *,
    workers: int = 1,
    until: float = float("inf"),
    told: Told = lambda _name, _reason: None,
) -> int:
    """Make the heads that are missing; returns how many still are.

    Args:
        photos: To read.
        entries: One for each.
        work: The cache's folder.
        workers: Processes; 1 works in this one.
        until: ``time.monotonic()`` after which no further photo is begun.
        told: Called after each photo with its name, and the reason if it was left out.
    """
    work.mkdir(parents=True, exist_ok=True)
    write_index(work, entries)
    refused = set(_left_out(work))
    jobs: list[_Job] = []
    for photo, entry in zip(photos, entries, strict=True):
        target = work / f"{entry.name}.npz"
        if entry.name in refused or target.exists():
            told(entry.name, None)
        else:
            jobs.append((photo, target))
    done = 0
    for name, reason in _run(jobs, workers, until):
        done += 1
        if reason is not None:
            _leave_out(work, name, reason)
        told(name, reason)
    return len(jobs) - done


def _run(jobs: Sequence[_Job], workers: int, until: float) -> Iterator[tuple[str, str | None]]:
    if workers <= 1:
        for job in jobs:
            if monotonic() > until:
                return
            yield _make(job)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers) as pool:
        for result in pool.imap_unordered(_make, jobs):
            yield result
            if monotonic() > until:
                return


def _make(job: _Job) -> tuple[str, str | None]:
    photo, target = job
    try:
        _unwrapper().photo(photo).save(target)
    except AvatarEngineError as refusal:
        return target.stem, str(refusal)
    return target.stem, None


@cache
def _unwrapper() -> Unwrapper:
    return Unwrapper(load_head_rig())


def _left_out(work: Path) -> list[str]:
    path = work / LEFT_OUT
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [row[0] for row in csv.reader(file) if row]


def _leave_out(work: Path, name: str, reason: str) -> None:
    with (work / LEFT_OUT).open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow([name, reason])
