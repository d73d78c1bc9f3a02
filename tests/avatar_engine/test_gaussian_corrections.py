"""What a compensator adds to a persona reaches its maps, and nothing of the photo is lost."""

from pathlib import Path

import numpy as np
import pytest

from avatar_engine.errors import WeightsError
from avatar_engine.gaussian import build_maps
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.persona import build_persona, making, open_persona
from avatar_engine.persona.making import source_view
from avatar_engine.portrait import read_portrait
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.types import ARKIT_INDEX, Chart, FaceState
from tests.support.completions import HandMade

EXAMPLE = Path(__file__).parents[2] / "examples" / "face.png"


@pytest.fixture(scope="module")
def built():
    rig = load_head_rig()
    portrait = read_portrait(EXAMPLE)
    fit = fit_head(rig, portrait)
    by_hand = HandMade()
    plain, _ = build_maps(rig, fit, portrait, source_view)
    maps, plates = build_maps(rig, fit, portrait, source_view, compensator=by_hand)
    return plain, maps, plates, fit.camera, by_hand


def test_modes_that_move_something_are_kept_with_their_drivers(built):
    plain, maps, *_ = built
    assert maps.modes.shape[0] == 54
    assert np.array_equal(maps.modes[:53], plain.modes)
    assert len(maps.drivers) == 1
    assert maps.drivers.linear[0, ARKIT_INDEX["jawOpen"]] == 1
    moved = np.abs(maps.modes[53] * maps.mode_scales[53]).max(-1)
    assert 0.3 < moved.max() < 0.61
    assert moved[maps.chart[:65536] == Chart.EYE].max() == 0
    assert (moved > 0).mean() < 0.3  # what hardly moves is left out


def test_unseen_skin_is_completed_and_seen_skin_is_the_photos(built):
    plain, maps, _, _, by_hand = built
    head = by_hand.told[0]
    skin = maps.chart[:65536] == Chart.SKIN
    change = np.abs(maps.colors[:65536] - plain.colors[:65536]).max(-1)
    unseen = skin & (head.seen < 0.01) & (head.hairy < 0.05)
    z, y = head.positions[:, 2], head.positions[:, 1]
    assert np.quantile(change[unseen & (z > 2) & (y < 0)], 0.7) > 0.15
    assert np.quantile(change[unseen & (z < -3)], 0.95) < 0.05  # grown hair and nape stay
    assert np.quantile(change[skin & (head.seen > 0.99)], 0.95) < 0.03
    assert head.color.shape == head.positions.shape == head.residual.shape == (65536, 3)
    assert 0 <= head.seen.min() <= head.seen.max() <= 1


def test_the_photos_own_view_does_not_know_about_it(built):
    plain, maps, plates, camera, _ = built
    config = RenderConfig(256, 256)
    state = FaceState(blendshapes=maps.source - maps.rest)
    pictures = [
        open_renderer("cpu", m, plates, camera, config).render(state, source_residual=1.0)
        for m in (plain, maps)
    ]
    assert np.abs(pictures[0].astype(int) - pictures[1]).mean() < 1.2


def test_without_weights_a_persona_is_built_after_one_warning(monkeypatch, caplog):
    def broken(_path=None):
        raise WeightsError("compensator.safetensors: no such file")

    monkeypatch.setattr(making, "load_compensator", broken)
    making._shared_compensator.cache_clear()
    try:
        assert making._shared_compensator() is None
        assert making._shared_compensator() is None
        assert [r.levelname for r in caplog.records] == ["WARNING"]
        assert "compensator.safetensors: no such file" in caplog.text
    finally:
        making._shared_compensator.cache_clear()


def test_a_finished_persona_can_be_moved_without_corrective_modes(monkeypatch, tmp_path):
    monkeypatch.setattr(making, "_shared_compensator", HandMade)
    path = tmp_path / "face.persona"
    build_persona(EXAMPLE).save(path)
    assert len(open_persona(path).maps.drivers) == 1
    plain = open_persona(path, has_compensation=False).maps
    assert (len(plain.drivers), len(plain.modes)) == (0, 53)
