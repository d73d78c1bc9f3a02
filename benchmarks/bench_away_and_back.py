"""Portraits turned away and brought back, with and without the shipped codebooks.

    python benchmarks/bench_away_and_back.py --portraits DIR [--sheet FILE]

Writes benchmarks/results/away_and_back.json, and the best, a middling and the worst as a picture.
"""

import argparse
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from codebook_figures import interval, spread
from numpy.typing import NDArray
from PIL import Image
from report import write_result
from rich.progress import track
from rotate_and_return import Away

from avatar_engine.errors import AvatarEngineError
from avatar_engine.persona import Persona

Picture = NDArray[np.uint8]

_SEED = 7
_LEAST_PX = 400  # of newly seen skin: less says nothing about a person


def away_and_back(folder: Path, sheet: Path | None = None) -> dict[str, Any]:
    """Every portrait of a folder there and back, with and without the shipped codebooks."""
    rows: dict[str, Any] = {}
    looks: list[tuple[float, Picture]] = []
    for number, photo in enumerate(track(sorted(folder.glob("*.jpg")), "Away and back")):
        try:
            away = Away(photo, np.random.default_rng([_SEED, number]))
            seconds = [away.back(has_compensation=on) for on in (False, True)]
        except AvatarEngineError as error:
            rows[photo.stem] = {"left_out": str(error)}
            continue
        off, on = (_seen_again(away, second) for second in seconds)
        rows[photo.stem] = {
            where: {
                "pixels": off[where][0],
                "psnr_db": {"off": round(off[where][1], 2), "on": round(on[where][1], 2)},
                "ssim": {"off": round(off[where][2], 4), "on": round(on[where][2], 4)},
            }
            for where in off
            if off[where][0] >= _LEAST_PX
        }
        if "skin" in rows[photo.stem]:
            shown = [away.photo, away.picture, *(away.returned(second) for second in seconds)]
            looks.append((on["skin"][1] - off["skin"][1], np.concatenate(shown, 1)))
    if sheet is not None and looks:
        _write_sheet(looks, sheet)
    summary = {}
    for where in ("region", "skin", "skin_on_own_shape"):
        pairs = [row[where] for row in rows.values() if where in row]
        gains = [pair["psnr_db"]["on"] - pair["psnr_db"]["off"] for pair in pairs]
        alike = [pair["ssim"]["on"] - pair["ssim"]["off"] for pair in pairs]
        summary[where] = {
            "people": len(pairs),
            "psnr_off_db": spread([pair["psnr_db"]["off"] for pair in pairs]),
            "psnr_gain_db": spread(gains) | {"ci95": interval(gains)},
            "people_better": sum(gain > 0 for gain in gains),
            "ssim_gain": spread(alike) | {"ci95": interval(alike)},
        }
    return {"summary": summary, "people": rows}


def _seen_again(away: Away, second: Persona) -> dict[str, tuple[int, float, float]]:
    """Pixels, PSNR and SSIM of each way to look at the second persona."""
    picture, own = away.returned(second), away.on_own_shape(second)
    looks = {
        "region": (picture, away.region),
        "skin": (picture, away.skin),
        "skin_on_own_shape": (own, away.skin),
    }
    return {
        name: (int(where.sum()), *away.likeness(shown, where))
        for name, (shown, where) in looks.items()
    }


def _write_sheet(looks: list[tuple[float, Picture]], file: Path) -> None:
    """The best, a middling and the worst, one below the other, at half size."""
    ranked = [picture for _, picture in sorted(looks, key=lambda look: -look[0])]
    rows = np.concatenate([ranked[0], ranked[len(ranked) // 2], ranked[-1]])
    height, width = rows.shape[:2]
    half = (width // 2, height // 2)
    Image.fromarray(rows).resize(half, Image.Resampling.LANCZOS).save(file, quality=88)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    write_result(
        "away_and_back",
        away_and_back(options.portraits, options.sheet),
        method="a persona turned by 20 to 29 degrees with another expression, photographed, made "
        "into a second persona and brought back; likeness to the photo over what the turned "
        "picture hid: 'region' wherever the head is, 'skin' where the photo shows its skin, and "
        "there once more with the second head's colours on the first one's shape; paired by "
        "person, intervals bootstrapped over people",
    )


if __name__ == "__main__":
    main()
