"""What one GPU draws: frames per second alone and in batches, and how many live sessions that is.

    python benchmarks/gpu.py [--persona FILE] [--batch 16] [--seconds 5] [--json FILE]

Says what is missing where torch, gsplat or a CUDA device is.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench_render import Scene, scenes, speaking
from report import write_result

from avatar_engine.device import require_cuda
from avatar_engine.errors import RenderError
from avatar_engine.render import RenderConfig

FPS_OF_A_SESSION = 25


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


def measure(scene: Scene, batch: int, seconds: float) -> dict[str, Any]:
    """Figures of one persona at 512 x 512 I420; a batch is frames of two renderers."""
    import torch

    from avatar_engine.render.cuda import CudaRenderer, draw_together

    config = RenderConfig(512, 512, "i420")
    first, second = CudaRenderer(*scene, config), CudaRenderer(*scene, config)

    def one_on_the_host(t: int) -> int:
        first.render(speaking(t))
        return 1

    def one_on_the_gpu(t: int) -> int:
        draw_together([(first, [speaking(t)])])
        return 1

    def many(t: int) -> int:
        states = [speaking(t + i) for i in range(batch)]
        half = batch // 2
        draw_together([(first, states[:half]), (second, states[half:])])
        return batch

    batched = per_second(many, seconds)
    return {
        "device": torch.cuda.get_device_name(),
        "single_fps": per_second(one_on_the_gpu, seconds),
        "single_fps_with_copy_to_host": per_second(one_on_the_host, seconds),
        "batch": batch,
        "batched_fps": batched,
        "sessions_at_25_fps": int(batched / FPS_OF_A_SESSION),
        "peak_memory_mib": round(torch.cuda.max_memory_allocated() / 2**20),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persona", help="a .persona file instead of the synthetic head")
    parser.add_argument("--batch", type=int, default=16, help="frames drawn together, even")
    parser.add_argument("--seconds", type=float, default=5.0, help="per figure")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    try:
        require_cuda()
    except RenderError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    result = {
        name: measure(scene, options.batch, options.seconds)
        for name, scene in scenes(options.persona).items()
    }
    for name, figures in result.items():
        for key, value in figures.items():
            print(f"{name:15} {key:30} {value}")
    if options.json:
        write_result("gpu", result, method="wall clock, synchronised", path=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
