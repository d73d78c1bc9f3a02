"""The reference renderer still draws the pictures that were looked at and kept."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.golden_scenes import GOLDEN, SCENES, draw_all

ARTIFACTS = Path(__file__).parents[1] / "_artifacts"


@pytest.fixture(scope="module")
def drawn():
    torch.set_num_threads(1)
    return draw_all()


@pytest.mark.golden
@pytest.mark.parametrize("name", SCENES)
def test_reference_draws_its_golden(drawn, name: str) -> None:
    expected = np.asarray(Image.open(GOLDEN / f"render_{name}.png"))
    difference = np.abs(drawn[name].astype(int) - expected)
    # One step of rounding may differ between machines' mathematics libraries.
    if difference.max() > 1 or (difference > 0).mean() > 0.001:
        ARTIFACTS.mkdir(exist_ok=True)
        shown = np.concatenate([expected, drawn[name], np.minimum(difference * 8, 255)], 1)
        Image.fromarray(shown.astype(np.uint8)).save(ARTIFACTS / f"render_{name}.png")
        pytest.fail(
            f"{name} changed by up to {difference.max()}: look at tests/_artifacts/render_{name}"
            ".png (expected, actual, difference x 8); run scripts/goldens.py if it is right"
        )


@pytest.mark.golden
def test_no_golden_is_forgotten() -> None:
    kept = {path.stem.removeprefix("render_") for path in GOLDEN.glob("render_*.png")}
    assert kept == set(SCENES)
