"""Opening and closing renderers, and what they refuse."""

import dataclasses
import sys

import numpy as np
import pytest
import torch

from avatar_engine.device import has_cuda
from avatar_engine.errors import RenderError
from avatar_engine.render import RenderConfig, open_renderer, warm_up
from avatar_engine.render.cpu import (
    blend,
    detail,
    detail_flow,
    halved,
    packed,
    pose,
    records,
    sliding,
    sort,
    surface,
)
from avatar_engine.render.cpu.renderer import CpuRenderer
from avatar_engine.render.plates import backdrop
from avatar_engine.types import FaceState, Plates
from tests.support.synthetic_head import synthetic_head

SIZE = 64
torch.set_num_threads(1)  # small tensors; other tests want the second core


@pytest.fixture(scope="module")
def head():
    return synthetic_head(SIZE, hair_rows=0)


@pytest.mark.parametrize(
    ("width", "height", "says"),
    [
        (500, 512, "multiple of 8"),
        (512, 511, "even height"),
        (0, 0, "multiple of 8"),
        (8192, 512, "no side may exceed 4096"),
    ],
)
def test_impossible_sizes_are_refused(width: int, height: int, says: str) -> None:
    with pytest.raises(RenderError, match=says):
        RenderConfig(width, height)


def test_unknown_formats_and_renderers_are_refused(head) -> None:
    with pytest.raises(RenderError, match="i420, rgb or rgba"):
        RenderConfig(pixel_format="nv12")  # type: ignore[arg-type]
    with pytest.raises(RenderError, match=r"unknown renderer 'vulkan'.*cpu"):
        open_renderer("vulkan", *head, RenderConfig(SIZE, SIZE))  # type: ignore[arg-type]


@pytest.mark.skipif(has_cuda(), reason="this machine can run the CUDA renderer")
def test_cuda_says_what_is_missing(head) -> None:
    with pytest.raises(RenderError, match=r"cuda renderer needs .*cpu renderer"):
        open_renderer("cuda", *head, RenderConfig(SIZE, SIZE))
    automatic = open_renderer("auto", *head, RenderConfig(SIZE, SIZE))
    assert isinstance(automatic, CpuRenderer)


def test_missing_torch_is_said_in_one_line(head, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RenderError, match=r"livepitch\[torch\]"):
        open_renderer("reference", *head, RenderConfig(SIZE, SIZE))


def test_a_closed_renderer_refuses_frames(head) -> None:
    for name in ("cpu", "reference"):
        renderer = open_renderer(name, *head, RenderConfig(SIZE, SIZE))
        renderer.close()
        renderer.close()
        with pytest.raises(RenderError, match="closed"):
            renderer.render(FaceState())


def test_maps_and_plates_that_do_not_fit_are_refused(head) -> None:
    maps, plates, camera = head
    config = RenderConfig(SIZE, SIZE)
    small = Plates(plates.background[:32], plates.body)
    with pytest.raises(RenderError, match="background plate is 64 x 32, its camera 64 x 64"):
        open_renderer("cpu", maps, small, camera, config)
    odd = dataclasses.replace(maps, positions=maps.positions[:65000])
    with pytest.raises(RenderError, match="whole rows of 256"):
        open_renderer("cpu", odd, plates, camera, config)
    floats = dataclasses.replace(maps, modes=maps.modes.astype(np.float32))
    with pytest.raises(RenderError, match="modes"):
        open_renderer("cpu", floats, plates, camera, config)


