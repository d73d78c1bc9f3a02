"""A CUDA renderer is shown to people only once it has drawn what the reference draws."""

import functools
import logging

import pytest
import torch

from avatar_engine.errors import RenderError
from avatar_engine.render import RenderConfig, choice, cuda_choice, open_renderer
from avatar_engine.render.cpu.renderer import CpuRenderer
from avatar_engine.render.reference import ReferenceRenderer
from avatar_engine.render.self_check import disagreement
from tests.support.synthetic_head import synthetic_head

CONFIG = RenderConfig(64, 64)
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def head():
    return synthetic_head(64, hair_rows=0)


class WithoutRed(CpuRenderer):
    """Draws a face, but not the right one."""

    def render(self, state, *, source_residual=0.0):
        picture = super().render(state, source_residual=source_residual).copy()
        picture[..., 0] = 0
        return picture


def test_what_agrees_with_the_reference_passes(head) -> None:
    in_float32 = functools.partial(ReferenceRenderer, dtype=torch.float32)
    for pixel_format in ("rgb", "rgba"):
        assert disagreement(in_float32, *head, RenderConfig(64, 64, pixel_format)) is None


def test_what_does_not_says_by_how_much(head) -> None:
    assert "dB from the reference's" in (disagreement(WithoutRed, *head, CONFIG) or "")


@pytest.fixture
def claims_a_gpu(monkeypatch) -> None:
    """A machine where everything seems to be there."""
    monkeypatch.setattr(choice, "has_cuda", lambda: True)
    monkeypatch.setattr(cuda_choice, "has_cuda", lambda: True)
    monkeypatch.setattr(cuda_choice, "missing_for_cuda", lambda kernels: None)


@pytest.mark.usefixtures("claims_a_gpu")
def test_auto_goes_on_without_what_draws_another_face(head, monkeypatch, caplog) -> None:
    monkeypatch.setattr(cuda_choice, "_opener", lambda kernels: WithoutRed)
    with caplog.at_level(logging.WARNING):
        renderer = open_renderer("auto", *head, CONFIG)
    assert type(renderer) is CpuRenderer
    assert len(caplog.records) == 1
    assert "drawn on the CPU" in caplog.text
    assert caplog.text.count("dB from the reference's") == 2  # both kinds were tried


@pytest.mark.usefixtures("claims_a_gpu")
def test_the_second_opinion_draws_where_the_first_is_wrong(head, monkeypatch, caplog) -> None:
    kinds = {"triton": WithoutRed, "gsplat": ReferenceRenderer}
    monkeypatch.setattr(cuda_choice, "_opener", kinds.get)
    renderer = open_renderer("cuda", *head, CONFIG)
    assert type(renderer) is ReferenceRenderer
    assert "the gsplat renderer draws, for triton: its picture is" in caplog.text
    assert renderer.config == CONFIG


@pytest.mark.skipif(torch.cuda.is_available(), reason="here they can run")
@pytest.mark.usefixtures("claims_a_gpu")
def test_what_fails_while_it_opens_is_passed_over(head, caplog) -> None:
    renderer = open_renderer("auto", *head, CONFIG)  # the real ones, without a device
    assert type(renderer) is CpuRenderer
    assert len(caplog.records) == 1
    with pytest.raises(RenderError, match=r"no cuda renderer can draw here \(triton: .*gsplat: "):
        open_renderer("cuda", *head, CONFIG)
