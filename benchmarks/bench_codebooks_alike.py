"""Trainings alike but for what compensates: codebooks, one half of them, a U-Net of their size.

    python benchmarks/bench_codebooks_alike.py --cache DIR --checkpoints DIR [--shipped FILE]

``--cache`` holds the heads that they learnt from and those that were held out; ``--checkpoints``
folders ``VARIANT-SEED/checkpoint.pt`` of ``training.codebooks``; ``--shipped`` the checkpoint that
the shipped weights came from, trained for longer; ``--sheet`` a picture to draw. Every run is
believed as far as it would have helped people whom it did not learn from, as the recipe does, and
every difference is taken person by person. Writes
benchmarks/results/codebooks_alike.json.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from bench_codebooks import size_of_run
from codebook_answers import Answers, Trained, read_trained
from codebook_figures import interval
from codebook_parts import missing_motion, new_skin
from codebook_views import psnr, rms, write_sheet
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
_SHEET_EVERY, _SHEET_HEADS = 9, 4
_SHEET_RUNS = ("both-0", "unet-0", "shipped")


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

    def sheet(self, runs: Sequence[Trained]) -> list[list[Floats]]:
        """Of some heads: what is shown, the build's guess, each run's, what the photo shows."""
        believed = [
            (run, trust_of(self._tried, run.halves, self._batches)) for run in runs if run.halves
        ]
        rows = []
        for head in self._colored["one_side_hidden_db"][::_SHEET_EVERY][:_SHEET_HEADS]:
            assert head.seen is not None
            assert head.base is not None
            assert head.truth is not None
            assert head.known is not None
            guesses = [self._colors(run, head, trust) for run, trust in believed]
            rows.append([head.base * head.seen, head.base, *guesses, head.truth * head.known])
        return rows

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


def compared(name: str, row: dict[str, float], others: Mapping[str, Rows]) -> dict[str, Any]:
    """A run's mean of one measure, and how much better others are, by person."""
    sign = 1 if name.endswith("_db") else -1
    found: dict[str, Any] = {"mean": round(statistics.mean(row.values()), 4)}
    for other, rows in others.items():
        better = [sign * (rows[name][person] - row[person]) for person in row]
        found[f"{other}_better_by"] = {
            "mean": round(statistics.mean(better), 4),
            "ci95": interval(better),
            "people": sum(value > 0 for value in better),
        }
    return found | {"people": len(row)}


def read_runs(checkpoints: Path, shipped: Path | None) -> dict[str, Trained]:
    """The checkpoints ``VARIANT-SEED/checkpoint.pt`` of a folder, the shipped one, and none."""
    runs = {"none": Trained("none", 0, 0, None)}
    for file in sorted(checkpoints.glob("*-*/checkpoint.pt")):
        runs[file.parent.name] = read_trained(file, int(file.parent.name.rpartition("-")[2]))
    if shipped is not None:
        runs["shipped"] = read_trained(shipped, 0)
    return runs


def measured(alike: Alike, runs: Mapping[str, Trained]) -> dict[str, Any]:
    """Every run beside the codebooks trained alike with the same seed, and the shipped ones."""
    rows = {name: alike.figures(run) for name, run in track(runs.items(), "Judging")}
    found: dict[str, Any] = {}
    for name, run in runs.items():
        known = {"both": f"both-{run.seed}", "shipped": "shipped"}
        others = {by: rows[of] for by, of in known.items() if of in rows and of != name}
        found[name] = {
            "steps": run.steps,
            "figures": {key: compared(key, row, others) for key, row in rows[name].items()},
        }
        if run.halves is not None:
            found[name] |= size_of_run(run) | {"build_cpu_ms": alike.build_ms(run)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--checkpoints", type=Path, required=True)
    parser.add_argument("--shipped", type=Path)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    alike = Alike(options.cache, ground_of(load_head_rig()))
    runs = read_runs(options.checkpoints, options.shipped)
    if options.sheet:
        write_sheet(
            alike.sheet([runs[name] for name in _SHEET_RUNS if name in runs]), options.sheet
        )
    write_result(
        "codebooks_alike",
        measured(alike, runs),
        method="trainings from scratch on the same heads, with the same steps, seed, losses and "
        "rates; motion alone has as many batches of motion as the others, which see one every "
        "third step; people and heads held out; colours are PSNR (dB) of newly seen skin where a "
        "persona's build takes them over, motion is mm as expressions drive it; differences are "
        "paired by person, intervals bootstrapped; CPU of the networks in torch, one thread",
    )


if __name__ == "__main__":
    main()
