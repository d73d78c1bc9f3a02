"""What one GPU draws: frames per second alone and in batches, and how many live sessions that is.

    python benchmarks/gpu.py [--persona FILE ...] [--batch 64] [--seconds 5] [--json FILE]

Both CUDA renderers, each after its picture was compared with the reference's. Without a persona
the example face is built, beside the tests' synthetic head. Says what is missing where torch,
Triton, gsplat or a CUDA device is.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench_render import Scene, performance, scenes
from report import write_result

from avatar_engine.device import missing_for_cuda, require_cuda
from avatar_engine.errors import RenderError
from avatar_engine.render import RenderConfig
from avatar_engine.render.self_check import disagreement
from avatar_engine.types import FaceState

FPS_OF_A_SESSION = 25
CONFIG = RenderConfig(512, 512, "i420")
METHOD = (
    "wall clock over frames of a spoken line at 512 x 512 I420, in host memory unless a name says "
    "otherwise; each renderer's picture was compared with the reference's first"
)


def per_second(draw: Callable[[int], int], seconds: float) -> float:
    """Frames per second of ``draw(t)``, which returns how many frames it drew."""
    import torch

    for t in range(3):
        draw(t)
    torch.cuda.synchronize()
    start, drawn, t = time.perf_counter(), 0, 0
    while time.perf_counter() - start < seconds:
        drawn += draw(t)
        t += 1
    torch.cuda.synchronize()
    return round(drawn / (time.perf_counter() - start), 1)


def measure_tiles(
    scene: Scene, states: Sequence[FaceState], batch: int, seconds: float
) -> dict[str, Any]:
    """Figures of the tile renderer; a batch shows two personas."""
    from avatar_engine.render.gpu.batch import FrameBatch, Shot

    alone = FrameBatch([scene], CONFIG)
    together = FrameBatch([scene, scene], CONFIG, frames=batch)

    def shots(t: int) -> list[Shot]:
        return [Shot(i % 2, states[(t + i) % len(states)]) for i in range(batch)]

    def one(t: int) -> int:
        alone.draw(shots(t)[:1])
        return 1

    def one_from_the_same_inputs(t: int) -> int:
        alone._replay.run()
        return 1

    def many(t: int) -> int:
        together.begin(shots(t))  # while the one before is drawn
        together.collect()
        return batch

    def many_from_the_same_inputs(t: int) -> int:
        together._replay.run()
        return batch

    together.begin(shots(0))
    batched = per_second(many, seconds)
    together.collect()
    return {
        "single_fps": per_second(one, seconds),
        "single_fps_left_on_the_gpu": per_second(one_from_the_same_inputs, seconds),
        "batched_fps": batched,
        "batched_fps_left_on_the_gpu": per_second(many_from_the_same_inputs, seconds),
        "sessions_at_25_fps": int(batched / FPS_OF_A_SESSION),
        "places_in_tiles": together.capacity,
    }


def measure_gsplat(
    scene: Scene, states: Sequence[FaceState], batch: int, seconds: float
) -> dict[str, Any]:
    """Figures of the gsplat renderer; a batch is frames of two renderers."""
    from avatar_engine.render.cuda import CudaRenderer, draw_together

    first, second = CudaRenderer(*scene, CONFIG), CudaRenderer(*scene, CONFIG)

    def some(t: int, count: int) -> list[FaceState]:
        return [states[(t + i) % len(states)] for i in range(count)]

    def one(t: int) -> int:
        first.render(some(t, 1)[0])
        return 1

    def many(t: int) -> int:
        parts = draw_together([(first, some(t, batch // 2)), (second, some(t, batch // 2))])
        for part in parts:
            part.cpu()
        return batch // 2 * 2

    batched = per_second(many, seconds)
    return {
        "single_fps": per_second(one, seconds),
        "batched_fps": batched,
        "sessions_at_25_fps": int(batched / FPS_OF_A_SESSION),
    }


def measure(
    scene: Scene, states: Sequence[FaceState], batch: int, seconds: float
) -> dict[str, Any]:
    """Both renderers with one persona, or why one of them was left out."""
    import torch

    from avatar_engine.render.cuda import CudaRenderer
    from avatar_engine.render.gpu.renderer import TileRenderer

    figures: dict[str, Any] = {"device": torch.cuda.get_device_name(), "batch": batch}
    for name, kernels, opener, measured in (
        ("tiles", "triton", TileRenderer, measure_tiles),
        ("gsplat", "gsplat", CudaRenderer, measure_gsplat),
    ):
        torch.cuda.reset_peak_memory_stats()
        fault = missing_for_cuda(kernels) or disagreement(opener, *scene, CONFIG)
        figures[name] = {"left_out": fault} if fault else measured(scene, states, batch, seconds)
        figures[name]["peak_memory_mib"] = round(torch.cuda.max_memory_allocated() / 2**20)
        torch.cuda.empty_cache()
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persona", type=Path, nargs="*", default=[], help=".persona files")
    parser.add_argument("--batch", type=int, default=64, help="frames drawn together, even")
    parser.add_argument("--seconds", type=float, default=5.0, help="per figure")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    try:
        require_cuda("triton")
    except RenderError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    states, _ = performance(100)
    result = {
        name: measure(scene, states, options.batch, options.seconds)
        for name, scene in scenes(options.persona)
    }
    for name, figures in result.items():
        for renderer in ("tiles", "gsplat"):
            for key, value in figures[renderer].items():
                print(f"{name:15} {renderer:8} {key:30} {value}")
    if options.json:
        write_result("gpu", result, method=METHOD, path=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
