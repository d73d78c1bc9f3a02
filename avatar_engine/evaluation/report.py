"""All clips together: means over people, paired comparisons, JSON and a table."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from avatar_engine.evaluation.clips import Skipped
from avatar_engine.evaluation.measure import METHODS, ClipResult

LOWER_IS_BETTER = frozenset({"landmarks", "landmarks_mouth", "pose_deg", "expression", "jitter"})
_TABLE = (
    "landmarks", "landmarks_mouth", "psnr_full", "psnr_face", "ssim_face", "ssim_mouth",
    "ssim_eyes", "ms_ssim_full", "pose_deg", "expression", "identity", "jitter",
)  # fmt: skip


def summarise(results: Sequence[ClipResult], skipped: Sequence[Skipped]) -> dict[str, Any]:
    """The report as plain JSON values.

    Several clips of one person are averaged first, so that nobody counts twice; each comparison
    is paired by person, with the people for whom ours is better, and a bootstrap interval of the
    mean difference.
    """
    people = sorted({result.person for result in results})
    by_person = {
        person: {
            name: _mean_figures([r.figures[name] for r in results if r.person == person])
            for name in METHODS
        }
        for person in people
    }
    lips = [result.lips for result in results if result.lips]
    return {
        "clips": [
            {
                "clip": r.clip,
                "person": r.person,
                "frames": r.frames,
                "lost": r.lost,
                "build_cpu_s": round(r.build_s, 3),
                "tracking_cpu_ms": round(r.tracking_ms, 2),
                "rendering_cpu_ms": round(r.rendering_ms, 2),
                "figures": _rounded(r.figures),
                "lips": {key: round(value, 4) for key, value in r.lips.items()},
            }
            for r in results
        ],
        "skipped": [{"clip": s.name, "reason": s.reason} for s in skipped],
        "people": len(people),
        "mean_over_people": _rounded(
            {name: _mean_figures([by_person[p][name] for p in people]) for name in METHODS}
        ),
        "paired": {
            other: _paired([(by_person[p]["ours"], by_person[p][other]) for p in people])
            for other in METHODS
            if other != "ours"
        },
        "lip_sync": {
            key: round(float(np.mean([clip[key] for clip in lips])), 4)
            for key in (lips[0] if lips else ())
        },
        "lip_sync_clips": len(lips),
        "speed": {
            "tracking_cpu_ms": round(_mean(results, lambda r: r.tracking_ms), 2),
            "rendering_cpu_ms": round(_mean(results, lambda r: r.rendering_ms), 2),
            "build_cpu_s": round(_mean(results, lambda r: r.build_s), 3),
        },
    }


def table(report: dict[str, Any]) -> str:
    """The means over people as text, the best of each row marked."""
    means = report["mean_over_people"]
    lines = [f"{'':16}" + "".join(f"{name:>10}" for name in METHODS)]
    for key in _TABLE:
        values = {name: means[name][key] for name in METHODS if key in means.get(name, {})}
        if not values:
            continue
        choose = min if key in LOWER_IS_BETTER else max
        best = choose(values.values())
        cells = "".join(
            f"{values[name]:>9.4g}{'*' if values[name] == best else ' '}" if name in values else " "
            for name in METHODS
        )
        lines.append(f"{key:16}{cells}")
    return "\n".join(lines)


def _paired(pairs: Sequence[tuple[dict[str, float], dict[str, float]]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    rng = np.random.default_rng(0)
    for key in sorted(set.intersection(*(set(a) & set(b) for a, b in pairs))) if pairs else ():
        sign = -1.0 if key in LOWER_IS_BETTER else 1.0
        gains = np.array([sign * (a[key] - b[key]) for a, b in pairs])
        draws = rng.choice(gains, (2000, len(gains))).mean(1)
        low, high = np.percentile(draws, [2.5, 97.5])
        found[key] = {
            "better_for": int((gains > 0).sum()),
            "of": len(gains),
            "mean_gain": round(float(gains.mean()), 5),
            "interval_95": [round(float(low), 5), round(float(high), 5)],
        }
    return found


def _mean_figures(figures: Sequence[dict[str, float]]) -> dict[str, float]:
    keys = sorted(set.intersection(*(set(one) for one in figures))) if figures else []
    return {key: float(np.mean([one[key] for one in figures])) for key in keys}


def _rounded(figures: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {
        name: {key: round(value, 5) for key, value in values.items()}
        for name, values in figures.items()
    }


def _mean(results: Sequence[ClipResult], of: Callable[[ClipResult], float]) -> float:
    return float(np.mean([of(r) for r in results])) if results else 0.0
