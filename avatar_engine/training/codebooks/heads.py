"""The cached heads as the recipe holds them in memory, and the same heads mirrored."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_engine.codebook.arithmetic import Floats
from avatar_engine.codebook.front import shrunk
from avatar_engine.codebook.plan import APPEARANCE
from avatar_engine.head.packing import twin_name
from avatar_engine.training.portraits.cached import CachedHead, load_cached
from avatar_engine.types import ARKIT, ARKIT_INDEX

RETURNED = "returned-"
"""Before the name of a person, names their second head in a cache."""

ASIDE = "aside"
"""Begins the names of a person's own head with one side hidden, see :func:`aside_name`."""

TWINS = np.array([ARKIT_INDEX[twin_name(name)] for name in ARKIT])
"""[52] the expression that does the same on the other side."""


@dataclass(frozen=True, slots=True)
class LearntHead:
    """One head to learn from; colours at 128 texels a side, displacements at 64.

    Attributes:
        name: Of its file.
        positions: [3, 64, 64] cm at expression zero.
        residual: [3, 64, 64] cm the linear rig leaves at the photo's expression.
        residual_seen: [64, 64] in [0, 1].
        source: [52] expression of the photo.
        color: [3, 128, 128] sRGB where seen, or None where the photo is too small.
        seen, hairy: [128, 128] in [0, 1].
        base: [3, 128, 128] what a persona's build makes of it without codebooks; or None.
        truth: [3, 128, 128] the whole texture of synthetic heads, and of returned ones what their
            photo showed.
        known: [128, 128] in [0, 1], where ``truth`` is.
        lids: [3, 128, 128] the same with closed lids; synthetic heads only.
        expressions: [K, 52]; synthetic heads only.
        displacement: [K, 3, 64, 64] cm from expression zero; synthetic heads only.
    """

    name: str
    positions: Floats
    residual: Floats
    residual_seen: Floats
    source: Floats
    color: Floats | None = None
    seen: Floats | None = None
    hairy: Floats | None = None
    base: Floats | None = None
    truth: Floats | None = None
    known: Floats | None = None
    lids: Floats | None = None
    expressions: Floats | None = None
    displacement: Floats | None = None

    def mirrored(self) -> "LearntHead":
        """The head in a mirror: left is right, and so are its expressions."""
        return replace(
            self,
            positions=_turned(self.positions),
            residual=_turned(self.residual),
            residual_seen=self.residual_seen[:, ::-1],
            source=self.source[TWINS],
            color=_flipped(self.color),
            seen=_flipped(self.seen),
            hairy=_flipped(self.hairy),
            base=_flipped(self.base),
            truth=_flipped(self.truth),
            known=_flipped(self.known),
            lids=_flipped(self.lids),
            expressions=None if self.expressions is None else self.expressions[:, TWINS],
            displacement=None if self.displacement is None else _turned(self.displacement),
        )


def read_heads(folder: Path, *, held_out: bool = False) -> list[LearntHead]:
    """The heads of a cache that are there already, by name.

    Args:
        folder: With ``index.csv`` and a ``NAME.npz`` for each line of it.
        held_out: The ones kept for measuring instead of the ones to learn from.

    Raises:
        FileNotFoundError: The folder holds no index.
    """
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        wanted = "yes" if held_out else "no"
        names = sorted(row["name"] for row in csv.DictReader(file) if row["held_out"] == wanted)
    paths = [folder / f"{name}.npz" for name in names]
    return [learnt(path.stem, load_cached(path)) for path in paths if path.exists()]


def read_returned(folder: Path, heads: Sequence[LearntHead]) -> list[LearntHead]:
    """The second heads of people (see ``returned``), each with what the first photo showed.

    Args:
        folder: The cache.
        heads: The first heads, by whose names the second ones are found.
    """
    found = []
    for first in heads:
        path = folder / f"{RETURNED}{first.name}.npz"
        if first.color is not None and path.exists():
            second = learnt(path.stem, load_cached(path))
            found.append(replace(second, truth=first.color, known=first.seen))
    return found


def read_aside(folder: Path, heads: Sequence[LearntHead]) -> list[LearntHead]:
    """The same heads with one side hidden (see ``aside``), each with what its photo shows there.

    Args:
        folder: The cache.
        heads: Whole, by whose names the others are found.
    """
    found = []
    for whole in heads:
        for path in sorted(folder.glob(f"{ASIDE}?-{whole.name}.npz")):
            hidden = learnt(path.stem, load_cached(path))
            found.append(replace(hidden, truth=whole.color, known=whole.seen))
    return found


def aside_name(name: str, turn: int) -> str:
    """Name of a head with one side hidden.

    Args:
        name: Of the head.
        turn: Counted from 0, which way and how far.
    """
    return f"{ASIDE}{turn}-{name}"


def person_of(name: str) -> str:
    """Whose head it is, by the name of a head, a second one, or one with a side hidden."""
    kind, _, rest = name.partition("-")
    return rest if kind == RETURNED[:-1] or kind[:-1] == ASIDE else name


def learnt(name: str, head: CachedHead) -> LearntHead:
    """One cached head, in planes of the sizes the networks work at."""
    colors: dict[str, Floats | None] = {}
    if head.color is not None and head.seen is not None and head.hairy is not None:
        seen = _shares(head.seen)
        colors["seen"] = shrunk(seen[None], APPEARANCE.side)[0]
        colors["color"] = shrunk(_planes(_shares(head.color)), APPEARANCE.side, seen)
        colors["hairy"] = shrunk(_shares(head.hairy)[None], APPEARANCE.side)[0]
    for key, whole in (("base", head.base), ("truth", head.truth), ("lids", head.lid_truth)):
        if whole is not None:
            colors[key] = shrunk(_planes(_shares(whole)), APPEARANCE.side)
    if head.truth is not None:
        colors["known"] = np.ones((APPEARANCE.side, APPEARANCE.side), np.float32)
    moved = head.truth_displacement
    return LearntHead(
        name,
        positions=_planes(head.positions),
        residual=_planes(head.residual),
        residual_seen=_shares(head.residual_seen),
        source=head.source.astype(np.float32),
        expressions=None if head.expressions is None else head.expressions.astype(np.float32),
        displacement=None if moved is None else _planes(moved),
        **colors,
    )


def _shares(values: NDArray[np.uint8]) -> Floats:
    """Bytes as shares in [0, 1]."""
    return np.multiply(values, 1 / 255, dtype=np.float32)


def _planes(maps: NDArray) -> Floats:
    """[..., H, W, C] as [..., C, H, W]."""
    return np.ascontiguousarray(np.moveaxis(maps, -1, -3), np.float32)


def _flipped(planes: Floats | None) -> Floats | None:
    return None if planes is None else np.ascontiguousarray(planes[..., ::-1])


def _turned(vectors: Floats) -> Floats:
    """Vectors [..., 3, H, W] in a mirror."""
    return vectors[..., ::-1] * np.array([-1, 1, 1], np.float32)[:, None, None]
