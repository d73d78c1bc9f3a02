"""Trainings alike but for what compensates: codebooks, one half of them, a U-Net of their size.

    python benchmarks/bench_codebooks_alike.py --cache DIR --checkpoints DIR

``--cache`` holds the heads that they learnt from and those that were held out; ``--checkpoints``
folders ``VARIANT-SEED/checkpoint.pt`` of ``training.codebooks``. Every variant is believed as far
as it would have helped people whom it did not learn from, as the recipe does, and every difference
to both codebooks is taken person by person. Writes benchmarks/results/codebooks_alike.json.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from bench_codebooks import size_of_run
from codebook_answers import Answers, Trained, read_trained
from codebook_figures import interval
from codebook_parts import missing_motion, new_skin
from codebook_views import psnr, rms
from numpy.typing import NDArray
from report import write_result
from rich.progress import track

from avatar_engine.head import load_head_rig
from avatar_engine.training.codebooks.__main__ import parted
from avatar_engine.training.codebooks.batches import Batches, used_share
from avatar_engine.training.codebooks.ground import Ground, ground_of
from avatar_engine.training.codebooks.heads import (
    LearntHead,
    person_of,
    read_aside,
    read_heads,
    read_returned,
)
from avatar_engine.training.codebooks.trust import lacking, trust_of

Floats = NDArray[np.float32]
Rows = dict[str, dict[str, float]]

_LEAST_TEXELS, _ROUNDS = 60, 5


class Alike:
    """Judges checkpoints on heads that were held out.

    Args:
        cache: Of heads.
        ground: Of the head model.
    """

    def __init__(self, cache: Path, ground: Ground) -> None:
        learnt, held = read_heads(cache), read_heads(cache, held_out=True)
        self._ground, self._batches = ground, Batches(held, ground, 0)
        self._tried, _ = parted(read_returned(cache, learnt), read_aside(cache, learnt))
        self._colored: dict[str, Sequence[LearntHead]] = {
            "one_side_hidden_db": read_aside(cache, held),
            "turned_and_read_again_db": read_returned(cache, held),
            "synthetic_db": [h for h in held if h.lids is not None and h.base is not None],
        }
        self._moving: dict[str, Sequence[LearntHead]] = {
            "portraits_mm": [h for h in held if h.truth is None],
            "synthetic_mm": [h for h in held if h.displacement is not None],
        }

    def figures(self, run: Trained) -> Rows:
        """Of each measure, its value by person."""
        trust = np.zeros_like(self._ground.skin)
        if run.has_appearance and run.halves is not None:
            trust = trust_of(self._tried, run.halves, self._batches)
        answers = Answers(run, self._batches)
        found: Rows = {}
        for name, heads in self._colored.items():
            values: dict[str, list[float]] = defaultdict(list)
            for head in heads:
                new = new_skin(self._ground, head)
                if head.truth is not None and (new > 0.5).sum() >= _LEAST_TEXELS:
                    missed = self._colors(run, head, trust) - head.truth
                    values[person_of(head.name)].append(psnr(missed, new))
            found[name] = {person: statistics.mean(v) for person, v in values.items()}
        for name, heads in self._moving.items():
            found[name] = {h.name: self._motion_miss(answers, h) for h in heads}
        return found

    def _colors(self, run: Trained, head: LearntHead, trust: Floats) -> Floats:
        assert head.base is not None
        assert head.hairy is not None
        if not trust.any() or run.halves is None:
            return head.base
        share = trust * used_share(self._ground, head.hairy)
        change = lacking(head, run.halves, self._batches)
        return np.asarray(np.clip(head.base + share * change, 0, 1), np.float32)

    def _motion_miss(self, answers: Answers, head: LearntHead) -> float:
        missing, asked, weight = missing_motion(self._ground, head)
        if answers.trained.has_motion:
            missing = missing - answers.moved(head, asked)
        return 10 * rms(missing, weight[None])

    def build_ms(self, run: Trained) -> float:
        """CPU milliseconds of one head's modes and colours, median."""
        head, took = self._colored["one_side_hidden_db"][0], list[float]()
        answers = Answers(run, self._batches)
        for _ in range(_ROUNDS):
            started = time.process_time()
            if run.has_motion:
                answers.modes(head)
            if run.has_appearance and run.halves is not None:
                lacking(head, run.halves, self._batches)
            took.append(time.process_time() - started)
        return round(1000 * statistics.median(took), 1)


def compared(name: str, row: dict[str, float], both: dict[str, float]) -> dict[str, Any]:
    """A variant's mean, and how much better both codebooks are, by person."""
    sign = 1 if name.endswith("_db") else -1
    better = [sign * (both[person] - row[person]) for person in row]
    return {
        "mean": round(statistics.mean(row.values()), 4),
        "both_better_by": round(statistics.mean(better), 4),
        "ci95": interval(better),
        "people_for_both": sum(value > 0 for value in better),
        "people": len(better),
    }


def measured(cache: Path, checkpoints: Path) -> dict[str, Any]:
    """Every checkpoint beside the one of both codebooks of the same seed."""
    alike = Alike(cache, ground_of(load_head_rig()))
    files = sorted(checkpoints.glob("*-*/checkpoint.pt"))
    runs = [read_trained(file, int(file.parent.name.rpartition("-")[2])) for file in files]
    judged = [(run, alike.figures(run)) for run in track(runs, "Judging")]
    both = {run.seed: rows for run, rows in judged if run.variant == "both"}
    judged += [(Trained("none", seed, 0, None), {}) for seed in both]
    variants: dict[str, Any] = {}
    for run, rows in judged:
        if run.seed not in both:
            continue
        rows = rows or alike.figures(run)
        variants[f"{run.variant}-{run.seed}"] = {
            "steps": run.steps,
            "figures": {name: compared(name, rows[name], both[run.seed][name]) for name in rows},
        }
        if run.halves is not None:
            size = size_of_run(run) | {"build_cpu_ms": alike.build_ms(run)}
            variants[f"{run.variant}-{run.seed}"] |= size
    return variants


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--checkpoints", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    write_result(
        "codebooks_alike",
        measured(options.cache, options.checkpoints),
        method="trainings from scratch on the same heads, with the same steps, seed, losses and "
        "rates; motion alone has as many batches of motion as the others, which see one every "
        "third step; people and heads held out; colours are PSNR (dB) of newly seen skin where a "
        "persona's build takes them over, motion is mm as expressions drive it; differences are "
        "paired by person, intervals bootstrapped; CPU of the networks in torch, one thread",
    )


if __name__ == "__main__":
    main()
