"""From portrait and fit to maps: the parts that must hold for every face."""

import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar_engine.gaussian import build_maps
from avatar_engine.gaussian.regions import regions_of
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.persona.making import source_view
from avatar_engine.portrait import read_portrait
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.types import ARKIT_INDEX, Chart, FaceState, weights_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "face.png"


@pytest.fixture(scope="module")
def rig():
    return load_head_rig()


@pytest.fixture(scope="module")
def built(rig):
    portrait = read_portrait(EXAMPLE)
    fit = fit_head(rig, portrait)
    steps = []
    maps, plates = build_maps(
        rig, fit, portrait, source_view, lambda step, share: steps.append(share)
    )
    return portrait, fit, maps, plates, steps


def test_regions_are_symmetric_and_find_both_slits(rig):
    regions = regions_of(rig)
    twin = regions.twin
    assert np.array_equal(regions.ear, regions.ear[twin])
    assert np.allclose(regions.scalp, regions.scalp[twin], atol=0.02)
    assert regions.mouth_distance.min() == 0
    assert regions.lid_distance.min() == 0
    red = (regions.lip_depth > 0) & (regions.lip_depth < 1)
    assert 200 < red.sum() < 1500
    assert (np.abs(rig.mean[red, 1] + 3.4) < 1.8).all()


def test_maps_keep_the_contract(built):
    portrait, _, maps, plates, steps = built
    count = len(maps.positions)
    assert count % 256 == 0
    assert count >= 65536
    assert maps.modes.shape == (53, 65536, 3)
    for name in ("colors", "opacities", "positions", "sigmas", "head_weight", "depth_bias"):
        values = getattr(maps, name)
        assert len(values) == count
        assert np.isfinite(values).all()
        assert values.dtype == np.float32
    assert maps.colors.min() >= 0
    assert maps.colors.max() <= 1
    assert maps.opacities.max() <= 0.99
    assert (maps.opacities[maps.chart == Chart.EMPTY] == 0).all()
    assert (maps.chart[65536:][maps.opacities[65536:] > 0] == Chart.HAIR).all()
    assert (np.diff(maps.positions[maps.lip_upper, 0]) > 0).all()
    size = len(portrait.image)
    assert plates.background.shape == (size, size, 3)
    assert plates.body.shape == (size, size, 4)
    assert steps == sorted(steps)
    assert steps[-1] == 1.0


def test_source_view_looks_like_the_photo(built):
    portrait, fit, maps, plates, _ = built
    kept = replace(plates, photo=portrait.image)
    camera = open_renderer("cpu", maps, kept, fit.camera, RenderConfig(512, 512))
    state = FaceState(blendshapes=maps.source - maps.rest)
    shown = camera.render(state, source_residual=1.0).astype(np.float64) / 255
    head = camera.coverage(state, source_residual=1.0) > 0.5
    photo = cv2.resize(portrait.image, (512, 512), interpolation=cv2.INTER_AREA) / 255
    head &= cv2.resize(portrait.matte, (512, 512)) > 0.5
    psnr = -10 * np.log10(((shown - photo) ** 2)[head].mean())
    assert psnr > 34
    camera.close()


def _lid_gap(rig, maps, weights):
    """Largest gap in cm between the lids' middle landmarks, left and right."""
    x = maps.positions[:65536] + np.tensordot(
        np.clip(maps.rest + weights, 0, 1) * maps.mode_scales[:52],
        maps.modes[:52].astype(np.float32),
        1,
    )
    for centre in maps.eye_centers:
        d = x[maps.lid_texels] - centre
        r = np.linalg.norm(d, axis=1)
        out = (r < 1.03 * maps.eye_radius) & (d[:, 2] > 0)
        moved = maps.lid_texels[out]
        x[moved] = centre + d[out] * (1.03 * maps.eye_radius / r[out])[:, None]
    marks = rig.landmarks(x)
    return [float((marks[u, 1] - marks[v, 1]).max()) for u, v in _LIDS]


_LIDS = (
    ([384, 385, 386, 387, 388], [381, 380, 374, 373, 390]),
    ([157, 158, 159, 160, 161], [154, 153, 145, 144, 163]),
)


def test_a_blink_closes_both_eyes(built, rig):
    _, _, maps, _, _ = built
    opened = _lid_gap(rig, maps, np.zeros(52, np.float32))
    closed = _lid_gap(rig, maps, weights_of(eyeBlink=1.0))
    assert min(opened) > 0.3
    assert max(closed) < 0.06


def test_lips_meet_at_rest(built):
    _, _, maps, _, _ = built
    rest = maps.positions[:65536] + np.tensordot(
        maps.rest * maps.mode_scales[:52], maps.modes[:52].astype(np.float32), 1
    )
    gap = rest[maps.lip_upper, 1] - rest[maps.lip_lower, 1]
    assert gap[2:-2].max() < 0.08


def test_mouth_weights_rest_at_zero_and_eyes_are_held(built):
    _, fit, maps, _, _ = built
    mouth = [i for name, i in ARKIT_INDEX.items() if name.startswith(("mouth", "jaw"))]
    assert (maps.rest[mouth] == 0).all()
    brows = [i for name, i in ARKIT_INDEX.items() if name.startswith("brow")]
    assert np.allclose(maps.rest[brows], 0.8 * fit.expression[brows], atol=1e-6)


def test_building_is_deterministic(built, rig):
    portrait, fit, maps, _, _ = built
    again, _ = build_maps(rig, fit, replace(portrait), source_view)
    assert np.array_equal(again.colors, maps.colors)
    assert np.array_equal(again.positions, maps.positions)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["p006"])
def test_real_portraits_build_and_render_back(name, rig):
    shared = os.environ.get("LIVEPITCH_SHARED")
    if not shared:
        pytest.skip("LIVEPITCH_SHARED names no folder of development data")
    portrait = read_portrait(Path(shared) / "data" / "portraits" / "dev" / f"{name}.jpg")
    fit = fit_head(rig, portrait)
    maps, plates = build_maps(rig, fit, portrait, source_view)
    camera = open_renderer("cpu", maps, plates, fit.camera, RenderConfig(256, 256))
    state = FaceState(blendshapes=maps.source - maps.rest)
    covered = camera.coverage(state, source_residual=1.0)
    assert 0.08 < (covered > 0.5).mean() < 0.8
    camera.close()
