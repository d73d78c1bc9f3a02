"""What the photo does not show: strands, light, and a head that is closed from every side."""

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes

from avatar_engine.gaussian.light import light_of
from avatar_engine.gaussian.regions import regions_of
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.strands import contrast_of, strands
from avatar_engine.gaussian.view import view_of
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.persona import open_persona
from avatar_engine.portrait import read_portrait
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.types import FaceState

EXAMPLE = Path(__file__).parents[2] / "examples" / "face.png"


@pytest.fixture(scope="module")
def persona():
    return open_persona(EXAMPLE)


def test_strands_run_along_the_rows_and_are_as_strong_as_asked():
    long, short = (strands((128, 128), length=k, contrast=0.1) for k in (1.0, 0.0))
    assert abs(long.mean() - 1) < 0.02
    assert abs(long.std() - 0.1) < 0.02
    step = lambda a, axis: np.abs(np.diff(a, axis=axis)).mean()  # noqa: E731
    assert step(long, 0) < 0.3 * step(long, 1)
    assert step(long, 0) < 0.5 * step(short, 0)
    assert np.array_equal(long, strands((128, 128), length=1.0, contrast=0.1))


def test_contrast_is_measured_within_the_hair_alone():
    flat = np.full((64, 64, 3), 0.4)
    striped = flat.copy()
    striped[:, ::2] += 0.1
    left = np.zeros((64, 64), bool)
    left[:, :32] = True
    beside = np.where(left[..., None], flat, striped)
    assert contrast_of(striped, left) > 0.08
    assert contrast_of(beside, left & (np.arange(64) < 30)) < 0.05


def test_a_light_from_one_side_is_found_and_taken_out():
    rig = load_head_rig()
    portrait = read_portrait(EXAMPLE)
    fit = fit_head(rig, portrait)
    s = Sculpture.started(rig, fit, view_of(portrait, fit.camera), regions_of(rig))
    normal, facing = s.normals(s.source_shape())
    lit = 0.5 * np.exp(0.3 * (normal @ fit.placement[:, :3].T)[:, :1]) * np.ones(3)
    seen = np.clip(facing * 2, 0, 1)
    light = light_of(s, lit, seen, np.ones(len(lit)))
    shown = s.regions.skin & (facing > 0.4) & (s.regions.scalp < 0.1)
    assert np.log(lit[shown]).std() > 0.08
    assert light.without(lit)[shown].std() < 0.02
    assert np.allclose(light.onto(light.without(lit)), lit)


@pytest.mark.parametrize("degrees", [90, 135, 180, 225, 270])
def test_the_head_has_no_hole_from_any_side(persona, degrees):
    config = RenderConfig(256, 256, has_body=False, background=(0, 255, 0))
    camera = open_renderer("cpu", persona.maps, persona.plates, persona.camera, config)
    cover = camera.coverage(FaceState(orbit=np.radians(degrees)))
    camera.close()
    solid = cover > 0.5
    assert solid.sum() > 8000
    assert (binary_fill_holes(solid) & ~solid).sum() < 0.004 * solid.sum()
