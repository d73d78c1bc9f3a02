"""The fast renderers draw what the reference defines, in values and in gradients."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from avatar_engine.render import RenderConfig, blend_weights, definition
from avatar_engine.render.colour import to_i420
from avatar_engine.render.cpu.frame import frame_view
from avatar_engine.render.cpu.packed import pack
from avatar_engine.render.cpu.records import KEYS
from avatar_engine.render.cpu.renderer import CpuRenderer
from avatar_engine.render.gaussians import Gaussians, TorchMaps
from avatar_engine.render.reference import ReferenceRenderer, contributions
from avatar_engine.types import FaceState, weights_of
from tests.support.synthetic_head import synthetic_head

SIZE = 128
torch.set_num_threads(1)  # small tensors; other tests want the second core
STATES = {
    "neutral": FaceState(),
    "open mouth": FaceState(weights_of(jawOpen=0.8, mouthSmile=0.5)),
    "everything": FaceState(
        weights_of(eyeBlink=0.7, jawOpen=0.3),
        np.array([0.3, 0.1, -0.1], np.float32),
        np.array([0.5, 0.3, 0.2], np.float32),
        np.array([0.2, -0.1], np.float32),
    ),
    "breathing": FaceState(torso=np.array([0.31, 0.27], np.float32)),
    "from the side": FaceState(orbit=1.3),
    "from behind": FaceState(orbit=np.pi),
}


@pytest.fixture(scope="module")
def head():
    return synthetic_head(SIZE)


@pytest.fixture(scope="module")
def renderers(head):
    config = RenderConfig(SIZE, SIZE)
    return ReferenceRenderer(*head, config), CpuRenderer(*head, config)


@pytest.mark.parametrize("name", STATES)
def test_cpu_draws_the_reference(renderers, name: str) -> None:
    reference, cpu = renderers
    expected = reference.render(STATES[name])
    actual = cpu.render(STATES[name])
    assert peak_signal_noise_ratio(expected, actual) >= 50
    difference = actual.astype(float) - expected
    assert abs(difference.mean()) < 0.1  # bytes: no systematic shift
    assert np.quantile(np.abs(difference), 0.999) <= 8


def test_cpu_covers_what_the_reference_covers(renderers) -> None:
    reference, cpu = renderers
    expected, actual = (r.coverage(STATES["everything"]) for r in (reference, cpu))
    assert actual.shape == (SIZE, SIZE)
    # Faint tails add up where the crown's texels crowd: what lies below 0.02 is seen here only.
    assert peak_signal_noise_ratio(expected, actual, data_range=1) >= 44


@pytest.mark.parametrize("pixel_format", ["i420", "rgba"])
def test_the_plate_slides_alike_in_every_format(head, pixel_format) -> None:
    config = RenderConfig(SIZE, SIZE, pixel_format)
    reference, cpu = ReferenceRenderer(*head, config), CpuRenderer(*head, config)
    still = cpu.render(FaceState()).copy()
    expected, actual = (_over_grey(r.render(STATES["breathing"])) for r in (reference, cpu))
    assert peak_signal_noise_ratio(expected, actual, data_range=255) >= 46
    assert peak_signal_noise_ratio(_over_grey(still), actual, data_range=255) < 40  # it went
    np.testing.assert_array_equal(cpu.render(FaceState()), still)  # and comes back


def _over_grey(picture: np.ndarray) -> np.ndarray:
    """Straight alpha is laid over grey, whose own colour counts for little where it is thin."""
    if picture.ndim == 1:
        return picture.astype(float)
    alpha = picture[..., 3:] / 255
    return picture[..., :3] * alpha + 128 * (1 - alpha)


def test_cpu_draws_other_sizes_and_the_source_residual() -> None:
    head = synthetic_head(192)
    config = RenderConfig(144, 256)
    state = FaceState(head[0].source - head[0].rest)
    expected = ReferenceRenderer(*head, config).render(state, source_residual=1.0)
    cpu = CpuRenderer(*head, config)
    actual = cpu.render(state, source_residual=1.0).copy()
    assert peak_signal_noise_ratio(expected, actual) >= 50
    assert np.abs(actual.astype(int) - cpu.render(state)).max() > 20  # the residual shows


@pytest.fixture
def is_large(monkeypatch) -> None:
    """Pictures count as large from here on: their Gaussians are drawn at half the size."""
    monkeypatch.setattr(definition, "LARGEST_DRAWN_PX", SIZE)


@pytest.mark.usefixtures("is_large")
@pytest.mark.parametrize("size", [(256, 256), (136, 202)], ids=str)
def test_large_pictures_are_the_references(size: tuple[int, int]) -> None:
    head = synthetic_head(192)
    state = STATES["everything"]
    expected = ReferenceRenderer(*head, RenderConfig(*size)).render(state)
    cpu = CpuRenderer(*head, RenderConfig(*size))
    actual = cpu.render(state)
    assert peak_signal_noise_ratio(expected, actual) >= 50
    covered = cpu.coverage(state)
    assert covered.shape == size[::-1]
    i420 = CpuRenderer(*head, RenderConfig(*size, "i420")).render(state)
    luma, converted = size[0] * size[1], to_i420(actual)
    assert peak_signal_noise_ratio(converted[:luma], i420[:luma]) >= 50
    assert peak_signal_noise_ratio(converted[luma:], i420[luma:]) >= 45
    rgba = CpuRenderer(*head, RenderConfig(*size, "rgba")).render(state)
    reference = ReferenceRenderer(*head, RenderConfig(*size, "rgba")).render(state)
    assert peak_signal_noise_ratio(reference[..., 3], rgba[..., 3], data_range=255) >= 44


@pytest.mark.usefixtures("is_large")
def test_large_pictures_leave_nothing_behind_where_the_head_was() -> None:
    head = synthetic_head(192)
    for format_ in ("i420", "rgb"):
        renderer = CpuRenderer(*head, RenderConfig(256, 256, format_))
        away = FaceState(head_shift=np.array([25.0, 0.0, 0.0], np.float32))
        fresh = CpuRenderer(*head, renderer.config).render(away).copy()
        renderer.render(FaceState())
        assert np.array_equal(renderer.render(away), fresh)


def test_i420_is_the_rgb_picture_converted(head) -> None:
    rgb = CpuRenderer(*head, RenderConfig(SIZE, SIZE, "rgb")).render(STATES["everything"])
    i420 = CpuRenderer(*head, RenderConfig(SIZE, SIZE, "i420")).render(STATES["everything"])
    expected = to_i420(rgb)
    assert i420.shape == (SIZE * SIZE * 3 // 2,)
    luma = SIZE * SIZE
    assert peak_signal_noise_ratio(expected[:luma], i420[:luma]) >= 50
    assert peak_signal_noise_ratio(expected[luma:], i420[luma:]) >= 40  # chroma at even pixels


def test_rgba_is_straight_and_composites_to_rgb(head) -> None:
    maps, plates, camera = head
    grey = (120, 130, 140)
    shown = RenderConfig(SIZE, SIZE, "rgb", background=grey)
    rgba = CpuRenderer(maps, plates, camera, RenderConfig(SIZE, SIZE, "rgba"))
    picture = rgba.render(STATES["everything"]).astype(float)
    alpha = picture[..., 3:] / 255
    over = picture[..., :3] * alpha + np.array(grey) * (1 - alpha)
    expected = CpuRenderer(maps, plates, camera, shown).render(STATES["everything"])
    assert np.abs(over - expected).max() <= 2
    assert alpha.min() == 0
    assert alpha.max() == 1
    reference = ReferenceRenderer(maps, plates, camera, RenderConfig(SIZE, SIZE, "rgba"))
    assert (
        peak_signal_noise_ratio(
            reference.render(STATES["everything"])[..., 3], picture[..., 3], data_range=255
        )
        >= 44
    )


@pytest.mark.parametrize("name", ["neutral", "everything"])
def test_blend_weights_are_the_references_gradient(head, name: str) -> None:
    maps, _, camera = head
    weights, light = blend_weights(maps, camera, STATES[name], 0.0, SIZE, SIZE, smallest=0.0)
    posed = TorchMaps(maps, dtype=torch.float64)
    posed.colors.requires_grad_()
    gaussians = _with_16_bit_depth(posed.project([STATES[name]], camera), head, STATES[name])
    parts = contributions(gaussians, SIZE, SIZE)
    probe = torch.as_tensor(np.random.default_rng(0).normal(size=(SIZE * SIZE, 3)))
    (parts.image(gaussians.colors[0]) * probe).sum().backward()
    expected = posed.colors.grad.numpy()
    actual = weights.T @ probe.numpy()
    assert np.linalg.norm(actual - expected) <= 0.02 * np.linalg.norm(expected)
    assert np.abs(light - parts.light.numpy()).mean() < 1e-4
    total = weights.sum(1) + light  # less than one where the inner mouth is in the shade
    assert total.max() < 1 + 1e-5
    assert (np.abs(total - 1) < 1e-5).mean() > 0.9


def _with_16_bit_depth(gaussians: Gaussians, head, state: FaceState) -> Gaussians:
    """Texels that share a depth key keep their own order: random colours would show it."""
    maps, _, camera = head
    lens = frame_view(maps, pack(maps), camera, state, 0.0).lens
    keys = ((gaussians.depths - float(lens[4])) * float(lens[5])).clamp(0, KEYS - 1).floor()
    return dataclasses.replace(gaussians, depths=keys)


def test_blend_weights_reproduce_the_cpu_picture(head) -> None:
    maps, plates, camera = head
    photo = FaceState(blendshapes=maps.source - maps.rest)  # no tint acts
    weights, light = blend_weights(maps, camera, photo, 0.0, SIZE, SIZE)
    wall = (10, 20, 30)
    config = RenderConfig(SIZE, SIZE, background=wall, has_body=False)
    picture = 255 * (weights @ maps.colors) + light[:, None] * np.array(wall)
    expected = CpuRenderer(maps, plates, camera, config).render(photo)
    assert (
        peak_signal_noise_ratio(expected, picture.reshape(SIZE, SIZE, 3), data_range=255) >= 45
    )  # the smallest weights are left out


def test_reference_gradients_match_finite_differences(head) -> None:
    maps = head[0]
    camera = head[2].framed(32, 32)
    posed = TorchMaps(maps, dtype=torch.float64)
    posed.positions.requires_grad_()
    posed.opacities.requires_grad_()
    probe = torch.as_tensor(np.random.default_rng(1).normal(size=(32 * 32, 3)))

    def measure() -> torch.Tensor:
        gaussians = posed.project([STATES["open mouth"]], camera)
        parts = contributions(gaussians, 32, 32)
        return (parts.image(gaussians.colors[0]) * probe).sum() + parts.light.sum()

    measure().backward()
    for tensor in (posed.positions, posed.opacities):
        gradient = tensor.grad.flatten().clone()
        strongest = torch.argsort(-gradient.abs())[[0, 3, 30, 300]]
        for index in strongest.tolist():
            step, flat = 1e-4, tensor.detach().view(-1)
            with torch.no_grad():
                flat[index] += step
                above = measure()
                flat[index] -= 2 * step
                below = measure()
                flat[index] += step
            slope = float(above - below) / (2 * step)
            assert slope == pytest.approx(float(gradient[index]), rel=2e-3)


def test_a_batch_is_its_frames(head) -> None:
    posed = TorchMaps(head[0], dtype=torch.float32)
    together = posed.project(list(STATES.values()), head[2])
    for i, state in enumerate(STATES.values()):
        alone = posed.project([state], head[2])
        for field in dataclasses.fields(alone):
            one, many = getattr(alone, field.name)[0], getattr(together, field.name)[i]
            assert torch.allclose(one, many, rtol=1e-4, atol=1e-3)


@pytest.mark.gpu
def test_gsplat_draws_the_reference(head) -> None:
    pytest.importorskip("gsplat", reason="gsplat is not installed")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    from avatar_engine.render.cuda import CudaRenderer, draw_together

    config = RenderConfig(SIZE, SIZE)
    cuda = CudaRenderer(*head, config)
    reference = ReferenceRenderer(*head, config)
    expected = {name: reference.render(state) for name, state in STATES.items()}
    for name, state in STATES.items():
        assert peak_signal_noise_ratio(expected[name], cuda.render(state)) >= 48
    bald = CudaRenderer(*synthetic_head(SIZE, hair_rows=0), config)
    frames, others = draw_together([(cuda, list(STATES.values())), (bald, [FaceState()])])
    for name, frame in zip(STATES, frames.cpu().numpy(), strict=True):
        assert peak_signal_noise_ratio(expected[name], frame) >= 48
    assert others.shape == (1, SIZE, SIZE, 3)


@pytest.mark.shared
def test_cpu_draws_the_reference_of_a_real_persona() -> None:
    shared = os.environ.get("LIVEPITCH_SHARED")
    if not shared:
        pytest.skip("LIVEPITCH_SHARED is not set")
    from avatar_engine.persona import build_persona

    persona = build_persona(Path(shared) / "data/portraits/dev/p006.jpg")
    scene = persona.maps, persona.plates, persona.camera
    config = RenderConfig(384, 384)
    reference, cpu = ReferenceRenderer(*scene, config), CpuRenderer(*scene, config)
    for name in ("neutral", "everything"):
        expected, actual = reference.render(STATES[name]), cpu.render(STATES[name])
        assert peak_signal_noise_ratio(expected, actual) >= 50
