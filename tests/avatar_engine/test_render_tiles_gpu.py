"""The tile renderer on a real device: captured graphs, many sessions, and the second opinion."""

import threading

import numpy as np
import pytest
import torch

from avatar_engine.errors import RenderWarning
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.render.reference import ReferenceRenderer
from avatar_engine.types import FaceState, weights_of
from tests.support.striped_photo import with_striped_photo
from tests.support.synthetic_head import synthetic_head

pytest.importorskip("triton", reason="Triton is not installed")

from avatar_engine.render.gpu.batch import FrameBatch, Shot
from avatar_engine.render.gpu.renderer import TileRenderer

SIZE = 256
LEAST_DB = 48
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@pytest.fixture(scope="module")
def head():
    return with_striped_photo(*synthetic_head(SIZE))


def talking(t: int) -> FaceState:
    """A face that moves from frame to frame."""
    angles = np.array([0.3 * np.sin(t), 0.1 * np.cos(t), 0.0], np.float32)
    return FaceState(weights_of(jawOpen=0.5 + 0.5 * float(np.sin(2 * t))), angles)


def quality(expected: np.ndarray, actual: np.ndarray) -> float:
    error = np.square(expected.astype(float) - actual).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-6)))


def test_cuda_is_the_tile_renderer_and_draws_the_reference(head) -> None:
    for config in (RenderConfig(SIZE, SIZE, "i420"), RenderConfig(400, 800)):
        cuda = open_renderer("cuda", *head, config)
        assert isinstance(cuda, TileRenderer)
        reference = ReferenceRenderer(*head, config)
        for t in range(3):
            assert quality(reference.render(talking(t)), cuda.render(talking(t))) >= LEAST_DB
        cuda.close()


def test_a_replayed_graph_draws_what_its_launches_draw(head) -> None:
    batch = FrameBatch([head], RenderConfig(SIZE, SIZE))
    replayed = batch.draw([Shot(0, talking(5))])[0].copy()
    drawing = batch._replay.drawing  # whose inputs are still the same
    drawing.launch()
    torch.cuda.synchronize()
    launched = drawing.output[: drawing.frame_bytes].cpu().numpy()
    assert quality(replayed, launched) >= 60  # sums of floats, in any order


def test_sixty_four_sessions_of_two_people_are_each_their_own(head) -> None:
    config = RenderConfig(SIZE, SIZE)
    bald = synthetic_head(SIZE, hair_rows=0)
    batch = FrameBatch([head, bald], config, frames=64)
    shots = [Shot(t % 2, talking(t)) for t in range(64)]
    batch.begin(shots)
    batch.begin(shots[::-1])
    forward, backward = batch.collect().copy(), batch.collect().copy()
    alone = [TileRenderer(*scene, config) for scene in (head, bald)]
    for t in (0, 1, 30, 63):
        expected = alone[t % 2].render(talking(t)).reshape(-1)
        assert quality(expected, forward[t]) >= 60
        assert quality(expected, backward[63 - t]) >= 60


def test_a_full_buffer_is_recorded_again(head) -> None:
    batch = FrameBatch([head], RenderConfig(SIZE, SIZE))
    expected = batch.draw([Shot(0, talking(1))])[0].copy()
    batch._replay = batch._recorded(4096)
    with pytest.warns(RenderWarning, match="drawn again"):
        assert quality(expected, batch.draw([Shot(0, talking(1))])[0]) >= 60


def test_a_renderer_opens_while_another_draws_on_its_own_thread(head) -> None:
    first = TileRenderer(*head, RenderConfig(SIZE, SIZE))
    expected = first.render(talking(3)).copy()
    is_over, wrong = threading.Event(), []

    def draw() -> None:
        while not is_over.is_set():
            if quality(expected, first.render(talking(3))) < 60:
                wrong.append(1)

    drawing = threading.Thread(target=draw)
    drawing.start()
    TileRenderer(*head, RenderConfig(SIZE, SIZE)).render(talking(0))
    is_over.set()
    drawing.join(timeout=60)
    assert not wrong


def test_gsplat_agrees(head) -> None:
    pytest.importorskip("gsplat", reason="gsplat is not installed")
    from avatar_engine.render.cuda import CudaRenderer

    config = RenderConfig(SIZE, SIZE)
    tiles, portable = TileRenderer(*head, config), CudaRenderer(*head, config)
    for t in range(3):
        assert quality(portable.render(talking(t)), tiles.render(talking(t))) >= 45
