"""The screen-space generator: flow, codebooks, shapes, weights, and the renderer that uses it."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch

from avatar_engine.codebook.screen import loading
from avatar_engine.codebook.screen.config import COMPACT, FULL, LEVELS, ScreenConfig
from avatar_engine.codebook.screen.generator import ScreenGenerator
from avatar_engine.codebook.screen.guide import Flow, ScreenInput, flow_levels, over_grey
from avatar_engine.codebook.screen.loading import load_generator, save_generator
from avatar_engine.codebook.screen.memory import Codebook
from avatar_engine.codebook.screen.painter import ScreenPainter
from avatar_engine.engine.high_quality import HighQualityRenderer
from avatar_engine.engine.opening import Quality, open_drawing
from avatar_engine.errors import RenderError, ShapeError, WeightsError
from avatar_engine.persona.persona import Persona, Provenance
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.render.mesh_flow import MeshFlow, collect_flow
from avatar_engine.render.protocol import PixelFormat
from avatar_engine.types import FaceState, Plates
from tests.support.synthetic_head import synthetic_head

torch.set_num_threads(1)
TINY = ScreenConfig(
    side=32, grid=4, widths=(8, 8, 8, 8), codes=16, motion_width=8, appearance_width=8, heads=2
)


def _alive(net: ScreenGenerator) -> ScreenGenerator:
    """Heads begin at zero; give them something to say."""
    torch.manual_seed(1)
    for parameter in net.parameters():
        if parameter.abs().sum() == 0:
            torch.nn.init.normal_(parameter, std=0.05)
    return net.eval()


@pytest.fixture(scope="module")
def persona() -> Persona:
    maps, plates, camera = synthetic_head(64, hair_rows=0)
    photo = open_renderer("reference", maps, plates, camera, RenderConfig(64, 64)).render(
        FaceState(blendshapes=maps.source - maps.rest), source_residual=1.0
    )
    plates = Plates(plates.background, plates.body, photo.copy())
    facts = Provenance("test", "0" * 64, "2026-01-01T00:00:00")
    return Persona("synthetic", maps, plates, camera, photo[:8, :8], None, facts)


def _input(rng: np.random.Generator, side: int = TINY.side) -> ScreenInput:
    def random(*shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.random((2, *shape, side, side), np.float32))

    flow = random(5)
    flow[:, 1] *= flow[:, 0]
    return ScreenInput(random(3), over_grey(random(3), random(1)), flow)


def test_flow_of_a_turned_head_finds_the_photos_own_pixels(persona: Persona) -> None:
    """The photo fetched along the flow is the turned picture, where the photo showed the place."""
    side = 64
    mesh = MeshFlow(persona.maps)
    view = persona.camera.framed(side, side)
    state = FaceState(
        blendshapes=persona.maps.source - persona.maps.rest,
        head_pose=np.array([0.2, 0.05, 0.05], np.float32),
    )
    sums = collect_flow(mesh.place(state, view, source_residual=1.0), mesh.photo(view))
    levels = flow_levels(torch.from_numpy(sums)[None])
    assert [f.shift.shape[-1] for f in levels] == [side >> k for k in range(LEVELS)]
    config = RenderConfig(side, side)
    plates = Plates(persona.plates.background, persona.plates.body)
    drawn = open_renderer("reference", persona.maps, plates, persona.camera, config)
    turned = drawn.render(state, source_residual=1.0).astype(np.float32)
    photo = torch.from_numpy(persona.plates.photo.astype(np.float32)).permute(2, 0, 1)[None]
    fetched = levels[0].warped(photo)[0].permute(1, 2, 0).numpy()
    shown = (levels[0].known * torch.sigmoid(levels[0].logit))[0, 0].numpy() > 0.6
    assert shown.sum() > 500
    still = np.abs(persona.plates.photo.astype(np.float32) - turned)[shown].mean()
    moved = np.abs(fetched - turned)[shown].mean()
    assert moved < 0.45 * still
    assert moved < 4.0


def test_flow_of_the_photo_to_itself_stands_still(persona: Persona) -> None:
    mesh = MeshFlow(persona.maps)
    photo = mesh.photo(persona.camera.framed(64, 64))
    sums = collect_flow(photo, photo)
    assert np.abs(sums[3:]).max() == 0
    np.testing.assert_allclose(sums[1], sums[0])


def test_a_coarser_flow_is_the_mean_of_its_texels_and_fills_holes() -> None:
    sums = torch.zeros(1, 5, 64, 64)
    sums[:, 0, 20:44, 20:44] = sums[:, 1, 20:44, 20:44] = sums[:, 2, 20:44, 20:44] = 2.0
    sums[:, 3, 20:44, 20:44] = 2.0 * 6.0  # six pixels to the right
    sums[:, :, 31:33, 31:33] = 0  # a hole
    levels = flow_levels(sums)
    for level, flow in enumerate(levels):
        middle = flow.shift.shape[-1] // 2
        assert flow.shift[0, 0, middle, middle] == pytest.approx(6.0 / 2**level, rel=0.05)
        assert flow.shift[0, 1].abs().max() < 1e-5
    assert levels[0].logit[0, 0, 25, 25] > 3
    assert levels[0].logit[0, 0, 2, 2] == pytest.approx(0)


def test_warping_fetches_pixels_where_the_flow_points() -> None:
    picture = torch.rand(1, 3, 16, 16)
    shift = torch.zeros(1, 2, 16, 16)
    shift[:, 0] = 3
    shift[:, 1] = -2
    flow = Flow(shift, torch.zeros(1, 1, 16, 16), torch.ones(1, 1, 16, 16))
    torch.testing.assert_close(flow.warped(picture)[..., 5, 4], picture[..., 3, 7])


def test_codes_follow_tokens_and_idle_ones_start_again() -> None:
    chance = torch.Generator().manual_seed(0)
    centres = 4 * torch.randn(8, 6, generator=chance)
    book = Codebook(16, 6, 2)
    book.codes[:8] = 100.0  # far from everything: nothing chooses them
    book.is_begun.fill_(1)
    for _ in range(400):
        tokens = centres[torch.randint(8, (64,), generator=chance)]
        tokens = tokens + 0.1 * torch.randn(64, 6, generator=chance)
        book.follow([(tokens, 8), (tokens, 16)], chance)
    assert book.codes.abs().max() < 50
    nearest = (centres[:, None] - book.codes[None]).norm(dim=2).amin(1)
    assert nearest.median() < 0.3
    coarse, fine = book.used([8, 16])
    assert coarse > 0.5
    assert fine > 0.4
    assert int(book.nearest(centres, 8).max()) < 8  # the coarse scale keeps to its prefix


def test_an_untrained_generator_changes_nothing_and_a_trained_one_only_head_and_body() -> None:
    torch.manual_seed(0)
    net = ScreenGenerator(TINY).eval()
    seen = _input(np.random.default_rng(0))
    seen.layer[:, 3:, :, :12] = 0
    with torch.inference_mode():
        assert _change_without_paste(net, seen) < 1e-6
        change = _alive(net)(seen).change
    assert change.shape == (2, 3, 32, 32)
    assert change[:, :, :, :12].abs().max() == 0
    assert change[:, :, :, 12:].abs().mean() > 1e-4


def _change_without_paste(net: ScreenGenerator, seen: ScreenInput) -> float:
    """With a source equal to the layer everywhere, what is pasted is what is there."""
    plain = torch.full_like(seen.source, 0.5)
    layer = torch.cat([plain, seen.layer[:, 3:]], 1)
    return float(net(ScreenInput(plain, layer, seen.flow)).change.abs().max())


def test_kept_constants_give_the_same_picture_and_go_when_training_goes_on() -> None:
    net = _alive(ScreenGenerator(TINY))
    seen = _input(np.random.default_rng(1))
    free = net(seen).change
    with torch.inference_mode():
        first, again = net(seen).change, net(seen).change
        features = net.source_features(seen.source)
        kept = net(seen, features).change
    for other in (first, again, kept):
        torch.testing.assert_close(free.detach(), other)
    with torch.no_grad():
        net.motion.book.codes.add_(1.0)
    net.train()
    net.eval()
    with torch.inference_mode():
        assert (net(seen).change - first).abs().max() > 1e-5


def test_sizes_are_configuration() -> None:
    for config in (COMPACT, FULL):
        assert config.side % 32 == 0
        assert [config.open_codes(k) * 4 // config.codes for k in range(LEVELS)] == [4, 3, 2, 1]
        assert all(config.patch_of(k) * config.grid == config.side_of(k) for k in range(LEVELS))
    with torch.device("meta"):
        compact, full = (
            sum(p.numel() for p in ScreenGenerator(c).parameters()) for c in (COMPACT, FULL)
        )
    assert compact < 1.5e6 < 10e6 < full


def test_weights_come_back_as_they_were_and_damage_is_refused(tmp_path: Path) -> None:
    net = _alive(ScreenGenerator(TINY))
    path = tmp_path / "screen.safetensors"
    save_generator(path, net)
    again = load_generator(path)
    assert again.config == TINY
    seen = _input(np.random.default_rng(2))
    with torch.inference_mode():
        difference = (again(seen).change - net(seen).change).abs().max()
    assert difference < 0.02  # half precision
    with pytest.raises(WeightsError, match=r"no weights here; train them"):
        load_generator(tmp_path / "absent.safetensors")
    content = bytearray(path.read_bytes())
    content[-3] ^= 255
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="altered"):
        load_generator(path)


def test_a_painter_refuses_a_photo_of_another_size() -> None:
    with pytest.raises(ShapeError, match="photo"):
        ScreenPainter(ScreenGenerator(TINY), np.zeros((24, 24, 3), np.uint8))


@pytest.mark.parametrize("pixel_format", ["rgb", "rgba", "i420"])
def test_high_quality_draws_in_every_format(
    persona: Persona, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pixel_format: PixelFormat
) -> None:
    path = tmp_path / "screen.safetensors"
    save_generator(path, _alive(ScreenGenerator(TINY)))
    monkeypatch.setattr(loading.load_generator, "__defaults__", (path,))
    config = RenderConfig(48, 64, pixel_format)
    state = FaceState(head_pose=np.array([0.3, 0, 0], np.float32))
    plain = open_drawing("reference", persona, persona.plates, config)
    high = open_drawing("reference", persona, persona.plates, config, quality="high")
    assert isinstance(high, HighQualityRenderer)
    assert high.config == config
    one, other = plain.render(state), high.render(state)
    assert one.shape == other.shape
    assert one.dtype == other.dtype
    assert (one != other).any()
    if pixel_format == "rgb":
        far = np.zeros((64, 48), bool)
        far[:4, :4] = True
        np.testing.assert_array_equal(one[far], other[far])  # the background is kept apart
    np.testing.assert_array_equal(plain.coverage(state), high.coverage(state))
    plain.close()
    high.close()


def test_high_quality_says_what_is_missing(persona: Persona, tmp_path: Path) -> None:
    config = RenderConfig(64, 64)
    with pytest.raises(RenderError, match="normal or high"):
        open_drawing("reference", persona, persona.plates, config, quality=cast(Quality, "best"))
