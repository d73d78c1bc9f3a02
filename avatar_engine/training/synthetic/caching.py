"""Synthetic heads into the cache, beside the portraits', with what is true of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic

import numpy as np

from avatar_engine.errors import ShapeError
from avatar_engine.gaussian.painting import paint_head
from avatar_engine.head import load_head_rig
from avatar_engine.training.portraits.cached import CachedHead, as_bytes, load_cached
from avatar_engine.training.portraits.index import Entry, read_index, write_index
from avatar_engine.training.portraits.unwrapping import Unwrapper
from avatar_engine.training.synthetic.heads import Stranger, SyntheticHead
from avatar_engine.training.synthetic.motion import expressions
from avatar_engine.training.synthetic.scene import portrait_of, stage
from avatar_engine.training.synthetic.skin import learn_skin

_EXPRESSIONS = 12
_HELD_EVERY = 10
_MOST_PORTRAITS = 120  # modes of skin settle long before


def stranger_of(work: Path) -> Stranger:
    """A sampler taught by the portraits of a cache; held-out ones are not looked at.

    Raises:
        ShapeError: The cache holds too few portraits.
    """
    entries = [e for e in read_index(work) if e.held_out == "no" and e.split != "synthetic"]
    files = [work / f"{entry.name}.npz" for entry in entries]
    heads = [load_cached(file) for file in files if file.exists()]
    faces = [head.source.astype(np.float64) for head in heads]
    if not faces:
        raise ShapeError("the cache holds no portraits yet; unwrap some first")
    rig = load_head_rig()
    whole = [head for head in heads if head.color is not None][:_MOST_PORTRAITS]
    return Stranger(rig, learn_skin(whole, Unwrapper(rig).regions), faces)


def fill_cache(
    stranger: Stranger,
    work: Path,
    *,
    count: int,
    seed: int,
    until: float = float("inf"),
    told: Callable[[SyntheticHead | None], None] = lambda _head: None,
) -> int:
    """Make the heads that are missing; returns how many still are.

    Args:
        stranger: Who samples.
        work: The cache.
        count: Heads in all.
        seed: Head k of a seed is always the same head.
        until: ``time.monotonic()`` after which none is begun.
        told: Called after each head; with None where it was there already.
    """
    unwrapper = Unwrapper(stranger.rig)
    names = [f"synthetic-{seed}-{k:04}" for k in range(count)]
    held = ["yes" if k % _HELD_EVERY == 0 else "no" for k in range(count)]
    write_index(
        work,
        [Entry(n, "synthetic", held_out=h) for n, h in zip(names, held, strict=True)],
    )
    for k, name in enumerate(names):
        file = work / f"{name}.npz"
        if file.exists():
            told(None)
            continue
        if monotonic() > until:
            return count - k
        rng = np.random.default_rng([seed, k])
        head = stranger.sample(rng)
        cached_head(head, unwrapper, rng).save(file)
        told(head)
    return 0


def cached_head(head: SyntheticHead, unwrapper: Unwrapper, rng: np.random.Generator) -> CachedHead:
    """One synthetic head as the cache keeps it: what a persona's build sees, and the truth."""
    R = head.s.rig.resolution
    portrait = portrait_of(head, stage(head.s, rng))
    painted = paint_head(head.s.rig, head.s.fit, portrait)
    faces = expressions(_EXPRESSIONS, rng)
    moved = [unwrapper.grid.of(head.mover.exact(w)) for w in faces]
    return replace(
        unwrapper.painted(painted),
        truth=as_bytes(head.color).reshape(R, R, 3),
        lid_truth=as_bytes(head.lid_color).reshape(R, R, 3),
        light=head.light.reshape(R, R, 3).astype(np.float16),
        expressions=faces.astype(np.float16),
        truth_displacement=np.stack(moved).astype(np.float16),
    )
