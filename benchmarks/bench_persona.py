"""How well, and how fast, photos become personas.

    python benchmarks/bench_persona.py PORTRAITS_DIR [--sheets DIR] [--only p002 p006]

Per photo: CPU seconds to build (warm process), PSNR and SSIM of the re-rendered source view over
the head region alone at 512 px (plates excluded: pixels that the head covers by at least half),
Gaussians drawn, file size. Writes benchmarks/results/persona.json.
"""

import argparse
import os
import statistics
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from report import write_result
from rich.progress import track
from skimage.metrics import structural_similarity

from avatar_engine.errors import AvatarEngineError
from avatar_engine.persona import Persona, build_persona, contact_sheet
from avatar_engine.portrait import read_portrait
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.types import FaceState

SIZE = 512


def source_view(persona: Persona, photo: Path, *, by_lanczos: bool = False) -> tuple[float, float]:
    """PSNR (dB) and SSIM of the source view over the head region; the photo is reduced by area."""
    config = RenderConfig(SIZE, SIZE, "rgb")
    camera = open_renderer("cpu", persona.maps, persona.plates, persona.camera, config)
    state = FaceState(blendshapes=persona.maps.source - persona.maps.rest)
    ours = camera.render(state, source_residual=1.0).astype(np.float64) / 255
    head = camera.coverage(state, source_residual=1.0).reshape(SIZE, SIZE) >= 0.5
    camera.close()
    portrait = read_portrait(photo).image
    if by_lanczos:
        truth = np.asarray(Image.fromarray(portrait).resize((SIZE, SIZE), Image.Resampling.LANCZOS))
    else:
        truth = cv2.resize(portrait, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    truth = truth.astype(float) / 255
    psnr = -10 * np.log10(np.mean((ours - truth)[head] ** 2))
    _, ssim = structural_similarity(
        truth,
        ours,
        channel_axis=2,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    return float(psnr), float(ssim[head].mean())


def measure(photo: Path, sheets: Path | None) -> dict[str, Any]:
    """One photo's row."""
    started = time.process_time()
    persona = build_persona(photo)
    build_s = time.process_time() - started
    psnr, ssim = source_view(persona, photo)
    sharp_psnr, sharp_ssim = source_view(persona, photo, by_lanczos=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.persona"
        persona.save(file)
        megabytes = file.stat().st_size / 1e6
    if sheets is not None:
        Image.fromarray(contact_sheet(persona)).save(sheets / f"{photo.stem}.png")
    return {
        "build_cpu_s": round(build_s, 2),
        "psnr_db": round(psnr, 2),
        "ssim": round(ssim, 4),
        "psnr_db_lanczos": round(sharp_psnr, 2),
        "ssim_lanczos": round(sharp_ssim, 4),
        "gaussians": int((persona.maps.opacities > 0).sum()),
        "file_mb": round(megabytes, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = os.environ.get("LIVEPITCH_SHARED")
    known = Path(shared) / "data" / "portraits" / "dev" if shared else None
    parser.add_argument("portraits", type=Path, nargs="?", default=known)
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    if options.portraits is None:
        print("persona: name a folder of portraits, or set LIVEPITCH_SHARED")
        return
    if options.sheets:
        options.sheets.mkdir(parents=True, exist_ok=True)
    photos = sorted(options.portraits.glob("*.jpg"))
    if options.only:
        photos = [photo for photo in photos if photo.stem in options.only]
    warnings.simplefilter("ignore")
    build_persona(photos[0])  # kernels and models are loaded once
    rows: dict[str, Any] = {}
    for photo in track(photos, "Building"):
        try:
            rows[photo.stem] = measure(photo, options.sheets)
        except AvatarEngineError as error:
            rows[photo.stem] = {"error": str(error)}
    good = [row for row in rows.values() if "error" not in row]
    summary = {
        "built": len(good),
        "of": len(rows),
        **{
            key: {
                "mean": round(statistics.mean(row[key] for row in good), 3),
                "worst": (min if key.startswith(("psnr", "ssim")) else max)(
                    row[key] for row in good
                ),
            }
            for key in (
                "psnr_db",
                "ssim",
                "psnr_db_lanczos",
                "ssim_lanczos",
                "build_cpu_s",
                "file_mb",
            )
        },
    }
    for name, row in rows.items():
        print(name, row)
    print(summary)
    if not options.only:
        write_result(
            "persona",
            {"summary": summary, "photos": rows},
            method="one warm process; CPU seconds by process_time; PSNR and SSIM (Gaussian window, "
            "sigma 1.5) at 512 px over pixels with head coverage >= 0.5, the photo reduced by "
            "area averaging, as the builder sees it, and by Lanczos",
        )


if __name__ == "__main__":
    main()
