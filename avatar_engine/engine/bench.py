"""Where a frame's CPU time goes, stage by stage, measured in one run of the real pieces."""

import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avatar_engine.engine.label import PresenterLabel
from avatar_engine.motion import Performer
from avatar_engine.render import RenderConfig, RendererName, open_renderer
from avatar_engine.speech import open_voice
from avatar_engine.types import Drawable

LINE = (
    "Hello everyone, welcome to the show! These wireless headphones are $39.90 today, "
    "and there are only twelve left. Would you like to hear how they sound?"
)


def measure(
    persona: Drawable | None,
    *,
    width: int,
    height: int,
    seconds: float,
    renderer: RendererName,
    voice: str,
    progress: Callable[[float], None],
    build: Callable[[], Drawable] | None = None,
) -> dict[str, Any]:
    """CPU milliseconds per frame of each stage, medians over a spoken performance.

    Args:
        persona: Measured as given; None measures ``build`` too.
        width: Of the picture.
        height: Of the picture.
        seconds: Length of the performance at 25 fps.
        renderer: As for ``open_engine``.
        voice: As for ``open_engine``.
        progress: Called with the share done.
        build: Makes a persona from a photo; needed when ``persona`` is None.

    Returns:
        Figures that serialise to JSON; every time in CPU milliseconds of this process, the
        voice's own process counted apart.
    """
    report: dict[str, Any] = {"machine": _machine(), "size": [width, height], "fps": 25}
    if persona is None:
        if build is None:
            raise ValueError("give a persona, or a way to build one")
        persona, report["persona_build_cpu_s"] = _timed_build(build)
    progress(0.2)
    spoken = open_voice(voice)
    try:
        child = _child_cpu_s()
        started = time.process_time()
        chunks = list(spoken.speak(LINE))
        speech_s = time.process_time() - started
        audio_s = sum(len(chunk.pcm) / chunk.sample_rate_hz for chunk in chunks)
    finally:
        spoken.close()
    speech_s += _child_cpu_s() - child  # the worker's CPU is known once it has been reaped
    performer = Performer(fps=25.0, seed=0)
    performer.begin(0.0, LINE)
    for chunk in chunks:
        performer.feed(chunk.phonemes, chunk.words, chunk.pcm)
    camera = open_renderer(
        renderer, persona.maps, persona.plates, persona.camera, RenderConfig(width, height, "i420")
    )
    label = PresenterLabel(width, height, "i420")
    stages: dict[str, list[float]] = {"motion": [], "render": [], "label_and_copy": []}
    frames = max(10, round(seconds * 25))
    for index in range(frames + 5):
        marks = [time.process_time()]
        state = performer.state(index)
        marks.append(time.process_time())
        picture = camera.render(state)
        marks.append(time.process_time())
        label.draw(picture.copy())
        marks.append(time.process_time())
        if index >= 5:  # the first frames touch cold memory
            for name, start, end in zip(stages, marks, marks[1:], strict=False):
                stages[name].append((end - start) * 1e3)
        progress(0.2 + 0.8 * (index + 1) / (frames + 5))
    camera.close()
    report["cpu_ms_per_frame"] = {
        name: {"median": round(statistics.median(v), 3), "p95": round(_p95(v), 3)}
        for name, v in stages.items()
    }
    report["cpu_ms_per_frame"]["speech"] = {"median": round(speech_s / audio_s * 40, 3)}
    report["animate_and_render_ms"] = round(
        sum(statistics.median(stages[name]) for name in ("motion", "render")), 3
    )
    report["peak_memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return report


def table(report: dict[str, Any]) -> None:
    """Print a report for people."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=f"CPU ms per frame at {'x'.join(map(str, report['size']))}")
    shown.add_column("stage")
    shown.add_column("median", justify="right")
    shown.add_column("p95", justify="right")
    for stage, figures in report["cpu_ms_per_frame"].items():
        p95 = f"{figures['p95']:.2f}" if "p95" in figures else "–"
        shown.add_row(stage, f"{figures['median']:.2f}", p95)
    console = Console()
    console.print(shown)
    console.print(f"animate + render {report['animate_and_render_ms']:.2f} ms")
    if "persona_build_cpu_s" in report:
        console.print(f"photo to persona {report['persona_build_cpu_s']['warm']:.2f} CPU s (warm)")


def _timed_build(build: Callable[[], Drawable]) -> tuple[Drawable, dict[str, float]]:
    """Build twice: the first loads models and kernels, the second is the warm figure."""
    started = time.process_time()
    build()
    first = time.process_time() - started
    started = time.process_time()
    persona = build()
    return persona, {"first": round(first, 2), "warm": round(time.process_time() - started, 2)}


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _child_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _machine() -> dict[str, Any]:
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
