"""What a frame costs on the CPU: posing, sorting, blending, and two threads taking turns.

    python benchmarks/bench_render.py [--persona FILE ...] [--frames 100]

Draws a spoken performance with everything on: full hair, the photo's detail, the corrective modes.
Without a persona the example face is built, and where LIVEPITCH_SHARED names the shared folder
three people more; the synthetic head of the tests, which has no detail, stays for comparison with
earlier figures. Writes benchmarks/results/render.json.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from personas import built, people
from report import write_result

sys.path.insert(0, str(Path(__file__).parents[1]))

from avatar_engine.engine.bench import LINE
from avatar_engine.motion import Performer
from avatar_engine.persona import load_persona
from avatar_engine.render import RenderConfig
from avatar_engine.render.cpu.frame import frame_view
from avatar_engine.render.cpu.pose import pose
from avatar_engine.render.cpu.renderer import CpuRenderer
from avatar_engine.render.cpu.sort import sort_into
from avatar_engine.speech import open_voice
from avatar_engine.types import Camera, FaceState, HeadMaps, Plates

Scene = tuple[HeadMaps, Plates, Camera]
OUTPUTS = ((512, 512, "i420"), (512, 512, "rgb"), (720, 1280, "i420"), (720, 1280, "rgb"))
METHOD = (
    "CPU time of the calling thread, median (and 10th percentile) over every second frame of a "
    "cheerful spoken line, corrective modes and detail included; stages run in turn, frame by "
    "frame; animate is the performer's own share"
)


def performer() -> Performer:
    """Somebody about to say a cheerful line."""
    voice = open_voice("espeak:en-us")
    try:
        chunks = list(voice.speak(LINE))
    finally:
        voice.close()
    speaking = Performer(fps=25.0, seed=0, emotion="happy")
    speaking.begin(0.0, LINE)
    for chunk in chunks:
        speaking.feed(chunk.phonemes, chunk.words, chunk.pcm)
    return speaking


def performance(frames: int) -> tuple[list[FaceState], float]:
    """Every second frame of the line, and the median milliseconds that one of them takes."""
    speaking, states, spent = performer(), [], []
    for index in range(2 * frames):
        start = time.thread_time_ns()
        state = speaking.state(index)
        spent.append(time.thread_time_ns() - start)
        if index % 2 == 0:
            states.append(state)
    return states, round(float(np.median(spent)) / 1e6, 2)


def stages(
    scene: Scene, width: int, height: int, pixel_format: str, states: list[FaceState]
) -> dict[str, Any]:
    """Milliseconds per stage of one thread."""
    maps = scene[0]
    renderer = CpuRenderer(*scene, RenderConfig(width, height, pixel_format))
    packed, records = renderer._packed, renderer._records
    renderer.render(states[0])
    spent, modes = [], []
    for state in states:
        clock = [time.thread_time_ns()]
        renderer._follow_torso(state)
        view = frame_view(maps, packed, renderer._camera, state, 0.0, renderer._tints)
        clock.append(time.thread_time_ns())
        pose(renderer._frontal, view, renderer._palette, records, renderer._front)
        clock.append(time.thread_time_ns())
        renderer._bins = sort_into(renderer._bins, records)
        clock.append(time.thread_time_ns())
        renderer._blend()
        clock.append(time.thread_time_ns())
        renderer._add_detail(view.tints)
        clock.append(time.thread_time_ns())
        spent.append([*np.diff(clock), clock[-1] - clock[0]])
        modes.append(np.count_nonzero(view.changes))
    names = ("prepare", "pose", "sort", "blend", "detail", "frame")
    table = np.array(spent) / 1e6
    return {
        **{f"{n}_ms": round(float(v), 2) for n, v in zip(names, np.median(table, 0), strict=True)},
        "frame_p10_ms": round(float(np.percentile(table[:, -1], 10)), 2),
        "texels": int((maps.opacities > 0).sum()),
        "drawn": int(records.drawn[0]),
        "modes": round(float(np.mean(modes)), 1),
    }


def two_threads(scene: Scene, states: list[FaceState]) -> dict[str, float]:
    """Wall and CPU milliseconds per 512 x 512 frame of one renderer, and of two taking turns."""
    first = CpuRenderer(*scene, RenderConfig(512, 512, "i420"))
    renderers = [first, first.twin()]
    for renderer in renderers:
        renderer.render(states[0])

    def draw(renderer: CpuRenderer, start: int, step: int) -> None:
        for state in states[start::step]:
            renderer.render(state)

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
        wall_ms = 1000 * (time.perf_counter() - wall) / len(states)
        figures[f"{name}_wall_ms"] = round(wall_ms, 2)
        figures[f"{name}_cpu_ms"] = round(1000 * (time.process_time() - cpu) / len(states), 2)
        figures[f"{name}_fps"] = round(1000 / wall_ms)
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


def scenes(files: list[Path]) -> Iterator[tuple[str, Scene]]:
    """Who is drawn, one after the other."""
    from tests.support.synthetic_head import synthetic_head

    if not files:
        yield "head", synthetic_head(512, hair_rows=0)
        yield "head_and_hair", synthetic_head(512)
    with tempfile.TemporaryDirectory() as folder:
        named = {file.stem: file for file in files} or people()
        for name, file in named.items():
            made = load_persona(file if files else built(file, Path(folder)))
            yield name, (made.maps, made.plates, made.camera)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persona", type=Path, nargs="*", default=[], help=".persona files")
    parser.add_argument("--frames", type=int, default=100)
    options = parser.parse_args()
    states, animate_ms = performance(options.frames)
    result: dict[str, Any] = {"warm_start_cpu_s": warm_start_s(), "animate_ms": animate_ms}
    for name, scene in scenes(options.persona):
        result[name] = {
            f"{width}x{height}_{form}": stages(scene, width, height, form, states)
            for width, height, form in OUTPUTS
        }
        result[name]["alternating_512_i420"] = two_threads(scene, states)
        for output, figures in result[name].items():
            print(name, output, figures, flush=True)
    write_result("render", result, method=METHOD)


if __name__ == "__main__":
    main()
