"""The tile renderer draws what the reference defines: its kernels interpreted, or on a GPU."""

import numpy as np
import pytest
import torch

from avatar_engine.render import RenderConfig, definition
from avatar_engine.render.gaussians import TorchMaps
from avatar_engine.render.reference import ReferenceRenderer
from avatar_engine.types import FaceState, weights_of
from tests.support.striped_photo import with_striped_photo
from tests.support.synthetic_head import synthetic_head, with_corrections

pytest.importorskip("triton", reason="Triton is not installed")

from avatar_engine.render.gpu.batch import FrameBatch, Shot
from avatar_engine.render.gpu.drawing import DEVICE_GRAIN, INTERPRETED_GRAIN, Drawing
from avatar_engine.render.gpu.inputs import write_inputs
from avatar_engine.render.gpu.packed import pack
from avatar_engine.render.gpu.renderer import TileRenderer
from avatar_engine.render.gpu.stage import Stage

SIZE = 48
LEAST_DB = 66
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
GRAIN = DEVICE_GRAIN if DEVICE == "cuda" else INTERPRETED_GRAIN
torch.set_num_threads(1)
EVERYTHING = FaceState(
    weights_of(eyeBlink=0.7, jawOpen=0.3),
    np.array([0.3, 0.1, -0.1], np.float32),
    np.array([0.5, 0.3, 0.2], np.float32),
    np.array([0.2, -0.1], np.float32),
    torso=np.array([0.31, 0.27], np.float32),
)
TALKING = FaceState(weights_of(jawOpen=0.8, mouthSmile=0.5))
BEHIND = FaceState(orbit=np.pi)


@pytest.fixture(scope="module")
def head():
    """Hair, corrective modes, and a photo with finer detail."""
    maps, plates, camera = synthetic_head(SIZE)
    return with_striped_photo(with_corrections(maps), plates, camera)


@pytest.fixture(scope="module")
def bald():
    return synthetic_head(SIZE, hair_rows=0, seed=5)


def quality(expected: np.ndarray, actual: np.ndarray) -> float:
    """Peak signal to noise in dB; straight colour counts as far as it covers."""
    expected, actual = expected.astype(float), actual.astype(float)
    if expected.shape[-1] == 4:
        expected[..., :3] *= expected[..., 3:] / 255
        actual[..., :3] *= actual[..., 3:] / 255
    return float(10 * np.log10(255**2 / max(np.square(expected - actual).mean(), 1e-6)))


def test_gaussians_are_the_definitions(head, bald) -> None:
    config = RenderConfig(SIZE, SIZE)
    personas = [pack(head, config), pack(bald, config)]
    stage = Stage(personas, [], GRAIN.texels, torch.device(DEVICE))
    drawing = Drawing(stage, config, 3, 2**19, GRAIN)
    shots = [(0, EVERYTHING), (1, TALKING), (0, BEHIND)]
    rows = np.zeros(drawing.inputs.shape, np.float32)
    for row, (number, state) in zip(rows, shots, strict=True):
        write_inputs(row, number, personas[number], state)
    drawing.inputs.copy_(torch.as_tensor(rows))
    drawing.place()
    for records, (number, state) in zip(drawing.records.cpu().double(), shots, strict=True):
        posed = TorchMaps(personas[number].scene[0], dtype=torch.float64)
        expected = posed.project([state], personas[number].framed)
        is_drawn = expected.opacities[0] > 0
        actual = records[: len(is_drawn)]
        assert ((actual[:, 5] > 0) != is_drawn).float().mean() < 1e-4  # edge-on, by a rounding
        both = is_drawn & (actual[:, 5] > 0)
        actual, conics = actual[both], expected.conics[0, both]
        assert (actual[:, :2] - expected.means[0, both]).abs().max() < 1e-3
        assert (actual[:, 2:5] - conics).abs().div(conics.abs().amax(1, True)).max() < 1e-3
        assert (actual[:, 5] - expected.opacities[0, both]).abs().max() < 1e-4
        assert (actual[:, 6:9] - expected.colors[0, both]).abs().max() < 1e-4
        assert (actual[:, 11] - expected.depths[0, both]).abs().max() < 1e-3
        assert (records[len(is_drawn) :, 5] == 0).all()


def test_several_personas_in_one_batch_are_the_references(head, bald) -> None:
    config = RenderConfig(SIZE, SIZE)
    batch = FrameBatch([head, bald], config, frames=3, device=DEVICE)
    photographed = FaceState(blendshapes=head[0].source - head[0].rest)
    shots = [Shot(0, EVERYTHING), Shot(1, TALKING), Shot(0, photographed, 1.0)]
    pictures = batch.draw(shots).reshape(3, SIZE, SIZE, 3)
    references = [ReferenceRenderer(*scene, config) for scene in (head, bald)]
    for shot, picture in zip(shots, pictures, strict=True):
        expected = references[shot.persona].render(shot.state, source_residual=shot.source_residual)
        assert quality(expected, picture) >= LEAST_DB
    # The photo's detail is in it: without, its stripes cost this much.
    plain = ReferenceRenderer(*synthetic_head(SIZE), config).render(photographed)
    assert quality(plain, pictures[2]) < 35
    batch.close()
    batch.close()


def test_rgba_and_coverage_are_the_references(head) -> None:
    config = RenderConfig(SIZE, SIZE, "rgba")
    tiles = TileRenderer(*head, config, device=DEVICE)
    reference = ReferenceRenderer(*head, config)
    picture = tiles.render(EVERYTHING)
    assert picture.shape == (SIZE, SIZE, 4)
    assert quality(reference.render(EVERYTHING), picture) >= LEAST_DB
    covered = tiles.coverage(BEHIND)
    assert np.abs(covered - reference.coverage(BEHIND)).max() < 2e-3


def test_large_i420_pictures_are_the_references(head, monkeypatch) -> None:
    monkeypatch.setattr(definition, "LARGEST_DRAWN_PX", 48)
    config = RenderConfig(72, 50, "i420")
    picture = TileRenderer(*head, config, device=DEVICE).render(EVERYTHING)
    expected = ReferenceRenderer(*head, config).render(EVERYTHING)
    assert picture.shape == expected.shape
    assert quality(expected, picture) >= LEAST_DB
