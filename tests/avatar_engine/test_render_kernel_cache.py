"""Compiled kernels follow every file they were made from, not only their own."""

import os
import subprocess
import sys
from pathlib import Path

from avatar_engine.device import compiled
from avatar_engine.render.cpu import kernel_cache
from avatar_engine.render.cpu.kernel_cache import drop_stale

LANES = """
from numba import types
from numba.extending import intrinsic

@intrinsic
def answer(context):
    return types.int64(), lambda context, b, s, args: context.get_constant(types.int64, {value})
"""
BLEND = """
from face.render.cpu.kernel_cache import kernel
from face.render.cpu import lanes

@kernel
def blend():
    return lanes.answer()
"""
RUN = """
from face.render.cpu.blend import blend
print(blend(), sum(blend.stats.cache_hits.values()))
"""


FULL = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
from avatar_engine.device import compiled

@compiled
def doubled(x):
    return 2 * x

print(doubled(21))
"""


def test_a_full_disk_costs_the_machine_code_and_nothing_else(tmp_path: Path):
    script = tmp_path / "full.py"
    script.write_text(FULL)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, env=environment, check=False
    )
    assert done.stdout.strip() == "42", done.stderr
    assert not list(tmp_path.rglob("*.nbc"))


def test_an_edit_of_one_file_recompiles_the_kernels_of_another(tmp_path: Path):
    cpu = tmp_path / "face" / "render" / "cpu"
    cpu.mkdir(parents=True)
    (cpu / "kernel_cache.py").write_text(Path(kernel_cache.__file__).read_text())
    (cpu / "blend.py").write_text(BLEND)
    (cpu.parent / "definition.py").touch()
    (cpu.parents[1] / "types").mkdir()
    (cpu.parents[1] / "types" / "head.py").touch()

    def run(value: int) -> str:
        (cpu / "lanes.py").write_text(LANES.format(value=value))
        done = subprocess.run(
            [sys.executable, "-c", RUN], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert run(1111) == "1111 0"
    assert run(1111) == "1111 1"  # from the cache
    assert run(2222) == "2222 0"


def test_only_kernels_of_other_sources_are_dropped_and_only_once(tmp_path: Path):
    old = [tmp_path / "blend._rgb-1.nbi", tmp_path / "blend._rgb-1.1.nbc"]
    other = tmp_path / "blend.pyc"
    for path in (*old, other):
        path.write_bytes(b"old")
    assert drop_stale(tmp_path, "new")
    assert [path.exists() for path in (*old, other)] == [False, False, True]
    old[0].write_bytes(b"compiled again")
    assert not drop_stale(tmp_path, "new")
    assert old[0].exists()
    assert drop_stale(tmp_path, "newer")
    assert not old[0].exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blend.pyc", "kernels.sha256"]


def test_a_kernel_runs_where_it_cannot_be_kept():
    source = compile("def twice(x):\n    return 2 * x", "<no file>", "exec")
    made: dict[str, object] = {}
    exec(source, made)
    twice = compiled(made["twice"], nogil=True)
    assert twice(21) == 42
    assert not twice.stats.cache_path