@pytest.mark.parametrize(
    ("pixel_format", "shape"),
    [("i420", (64 * 64 * 3 // 2,)), ("rgb", (64, 64, 3)), ("rgba", (64, 64, 4))],
)
@pytest.mark.parametrize("name", ["cpu", "reference"])
def test_pictures_have_the_promised_layout(head, name, pixel_format, shape) -> None:
    renderer = open_renderer(name, *head, RenderConfig(SIZE, SIZE, pixel_format))
    picture = renderer.render(FaceState())
    assert picture.shape == shape
    assert picture.dtype == np.uint8
    assert picture.std() > 10


def test_a_frame_needs_more_room_than_expected(head) -> None:
    maps, plates, camera = head
    huge = dataclasses.replace(maps, sigmas=np.full_like(maps.sigmas, 12.0))
    renderer = CpuRenderer(huge, plates, camera, RenderConfig(512, 512))
    room = len(renderer._bins.ids)
    renderer.render(FaceState())
    assert len(renderer._bins.ids) > room


def test_a_plain_background_replaces_the_plate(head) -> None:
    maps, plates, camera = head
    empty = dataclasses.replace(maps, opacities=np.zeros_like(maps.opacities))
    config = RenderConfig(SIZE, SIZE, background=(12, 34, 56), has_body=False)
    picture = CpuRenderer(empty, plates, camera, config).render(FaceState())
    assert (picture == [12, 34, 56]).all()


def test_plates_are_framed_like_the_head(head) -> None:
    camera = head[2]
    background = np.zeros((SIZE, SIZE, 3), np.uint8)
    background[30:34, 20:24] = 255  # a mark in the source view, its middle at (22, 32)
    plates = Plates(background, np.zeros((SIZE, SIZE, 4), np.uint8))
    for width, height in ((128, 128), (80, 160), (160, 80), (32, 32)):
        config = RenderConfig(width, height)
        bright = backdrop(plates, camera, config).behind[..., 0]
        framed = camera.framed(width, height)
        expected = np.array([22.0, 32.0])
        ray = (expected - camera.K[:2, 2]) / np.diag(camera.K)[:2]
        expected = ray * np.diag(framed.K)[:2] + framed.K[:2, 2]
        y, x = np.mgrid[:height, :width] + 0.5
        middle = np.array([(x * bright).sum(), (y * bright).sum()]) / bright.sum()
        assert middle == pytest.approx(expected, abs=0.05)


def test_warm_up_reports_its_progress() -> None:
    shares: list[float] = []
    warm_up(shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_persona_out_of_a_file_needs_no_other_kernels_than_a_new_one(head) -> None:
    maps, plates, camera = head
    fixed = {}
    for field in dataclasses.fields(maps):
        value = getattr(maps, field.name)
        if isinstance(value, np.ndarray):
            value = value.copy()
            value.flags.writeable = False  # as arrays over the bytes of a file are
        fixed[field.name] = value
    state = FaceState()
    with_new = CpuRenderer(maps, plates, camera, RenderConfig(SIZE, SIZE)).render(state).copy()
    before = _kernels()
    from_file = CpuRenderer(type(maps)(**fixed), plates, camera, RenderConfig(SIZE, SIZE))
    np.testing.assert_array_equal(from_file.render(state), with_new)
    assert _kernels() == before


@pytest.mark.parametrize("pixel_format", ["i420", "rgb", "rgba"])
@pytest.mark.parametrize("size", [SIZE, 784])
def test_a_show_needs_no_kernel_that_the_warm_up_did_not_prepare(head, pixel_format, size) -> None:
    maps, plates, camera = head
    body = plates.body.copy()
    body[: SIZE // 2], body[SIZE // 2 :] = 0, 255  # shoulders begin within the picture
    warm_up()
    before = _kernels()
    dressed = dataclasses.replace(plates, body=body)
    renderer = CpuRenderer(maps, dressed, camera, RenderConfig(size, size, pixel_format))
    still = renderer.render(FaceState()).copy()
    moved = renderer.render(FaceState(torso=np.array([0.2, 0.3], np.float32)))
    assert not np.array_equal(moved, still)
    assert _kernels() == before


def _kernels() -> dict[str, int]:
    """How many types of arguments each kernel is compiled for."""
    found = {}
    drawing = (pose, surface, records, packed, blend, sort, sliding, halved, detail_flow, detail)
    for module in drawing:
        for name, value in vars(module).items():
            if hasattr(value, "signatures"):
                found[f"{module.__name__}.{name}"] = len(value.signatures)
    assert len(found) > 5
    return found
