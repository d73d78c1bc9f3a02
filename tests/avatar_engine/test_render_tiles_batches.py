"""Batches of the tile renderer: room for keys, order, what a captured graph may hold."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from avatar_engine.errors import RenderError, RenderWarning
from avatar_engine.render import RenderConfig
from avatar_engine.types import FaceState, weights_of
from tests.support.synthetic_head import synthetic_head

pytest.importorskip("triton", reason="Triton is not installed")

from avatar_engine.render.gpu.batch import FrameBatch, Shot
from avatar_engine.render.gpu.drawing import INTERPRETED_GRAIN
from avatar_engine.render.gpu.opening import set_the_stage

SIZE = 16
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def head():
    return synthetic_head(SIZE, hair_rows=0)


@pytest.fixture(scope="module")
def batch(head):
    return FrameBatch([head], RenderConfig(SIZE, SIZE), frames=2, device=DEVICE)


def shots(*amounts: float) -> list[Shot]:
    return [Shot(0, FaceState(weights_of(jawOpen=amount))) for amount in amounts]


def test_batches_come_back_in_order(batch) -> None:
    alone = [batch.draw(shots(amount))[0].copy() for amount in (0.0, 1.0)]
    assert np.abs(alone[0].astype(int) - alone[1]).max() > 20
    batch.begin(shots(1.0, 0.0))
    batch.begin(shots(0.0))
    with pytest.raises(RenderError, match="2 batches are under way"):
        batch.begin(shots(0.5))
    first = batch.collect()
    assert np.array_equal(first, [alone[1], alone[0]])
    assert np.array_equal(batch.collect(), [alone[0]])
    with pytest.raises(RenderError, match="no batch is under way"):
        batch.collect()
    for some in ([], shots(0, 0, 0)):
        with pytest.raises(RenderError, match="shots for a batch of 2"):
            batch.begin(some)


def test_a_full_buffer_is_told_once_and_the_frames_are_drawn_whole(head, batch) -> None:
    expected = batch.draw(shots(0.0, 0.7)).copy()
    tight = FrameBatch([head], RenderConfig(SIZE, SIZE), device=DEVICE)
    tight._replay = tight._recorded(4096)
    tight.begin(shots(0.0))
    tight.begin(shots(0.7))
    with pytest.warns(RenderWarning, match=r"needed \d+ places in tiles and had 4096") as told:
        actual = [tight.collect()[0].copy() for _ in expected]
    assert len(told) == 1
    assert tight.capacity > 4096
    assert np.array_equal(actual, expected)
    tight.close()
    with pytest.raises(RenderError, match="closed"):
        tight.draw(shots(0.0))


class WithoutQuestions(TorchDispatchMode):
    """Refuses operations that ask the device for a number or a shape."""

    ASKING = (torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape)

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.seen.add(str(function))
        assert not any(tag in function.tags for tag in self.ASKING), function
        return function(*args, **(kwargs or {}))


def test_a_launch_asks_the_device_nothing(batch) -> None:
    batch.draw(shots(0.5))
    questions = WithoutQuestions()
    with questions:
        batch._replay.drawing.launch()
    assert "aten.sort.default" in questions.seen
    with pytest.raises(AssertionError), questions:
        torch.nonzero(torch.ones(3))


def test_personas_too_large_are_refused(head, monkeypatch) -> None:
    monkeypatch.setattr("avatar_engine.render.gpu.layout.MOST_TEXELS", 1000)
    with pytest.raises(RenderError, match=r"65536 texels .* choose the cpu renderer"):
        set_the_stage([head], RenderConfig(SIZE, SIZE), INTERPRETED_GRAIN, torch.device("cpu"))


def test_too_many_frames_are_refused(head) -> None:
    with pytest.raises(RenderError, match="at most 64 frames"):
        FrameBatch([head], RenderConfig(SIZE, SIZE), frames=65, device=DEVICE)


def test_kernels_compile_for_gpus_that_are_not_here() -> None:
    """Ampere and Hopper: Triton's own assembler needs no device."""
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    command = [sys.executable, "-W", "error", "-m", "tests.support.compiled_kernels", "80", "90"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.split("\n")
    assert sum(" finish " in line for line in lines) == 2
    assert sum(" blend_tiles " in line for line in lines) == 2


def test_the_engine_imports_no_triton() -> None:
    code = (
        "import sys, avatar_engine.render, avatar_engine.render.gpu;"
        "sys.exit('triton' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
