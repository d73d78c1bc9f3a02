"""Corrective modes: alike in every renderer, silent in the photo's own view, and cheap."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from avatar_engine.errors import RenderError
from avatar_engine.render import RenderConfig, blend_weights
from avatar_engine.render.cpu import mode_blocks as mode_blocks_
from avatar_engine.render.cpu.packed import pack
from avatar_engine.render.cpu.renderer import CpuRenderer
from avatar_engine.render.gaussians import TorchMaps
from avatar_engine.render.joints import expression_weights
from avatar_engine.render.reference import ReferenceRenderer
from avatar_engine.types import Drivers, FaceState, Motion, weights_of
from tests.support.synthetic_head import synthetic_head, with_corrections

SIZE = 96
torch.set_num_threads(1)
SMILE_AND_JAW = FaceState(weights_of(jawOpen=0.8, mouthSmile=0.6))


@pytest.fixture(scope="module")
def head():
    maps, plates, camera = synthetic_head(SIZE, hair_rows=32)
    return with_corrections(maps), plates, camera


@pytest.mark.parametrize("added", [None, np.array([0.5, -0.2], np.float32)])
def test_cpu_draws_the_references_corrections(head, added):
    config = RenderConfig(SIZE, SIZE)
    state = replace(SMILE_AND_JAW, corrections=added)
    expected = ReferenceRenderer(*head, config).render(state)
    cpu = CpuRenderer(*head, config)
    assert peak_signal_noise_ratio(expected, cpu.render(state)) >= 49
    plain = replace(head[0], modes=head[0].modes[:53], mode_scales=head[0].mode_scales[:53])
    without = CpuRenderer(replace(plain, drivers=Drivers.none()), *head[1:], config)
    assert peak_signal_noise_ratio(expected, without.render(SMILE_AND_JAW)) < 42


def test_renderers_of_one_persona_share_its_modes_until_they_change(head):
    maps = replace(head[0], modes=head[0].modes.copy())
    first, second = pack(maps), pack(replace(maps, opacities=0.5 * maps.opacities))
    assert first.blocks.parts is second.blocks.parts
    maps.modes[:] //= 2
    changed = pack(maps).blocks
    assert changed.parts is not first.blocks.parts
    assert changed.most.max() < 0.6 * first.blocks.most.max()
    key = id(maps.modes)
    assert key in mode_blocks_._made
    del maps
    assert key not in mode_blocks_._made


def test_drivers_add_up_lines_products_and_hinges(head):
    jaw, smile = 0.8, 0.6
    expected = [jaw * jaw - 0.2, 0.5 * smile + 0.7 * jaw * smile]
    weights = expression_weights(head[0], SMILE_AND_JAW, 0.0)
    assert np.allclose(weights[53:], expected, atol=1e-6)
    slight = FaceState(weights_of(jawOpen=0.4))
    assert expression_weights(head[0], slight, 0.0)[53] == 0  # below the hinge


def test_the_photo_is_drawn_as_if_there_were_none(head):
    smiling = weights_of(mouthSmile=0.7, jawOpen=0.9)
    maps = replace(head[0], source=smiling)
    state = FaceState(smiling)
    assert np.abs(expression_weights(maps, state, 1.0)[53:]).max() < 1e-6
    weights, light = blend_weights(maps, head[2], state, 1.0, SIZE, SIZE)
    plain = replace(maps, modes=maps.modes[:53], mode_scales=maps.mode_scales[:53])
    plain = replace(plain, drivers=Drivers.none())
    expected, rest = blend_weights(plain, head[2], state, 1.0, SIZE, SIZE)
    assert np.allclose(light, rest, atol=1e-5)
    assert abs(weights - expected).max() < 1e-4


def test_a_head_may_rest_in_an_expression_that_is_corrected(head):
    maps = replace(head[0], rest=weights_of(mouthSmile=0.5))
    config = RenderConfig(SIZE, SIZE)
    expected = ReferenceRenderer(maps, *head[1:], config).render(SMILE_AND_JAW)
    actual = CpuRenderer(maps, *head[1:], config).render(SMILE_AND_JAW)
    assert peak_signal_noise_ratio(expected, actual) >= 49


def test_gradients_reach_the_corrective_modes(head):
    posed = TorchMaps(head[0], dtype=torch.float64)
    posed.modes.requires_grad_()
    weights = torch.as_tensor(expression_weights(head[0], SMILE_AND_JAW, 0.0))[None]
    posed.express(weights).square().sum().backward()
    assert posed.modes.grad is not None
    assert float(posed.modes.grad[54].abs().max()) > 0


def test_corrections_of_another_persona_are_refused(head):
    state = FaceState(corrections=np.zeros(5, np.float32))
    with pytest.raises(RenderError, match="5 corrections"):
        CpuRenderer(*head, RenderConfig(SIZE, SIZE)).render(state)


def test_motion_carries_corrections_frame_by_frame():
    zeros = np.zeros((3, 52), np.float32)
    amounts = np.arange(6, dtype=np.float32).reshape(3, 2)
    motion = Motion(zeros, zeros[:, :3], zeros[:, :3], zeros[:, :2], corrections=amounts)
    assert np.array_equal(motion[1].corrections, [2, 3])
    assert replace(motion, corrections=None)[1].corrections is None
