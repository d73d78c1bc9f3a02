"""Fine motion: what is learnt, what is shipped, and how it joins a compensator."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from avatar_engine.codebook.fine_motion import WithFineMotion, load_fine_motion
from avatar_engine.errors import WeightsError
from avatar_engine.head import load_head_rig
from avatar_engine.training.fine_motion import MODES, components
from avatar_engine.training.fine_motion import main as learn
from avatar_engine.types import Chart, SeenHead, weights_of
from avatar_engine.weights import WeightFacts, save_weights
from tests.support.completions import HandMade


def test_the_shipped_modes_move_skin_smoothly_and_nothing_else():
    rig, modes = load_head_rig(), load_fine_motion()
    assert modes.shape == (MODES, 65536, 3)
    skin = rig.chart.ravel() == Chart.SKIN
    assert np.abs(modes[:, ~skin]).max() == 0
    assert 0.01 < np.abs(modes[:, skin]).max() < 1.0  # cm
    grid = modes.reshape(MODES, 256, 256, 3)
    on = skin.reshape(256, 256)
    steps = np.abs(np.diff(grid, axis=2))[:, on[:, 1:] & on[:, :-1]]
    assert np.quantile(steps, 0.99) < 0.03


def test_components_find_what_heads_differ_in():
    rng = np.random.default_rng(0)
    rows, cols = np.mgrid[:64, :64] / 63 - 0.5
    up = np.exp(-20 * (rows**2 + cols**2))
    fields = np.zeros((30, 64, 64, 2))
    amounts = rng.normal(size=30)
    fields[..., 1] = 0.2 * amounts[:, None, None] * up
    modes, share = components(fields, load_head_rig(), 2)
    assert share[0] > 0.99
    wanted = 0.2 * up * np.sqrt((amounts**2).mean())
    assert np.abs(np.abs(modes[0, ..., 1]) - wanted).max() < 0.02
    assert np.abs(modes[1]).max() < 0.02


def test_modes_come_after_those_of_the_inner_compensator_and_no_expression_drives_them():
    n = 65536
    zeros = np.zeros((n, 3), np.float32)
    head = SeenHead(zeros, zeros[:, 0], zeros[:, 0], zeros, zeros, np.zeros(52, np.float32))
    told = WithFineMotion(HandMade(), load_fine_motion()).compensate(head)
    assert len(told.modes) == len(told.drivers) == 2 + MODES
    amounts = told.drivers.amounts(weights_of(jawOpen=1.0, mouthSmile=1.0))
    assert amounts[:2] == pytest.approx([1.0, 1.0])
    assert np.abs(amounts[2:]).max() == 0


def test_weights_of_something_else_are_refused(tmp_path: Path):
    path = tmp_path / "other.safetensors"
    facts = WeightFacts("fine motion", "99", "Apache-2.0", "by hand")
    save_weights(path, {"modes": np.zeros(1, np.float32)}, facts)
    with pytest.raises(WeightsError, match="fine motion 99"):
        load_fine_motion(path)
    with pytest.raises(WeightsError, match="cannot be read"):
        load_fine_motion(tmp_path / "none.safetensors")


def test_the_recipe_asks_for_portraits(tmp_path: Path):
    import typer

    app = typer.Typer()
    app.command()(learn)
    told = CliRunner().invoke(app, ["--data", str(tmp_path)])
    assert told.exit_code == 2
    assert "portraits" in told.output
