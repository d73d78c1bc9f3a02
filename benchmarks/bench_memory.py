"""What one more session costs in memory, in one process.

    python benchmarks/bench_memory.py [--persona FILE] [--sessions 4] [--size 512]

Opens engine after engine on one loaded persona, draws frames with each, and notes after each what
the process alone holds (private pages of /proc/self/smaps_rollup; shared libraries do not count).
Voices are silent: their process is measured elsewhere. Without a persona the example face is
built, in a process of its own. Writes benchmarks/results/memory.json.
"""

import argparse
import gc
import itertools
import statistics
import tempfile
from pathlib import Path

from personas import EXAMPLE, built
from report import write_result

from avatar_engine.persona import load_persona
from avatar_engine.render import RenderConfig, Renderer, open_renderer
from avatar_engine.types import FaceState


def private_mb() -> float:
    """Megabytes that this process would give back if it ended."""
    gc.collect()
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--persona", type=Path)
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = options.persona or built(EXAMPLE, Path(folder))
        result = measure(file, options.sessions, options.size)
    print(result)
    write_result(
        "memory",
        {f"{options.size}x{options.size}": result},
        method="private pages of one process; persona, renderer and one frame per session; "
        "median over further sessions; voice processes and encoders not counted",
    )


def measure(file: Path, sessions: int, size: int) -> dict[str, float]:
    """Megabytes of the first session and of further ones, with the same persona and another."""
    config = RenderConfig(size, size, "i420")
    bare = private_mb()
    same: list[Renderer] = []
    held = [private_mb()]
    persona = load_persona(file)
    for _ in range(sessions):
        same.append(open_renderer("cpu", persona.maps, persona.plates, persona.camera, config))
        same[-1].render(FaceState())
        held.append(private_mb())
    steps = [b - a for a, b in itertools.pairwise(held)]
    others: list[float] = []
    kept = []
    for _ in range(sessions - 1):
        before = private_mb()
        other = load_persona(file)  # as if of somebody else: nothing is shared
        camera = open_renderer("cpu", other.maps, other.plates, other.camera, config)
        camera.render(FaceState())
        kept.append((other, camera))
        others.append(private_mb() - before)
    return {
        "imported_mb": round(bare, 1),
        "first_session_mb": round(steps[0], 1),
        "further_session_same_persona_mb": round(statistics.median(steps[1:]), 1),
        "further_session_other_persona_mb": round(statistics.median(others), 1),
    }


if __name__ == "__main__":
    main()
