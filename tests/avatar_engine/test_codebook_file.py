"""Reading the codebooks, and completing a head with them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from avatar_engine.codebook import NAME, SHIPPED, VERSION, load_compensator
from avatar_engine.errors import WeightsError
from avatar_engine.head import load_head_rig
from avatar_engine.training.codebooks.export import exported
from avatar_engine.training.codebooks.ground import Ground, ground_of
from avatar_engine.training.codebooks.heads import TWINS
from avatar_engine.training.codebooks.learning import Halves
from avatar_engine.types import SeenHead, weights_of
from avatar_engine.weights import WeightFacts, save_weights

N = 256 * 256


@pytest.fixture(scope="module")
def ground() -> Ground:
    return ground_of(load_head_rig())


def _written(folder: Path, ground: Ground, *, name: str = NAME, **halves: bool) -> Path:
    torch.manual_seed(4)
    made = Halves("both")
    with torch.no_grad():
        made.appearance.head.bias.fill_(0.2)
        made.motion.head.bias.fill_(0.1)
    tensors = exported(made, ground, load_head_rig(), trust=ground.skin, **halves)
    path = folder / "codebooks.safetensors"
    save_weights(path, tensors, WeightFacts(name, VERSION, "Apache-2.0", "by a test"))
    return path


@pytest.fixture(scope="module")
def head() -> SeenHead:
    rig = load_head_rig()
    rng = np.random.default_rng(0)
    source = np.zeros(52, np.float32)
    source[rng.integers(52)] = 0.5
    return SeenHead(
        color=rng.uniform(0.3, 0.6, (N, 3)).astype(np.float32),
        seen=(rig.mean[:, 0] > 0).astype(np.float32),
        hairy=np.zeros(N, np.float32),
        positions=rig.mean.copy(),
        residual=np.zeros((N, 3), np.float32),
        source=source,
    )


def test_a_head_keeps_what_the_photo_shows_and_gets_the_rest(
    tmp_path: Path, ground: Ground, head: SeenHead
):
    found = load_compensator(_written(tmp_path, ground)).compensate(head)
    skin = load_head_rig().chart.ravel() == 1
    shown = head.seen > 0
    np.testing.assert_allclose(found.color[shown | ~skin], head.color[shown | ~skin], atol=1e-6)
    changed = np.abs(found.color - head.color).max(1)
    assert np.median(changed[skin & ~shown]) > 0.01
    assert found.modes.shape == (16, N, 3)
    assert found.modes.dtype == np.float32
    assert not found.modes[:, ~skin].any()
    assert np.abs(found.modes[:, skin]).mean() > 1e-3
    assert found.drivers.amounts(head.source).shape == (16,)


def test_a_half_that_is_switched_off_changes_nothing(
    tmp_path: Path, ground: Ground, head: SeenHead
):
    path = _written(tmp_path, ground, motion=False, appearance=False)
    found = load_compensator(path).compensate(head)
    np.testing.assert_array_equal(found.color, head.color)
    assert len(found.modes) == len(found.drivers) == 0


def test_a_head_in_a_mirror_is_completed_as_in_a_mirror(head: SeenHead):
    def flipped(texels):
        return np.ascontiguousarray(texels.reshape(256, 256, -1)[:, ::-1].reshape(texels.shape))

    def turned(vectors):
        return flipped(vectors) * np.array([-1, 1, 1], np.float32)

    other = SeenHead(
        color=flipped(head.color),
        seen=flipped(head.seen),
        hairy=head.hairy,
        positions=turned(head.positions),
        residual=turned(head.residual),
        source=head.source[TWINS],
    )
    here, there = (load_compensator().compensate(x).color for x in (head, other))
    assert np.abs(here - head.color).max() > 0.05
    np.testing.assert_allclose(flipped(there), here, atol=1e-4)


def test_files_that_are_not_the_codebooks_are_refused(tmp_path: Path, ground: Ground):
    with pytest.raises(WeightsError, match="cannot be read"):
        load_compensator(tmp_path / "absent.safetensors")
    path = _written(tmp_path, ground, name="something")
    with pytest.raises(WeightsError, match="needed is 'codebooks 2'"):
        load_compensator(path)
    facts = WeightFacts(NAME, VERSION, "Apache-2.0", "by a test")
    lacking = tmp_path / "lacking.safetensors"
    save_weights(lacking, {"halves": np.ones(2, np.uint8)}, facts)
    with pytest.raises(WeightsError, match="unknown layout"):
        load_compensator(lacking)
    whole = _written(tmp_path, ground).read_bytes()
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(WeightsError, match="altered"):
        load_compensator(damaged)


def test_the_shipped_codebooks_move_faces_a_little_and_keep_lips_together(head: SeenHead):
    assert SHIPPED.stat().st_size < 4e6
    found = load_compensator().compensate(head)
    assert len(found.modes) == 16
    rig = load_head_rig()
    upper, lower = rig.landmarks(found.modes)[:, [13, 14], 1].T  # [16] cm, the inner lips
    for name, least in {"mouthPucker": 0.7, "mouthPress": 0.6, "mouthSmile": 0.7}.items():
        amounts = found.drivers.amounts(weights_of(**{name: least}))
        assert np.abs(amounts @ found.modes.reshape(16, -1)).max() < 0.35
        assert amounts @ (upper - lower) < 0.08  # a build closes lips further than that
    wide = found.drivers.amounts(weights_of(jawOpen=0.7))
    assert np.abs(wide).max() > 0.1
