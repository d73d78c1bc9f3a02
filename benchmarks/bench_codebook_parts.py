"""What each part of the shipped codebooks is worth: left out one at a time, nothing retrained.

    python benchmarks/bench_codebook_parts.py --cache DIR [--weights FILE] [--sheet FILE]

``--cache`` holds held-out heads of ``training.portraits`` and ``training.synthetic``, with their
``aside*`` and ``returned-*`` companions. Every difference is taken person by person.
Writes benchmarks/results/codebook_parts.json.
"""

import argparse
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from codebook_codes import codes_needed
from codebook_figures import interval
from codebook_parts import Parts, missing_motion, new_skin, without_choice, without_hearing
from codebook_views import psnr, rms, write_sheet
from numpy.typing import NDArray
from report import write_result
from rich.progress import track

from avatar_engine.codebook import NAME, SHIPPED, VERSION
from avatar_engine.codebook.arithmetic import Layers
from avatar_engine.head import load_head_rig
from avatar_engine.training.codebooks.ground import Ground, ground_of
from avatar_engine.training.codebooks.heads import (
    LearntHead,
    person_of,
    read_aside,
    read_heads,
    read_returned,
)
from avatar_engine.training.portraits.index import Entry, read_index
from avatar_engine.weights import load_weights

Floats = NDArray[np.float32]

_LEAST_TEXELS, _STRESSED = 60, 0.05
_SHEET_EVERY, _SHEET_HEADS = 9, 4


def color_miss(parts: Parts, heads: Sequence[LearntHead]) -> dict[str, float]:
    """PSNR by person of newly seen skin, where a persona's build would take the colours over."""
    found: dict[str, list[float]] = defaultdict(list)
    for head in heads:
        new = new_skin(parts.ground, head)
        if head.truth is not None and (new > 0.5).sum() >= _LEAST_TEXELS:
            missed = parts.colors(head) - head.truth
            found[person_of(head.name)].append(psnr(missed, new))
    return {person: statistics.mean(values) for person, values in found.items()}


def motion_miss(parts: Parts, heads: Sequence[LearntHead]) -> dict[str, float]:
    """Weighted root mean square in mm, by person, of what driven modes leave of the motion."""
    found = {}
    for head in heads:
        missing, asked, weight = missing_motion(parts.ground, head)
        found[head.name] = 10 * rms(missing - parts.moved(head, asked), weight[None])
    return found


def compared(
    whole: Mapping[str, float], less: Mapping[str, float], *, is_gain: bool
) -> dict[str, Any]:
    """What leaving something out costs, by person; positive is worse without it."""
    sign = 1 if is_gain else -1
    costs = [sign * (whole[person] - less[person]) for person in whole]
    return {
        "without": round(statistics.mean(less.values()), 4),
        "costs": round(statistics.mean(costs), 4),
        "ci95": interval(costs),
        "people_worse": sum(cost > 0 for cost in costs),
        "people": len(costs),
    }


def _lacking_colors(ground: Ground, heads: Sequence[LearntHead]) -> Iterator[tuple[Floats, Floats]]:
    for head in heads:
        if head.truth is not None and head.base is not None:
            new = new_skin(ground, head)
            yield (head.truth - head.base)[None], new[None]


def _lacking_motion(ground: Ground, heads: Sequence[LearntHead]) -> Iterator[tuple[Floats, Floats]]:
    for head in heads:
        missing, _, weight = missing_motion(ground, head)
        yield missing, np.broadcast_to(weight > _STRESSED, (len(missing), *weight.shape))


def by_group(gains: Mapping[str, float], entries: Sequence[Entry]) -> dict[str, Any]:
    """People's gains by the labels that their portraits come with."""
    groups: dict[str, list[float]] = defaultdict(list)
    for entry in entries:
        for label in (entry.gender, entry.ethnicity):
            if entry.name in gains and label:
                groups[label].append(gains[entry.name])
    return {
        label: {
            "people": len(values),
            "mean": round(statistics.mean(values), 2),
            "better": sum(value > 0 for value in values),
        }
        for label, values in sorted(groups.items())
    }


