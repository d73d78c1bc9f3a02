"""The numpy networks against the torch ones they were exported from."""

import numpy as np
import pytest
import torch

from avatar_engine.codebook import arithmetic
from avatar_engine.codebook.appearance import AppearanceCodebook
from avatar_engine.codebook.file import drivers_of
from avatar_engine.codebook.motion import MotionCodebook
from avatar_engine.codebook.plan import APPEARANCE_PLANES, PERSON_PLANES, PLACE_PLANES
from avatar_engine.head import load_head_rig
from avatar_engine.training.codebooks.export import exported
from avatar_engine.training.codebooks.ground import ground_of
from avatar_engine.training.codebooks.learning import Halves


@pytest.fixture(scope="module")
def halves() -> Halves:
    torch.manual_seed(0)
    made = Halves("both").eval()
    with torch.no_grad():
        for name, value in made.named_parameters():
            if name.endswith(("head.weight", "head.bias", "products")):
                value.normal_(0, 0.1)
        for value in made.state_dict().values():
            if value.dtype.is_floating_point:
                value.copy_(value.half().float())
    return made


@pytest.fixture(scope="module")
def layers(halves: Halves) -> dict[str, np.ndarray]:
    rig = load_head_rig()
    ground = ground_of(rig)
    tensors = exported(halves, ground, rig, trust=ground.skin)
    return {name: np.asarray(value, np.float32) for name, value in tensors.items()}


def test_both_halves_say_the_same_in_numpy_and_in_torch(halves, layers):
    rng = np.random.default_rng(1)
    fields = rng.normal(0, 0.3, (3, 3, 32, 32)).astype(np.float32)
    person = rng.normal(0, 0.5, (1, PERSON_PLANES, 32, 32)).astype(np.float32)
    with torch.no_grad():
        wanted = halves.motion(torch.from_numpy(fields), torch.from_numpy(person))
    found, heard = MotionCodebook(layers).compensate(fields, person)
    np.testing.assert_allclose(found, wanted.total.numpy(), atol=2e-4)
    for scale, tokens in heard.items():
        np.testing.assert_allclose(tokens, wanted.tokens[scale].numpy(), atol=2e-4)

    planes = APPEARANCE_PLANES + PLACE_PLANES
    seen = rng.normal(0, 0.5, (3, planes, 128, 128)).astype(np.float32)
    with torch.no_grad():
        colors = halves.appearance(torch.from_numpy(seen), wanted.tokens).total.numpy()
    np.testing.assert_allclose(
        AppearanceCodebook(layers).compensate(seen, heard), colors, atol=3e-4
    )
    assert np.abs(colors).mean() > 0.01


def test_drivers_say_the_same_in_numpy_and_in_torch(halves, layers):
    weights = np.random.default_rng(2).uniform(0, 1, (5, 52)).astype(np.float32)
    drivers = drivers_of(layers)
    with torch.no_grad():
        wanted = halves.driving(torch.from_numpy(weights)).numpy()
    for one, amounts in zip(weights, wanted, strict=True):
        np.testing.assert_allclose(drivers.amounts(one), amounts, atol=1e-4)
    assert not drivers.amounts(np.zeros(52)).any()


@pytest.mark.parametrize(("name", "twin"), [("gelu", "gelu"), ("softmax", "softmax")])
def test_functions_are_those_of_torch(name: str, twin: str):
    x = np.random.default_rng(3).normal(0, 3, (4, 7)).astype(np.float32)
    options = {"approximate": "tanh"} if name == "gelu" else {"dim": -1}
    wanted = getattr(torch.nn.functional, twin)(torch.from_numpy(x), **options).numpy()
    np.testing.assert_allclose(getattr(arithmetic, name)(x.copy()), wanted, atol=1e-6)


def test_sizes_change_as_in_torch():
    x = np.random.default_rng(4).normal(size=(2, 8, 6, 6)).astype(np.float32)
    at = torch.from_numpy(x)
    up = torch.nn.functional.interpolate(at, scale_factor=2, mode="bilinear", align_corners=False)
    np.testing.assert_allclose(arithmetic.doubled(x), up.numpy(), atol=1e-6)
    half = torch.nn.functional.avg_pool2d(at, 2).numpy()
    np.testing.assert_allclose(arithmetic.halved(x), half, atol=1e-6)
    shuffled = torch.nn.functional.pixel_shuffle(at, 2).numpy()
    np.testing.assert_array_equal(arithmetic.shuffled(x), shuffled)
    np.testing.assert_array_equal(arithmetic.unshuffled(shuffled), x)
