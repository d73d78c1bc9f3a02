"""What a frame costs on the CPU: posing, sorting, blending, and two threads taking turns.

    python benchmarks/bench_render.py [--persona FILE] [--frames 100]

Without a persona the synthetic head of the tests is drawn, with and without hair. Writes
benchmarks/results/render.json.
"""

import argparse
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from report import write_result

sys.path.insert(0, str(Path(__file__).parents[1]))

from avatar_engine.render import RenderConfig
from avatar_engine.render.cpu.blend import blend_i420, blend_rgb
from avatar_engine.render.cpu.detail import add_i420, add_rgb
from avatar_engine.render.cpu.pose import pose
from avatar_engine.render.cpu.renderer import CpuRenderer, frame_view
from avatar_engine.render.cpu.sort import sort_into
from avatar_engine.types import Camera, FaceState, HeadMaps, Plates

Scene = tuple[HeadMaps, Plates, Camera]
OUTPUTS = ((512, 512, "i420"), (512, 512, "rgb"), (720, 1280, "i420"), (720, 1280, "rgb"))
METHOD = (
    "CPU time of the calling thread, median (and 10th percentile) over frames of a head that "
    "speaks, blinks and sways with some 25 modes at work; stages run in turn, frame by frame"
)


def speaking(t: int) -> FaceState:
    """Frame t of a head that never rests: half of all modes act, by slow sines."""
    rng = np.random.default_rng(7)
    speed, phase = rng.uniform(0.1, 0.5, 52), rng.uniform(0, 6, 52)
    weights = 0.4 * np.maximum(np.sin(speed * t + phase), 0)
    pose = np.array([0.15 * np.sin(t / 9), 0.06 * np.sin(t / 7), 0.03 * np.sin(t / 11)])
    gaze = np.array([0.1 * np.sin(t / 5), 0.0])
    return FaceState(
        weights.astype(np.float32), pose.astype(np.float32), gaze=gaze.astype(np.float32)
    )


def stages(scene: Scene, width: int, height: int, pixel_format: str, frames: int) -> dict[str, Any]:
    """Milliseconds per stage of one thread."""
    maps, _, camera = scene
    renderer = CpuRenderer(*scene, RenderConfig(width, height, pixel_format))
    packed, records, framed = renderer._packed, renderer._records, camera.framed(width, height)
    renderer.render(speaking(0))
    spent = []
    for t in range(frames):
        state, clock = speaking(t), [time.thread_time_ns()]
        view = frame_view(maps, packed, framed, state, 0.0)
        clock.append(time.thread_time_ns())
        pose(packed, view, renderer._palette, records)
        clock.append(time.thread_time_ns())
        renderer._bins = bins = sort_into(renderer._bins, records)
        clock.append(time.thread_time_ns())
        shared = (records, bins, renderer._canvas, renderer._behind, renderer._out)
        if pixel_format == "i420":
            blend_i420(*shared, width=width, height=height)
        else:
            blend_rgb(*shared)
        clock.append(time.thread_time_ns())
        if renderer._detail is not None:
            finer = (records, renderer._detail, view.tints, renderer._canvas.dirty, renderer._out)
            if pixel_format == "i420":
                add_i420(*finer, width=width, height=height)
            else:
                add_rgb(*finer)
        clock.append(time.thread_time_ns())
        spent.append([*np.diff(clock), clock[-1] - clock[0]])
    names = ("prepare", "pose", "sort", "blend", "detail", "frame")
    table = np.array(spent) / 1e6
    return {
        **{f"{n}_ms": round(float(v), 2) for n, v in zip(names, np.median(table, 0), strict=True)},
        "frame_p10_ms": round(float(np.percentile(table[:, -1], 10)), 2),
        "texels": int((maps.opacities > 0).sum()),
        "drawn": int(records.drawn[0]),
    }


def two_threads(scene: Scene, frames: int) -> dict[str, float]:
    """Wall and CPU milliseconds per 512 x 512 frame of one renderer, and of two taking turns."""
    first = CpuRenderer(*scene, RenderConfig(512, 512, "i420"))
    renderers = [first, first.twin()]
    for renderer in renderers:
        renderer.render(speaking(0))

    def draw(renderer: CpuRenderer, start: int, step: int) -> None:
        for t in range(start, frames, step):
            renderer.render(speaking(t))

    figures = {}
    for count, name in ((1, "one_thread"), (2, "two_threads")):
        wall, cpu = time.perf_counter(), time.process_time()
        threads = [
            threading.Thread(target=draw, args=(renderers[i], i, count)) for i in range(count)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        figures[f"{name}_wall_ms"] = round(1000 * (time.perf_counter() - wall) / frames, 2)
        figures[f"{name}_cpu_ms"] = round(1000 * (time.process_time() - cpu) / frames, 2)
    return figures


def warm_start_s() -> float:
    """CPU seconds of a fresh process from import to the first frame, kernels cached."""
    script = (
        "import time; start = time.process_time()\n"
        "from avatar_engine.render.cpu.warm_up import warm_up\n"
        "warm_up(); print(time.process_time() - start)"
    )
    command = [sys.executable, "-c", script]
    spent = [
        float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(3)
    ]
    return round(min(spent[1:]), 2)


def scenes(persona: str | None) -> dict[str, Scene]:
    if persona:
        from avatar_engine.persona import load_persona

        loaded = load_persona(Path(persona))
        return {"persona": (loaded.maps, loaded.plates, loaded.camera)}
    from tests.support.synthetic_head import synthetic_head

    return {"head": synthetic_head(512, hair_rows=0), "head_and_hair": synthetic_head(512)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persona", help="a .persona file instead of the synthetic head")
    parser.add_argument("--frames", type=int, default=100)
    options = parser.parse_args()
    result: dict[str, Any] = {"warm_start_cpu_s": warm_start_s()}
    for name, scene in scenes(options.persona).items():
        result[name] = {
            f"{width}x{height}_{form}": stages(scene, width, height, form, options.frames)
            for width, height, form in OUTPUTS
        }
        result[name]["alternating_512_i420"] = two_threads(scene, options.frames)
        for output, figures in result[name].items():
            print(name, output, figures)
    write_result("render", result, method=METHOD)


if __name__ == "__main__":
    main()