def _table(
    whole: dict[str, float], less: Mapping[str, dict[str, float]], *, is_gain: bool
) -> dict[str, Any]:
    return {
        "whole": round(statistics.mean(whole.values()), 4),
        "left_out": {name: compared(whole, row, is_gain=is_gain) for name, row in less.items()},
    }


def measured(cache: Path, weights: Path) -> dict[str, Any]:
    """Everything, of held-out heads."""
    ground = ground_of(load_head_rig())
    held = read_heads(cache, held_out=True)
    kept = load_weights(weights, (NAME, VERSION)).tensors
    layers: Layers = {name: np.asarray(value, np.float32) for name, value in kept.items()}
    silent = dict(layers) | {"ground.trust": np.zeros_like(layers["ground.trust"])}
    still = dict(layers) | {
        f"drivers.{part}": np.zeros_like(layers[f"drivers.{part}"])
        for part in ("linear", "products")
    }
    colored = {
        "one_side_hidden": read_aside(cache, held),
        "turned_and_read_again": read_returned(cache, held),
        "synthetic": [h for h in held if h.lids is not None and h.base is not None],
    }
    moving = {
        "portraits_mm": [h for h in held if h.truth is None],
        "synthetic_mm": [h for h in held if h.displacement is not None],
    }
    found: dict[str, Any] = {}
    for name, heads in track(colored.items(), "Colours"):
        if heads:
            whole, off, mean, deaf = (
                color_miss(Parts(given, ground), heads)
                for given in (
                    layers,
                    silent,
                    without_choice(layers, "appearance"),
                    without_hearing(layers),
                )
            )
            less = {"appearance_off": off, "retrieval_by_mean": mean, "motion_not_heard": deaf}
            found[name] = _table(whole, less, is_gain=True)
            if name != "synthetic":
                gains = {who: whole[who] - less["appearance_off"][who] for who in whole}
                found[name]["gain_by_group_db"] = by_group(gains, read_index(cache))
    for name, heads in track(moving.items(), "Motion"):
        if heads:
            whole, off, mean = (
                motion_miss(Parts(given, ground), heads)
                for given in (layers, still, without_choice(layers, "motion"))
            )
            less = {"motion_off": off, "retrieval_by_mean": mean}
            found[name] = _table(whole, less, is_gain=False)
    found["codes_needed"] = {
        "appearance": {
            name: codes_needed(layers, "appearance", _lacking_colors(ground, heads))
            for name, heads in _and_all(colored).items()
        },
        "motion": {
            name: codes_needed(layers, "motion", _lacking_motion(ground, heads))
            for name, heads in _and_all(moving).items()
        },
    }
    return found


def _and_all(groups: Mapping[str, Sequence[LearntHead]]) -> dict[str, Sequence[LearntHead]]:
    return {**groups, "all": [head for heads in groups.values() for head in heads]}


def draw_sheet(cache: Path, weights: Path, file: Path) -> None:
    """What is shown of some heads; the build's guess; with codebooks; what the photo shows."""
    kept = load_weights(weights, (NAME, VERSION)).tensors
    layers: Layers = {name: np.asarray(value, np.float32) for name, value in kept.items()}
    parts = Parts(layers, ground_of(load_head_rig()))
    rows = []
    for head in read_aside(cache, read_heads(cache, held_out=True))[::_SHEET_EVERY][:_SHEET_HEADS]:
        assert head.seen is not None
        if head.base is not None and head.truth is not None and head.known is not None:
            shown = [head.base * head.seen, head.base, parts.colors(head), head.truth * head.known]
            rows.append(shown)
    write_sheet(rows, file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    if options.sheet:
        draw_sheet(options.cache, options.weights, options.sheet)
    write_result(
        "codebook_parts",
        measured(options.cache, options.weights),
        method="held-out heads; colours are PSNR (dB) of newly seen skin in the atlas, where a "
        "persona's build takes completed colours, motion is mm weighted toward lips and lids, as "
        "expressions drive it; costs are paired by person, intervals bootstrapped over people",
        path=options.output,
    )


if __name__ == "__main__":
    main()
