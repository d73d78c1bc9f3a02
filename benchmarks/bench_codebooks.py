"""What the compensatory codebooks add, on heads they were not trained on.

    python benchmarks/bench_codebooks.py --cache DIR --checkpoints DIR [--photo FILE]

``--cache`` holds the heads of ``training.portraits`` and ``training.synthetic``; ``--checkpoints``
folders ``VARIANT-SEED/checkpoint.pt`` of ``training.codebooks``, ``--shipped`` the one that the
shipped weights came from; ``--photo`` a portrait on which the cost of completing is measured.
Writes benchmarks/results/NAME.json.
"""

import argparse
import statistics
import time
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from codebook_answers import Trained, read_trained
from codebook_figures import Judge, spread
from codebook_views import size_of
from report import write_result
from rich.progress import track

from avatar_engine.codebook import load_compensator
from avatar_engine.codebook.plan import MOTION, SCALES
from avatar_engine.gaussian.painting import paint_head
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.portrait import read_portrait
from avatar_engine.training.codebooks.ground import ground_of
from avatar_engine.training.codebooks.heads import read_heads

_ROUNDS = 7


def ablation(cache: Path, checkpoints: Path, shipped: Path | None) -> dict[str, Any]:
    """Mean and spread over seeds of each variant's figures, and the network's size.

    Args:
        cache: Of heads.
        checkpoints: One folder per variant and seed, all trained alike.
        shipped: The checkpoint that the shipped weights came from, trained for longer; a row of
            its own.
    """
    rig = load_head_rig()
    judge = Judge(read_heads(cache, held_out=True), ground_of(rig), rig)
    files = sorted(checkpoints.glob("*-*/checkpoint.pt"))
    runs = [Trained("none", 0, 0, None)]
    runs += [read_trained(file, int(file.parent.name.rpartition("-")[2])) for file in files]
    rows: dict[str, list[dict[str, float]]] = defaultdict(list)
    sizes: dict[str, dict[str, float]] = {}
    named: list[tuple[str, Trained]] = [(run.variant, run) for run in runs]
    if shipped is not None:
        named.append(("shipped", read_trained(shipped, 0)))
    for name, run in track(named, "Judging"):
        rows[name].append(judge.figures(run) | {"steps": run.steps})
        if run.halves is not None:
            sizes[name] = size_of_run(run)
    table = {
        name: {
            "seeds": len(found),
            **sizes.get(name, {}),
            **{key: spread([row[key] for row in found]) for key in found[0]},
        }
        for name, found in rows.items()
    }
    held = {"synthetic": len(judge.synthetic), "portraits": len(judge.portraits)}
    return {"held_out": held, "variants": table}


def build_cost(photo: Path) -> dict[str, float]:
    """CPU milliseconds of the compensation of one head, and of what drives it per frame."""
    rig, compensator = load_head_rig(), load_compensator()
    portrait = read_portrait(photo)
    head = paint_head(rig, fit_head(rig, portrait), portrait).seen_head()
    took, driving = [], []
    for _ in range(_ROUNDS):
        started = time.process_time()
        found = compensator.compensate(head)
        took.append(time.process_time() - started)
        started = time.process_time()
        for _ in range(100):
            found.drivers.amounts(head.source)
        driving.append((time.process_time() - started) / 100)
    return {
        "build_cpu_ms": round(1000 * statistics.median(took), 1),
        "drivers_cpu_us_per_frame": round(1e6 * statistics.median(driving), 1),
        "corrective_modes": len(found.modes),
    }


def size_of_run(run: Trained) -> dict[str, float]:
    """Parameters and multiply-adds of both halves."""
    assert run.halves is not None
    fields, person = torch.zeros(1, 3, 32, 32), torch.zeros(1, 6, 32, 32)
    silence = {s: torch.zeros(1, s * s, MOTION.width) for s in SCALES}
    motion, motion_macs = size_of(run.halves.motion, fields, person)
    look, look_macs = size_of(run.halves.appearance, torch.zeros(1, 11, 128, 128), silence)
    return {
        "motion_parameters": motion,
        "appearance_parameters": look,
        "motion_mmacs_per_expression": round(motion_macs / 1e6, 1),
        "appearance_mmacs_per_completion": round(look_macs / 1e6, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--checkpoints", type=Path, required=True)
    parser.add_argument("--shipped", type=Path)
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--name", default="codebooks")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    payload = {"ablation": ablation(options.cache, options.checkpoints, options.shipped)}
    if options.photo:
        payload["cost"] = build_cost(options.photo)
    write_result(
        options.name,
        payload,
        method="held-out heads only; colours are root mean square errors in sRGB [0, 1] over "
        "texels the photo does not show, motion in mm weighted toward lips and lids; 'before' is "
        "mirror and harmonic fill ('synthetic', 'masked'), a persona's build ('built'), or the "
        "linear rig; spreads are standard deviations over seeds; CPU by process_time, medians",
    )


if __name__ == "__main__":
    main()
