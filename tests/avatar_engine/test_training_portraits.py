"""Portraits become cached heads: the same maps a persona is made of, resumable, no pickle."""

import os
from pathlib import Path

import numpy as np
import pytest
import typer
from scipy.spatial.transform import Rotation
from typer.testing import CliRunner

from avatar_engine.errors import ShapeError
from avatar_engine.gaussian.regions import regions_of
from avatar_engine.head import load_head_rig
from avatar_engine.training.labels.gathering import photos_in
from avatar_engine.training.portraits.__main__ import main
from avatar_engine.training.portraits.cached import CachedHead, load_cached
from avatar_engine.training.portraits.coarse import CoarseGrid
from avatar_engine.training.portraits.gathering import LEFT_OUT, gather
from avatar_engine.training.portraits.index import entries_of, read_index, write_index
from avatar_engine.training.portraits.unwrapping import pose_of
from avatar_engine.types import ARKIT_INDEX, Chart

FACE = Path(__file__).parents[2] / "examples" / "face.png"


def shared_portraits() -> Path:
    root = os.environ.get("LIVEPITCH_SHARED")
    if not root:
        pytest.skip("LIVEPITCH_SHARED is unset: no portraits to read")
    return Path(root) / "data" / "portraits"


def a_shape() -> dict[str, np.ndarray]:
    return {
        "residual": np.full((64, 64, 3), 0.25, np.float16),
        "residual_seen": np.full((64, 64), 255, np.uint8),
        "positions": np.ones((64, 64, 3), np.float16),
        "source": np.zeros(52, np.float16),
        "pose": np.zeros(3, np.float32),
    }


def test_a_cached_head_comes_back_as_it_was(tmp_path: Path) -> None:
    head = CachedHead(**a_shape(), color=np.full((256, 256, 3), 7, np.uint8))
    head.save(tmp_path / "one.npz")
    back = load_cached(tmp_path / "one.npz")
    assert back.color is not None
    assert (back.color == 7).all()
    assert (back.residual == head.residual).all()
    assert back.truth is None
    assert [file.name for file in tmp_path.iterdir()] == ["one.npz"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(ShapeError, match=r"bad\.npz"):
        load_cached(tmp_path / "bad.npz")


def test_a_coarse_map_does_not_mix_the_lips() -> None:
    rig = load_head_rig()
    regions = regions_of(rig)
    grid = CoarseGrid(rig, regions)
    jaw = rig.expression[ARKIT_INDEX["jawOpen"]]
    coarse = grid.of(jaw)
    mean = np.asarray(grid.weights.sum(1)).ravel()
    assert set(np.unique(mean.round(9))) <= {0.0, 1.0}
    # Beside the gap every cell moves as one of the lips does, and not half as far.
    skin = rig.chart.ravel() == Chart.SKIN
    beside = skin & (regions.mouth_distance < 3)
    down = -jaw[beside, 1]
    middle = (down.min() + down.max()) / 2
    rows, cols = np.divmod(np.flatnonzero(beside), 256)
    found = -coarse[rows // 4, cols // 4, 1]
    own = np.where(down > middle, down, np.nan)
    kept = ~np.isnan(own) & (found > middle)
    assert np.abs(found[kept] - own[kept]).mean() < 0.1 * (down.max() - down.min())
    assert coarse.shape == (64, 64, 3)


def test_every_tenth_portrait_and_all_of_dev_are_held_out(tmp_path: Path) -> None:
    photos = [tmp_path / "train" / f"{k:02}.jpg" for k in range(21)]
    photos += [tmp_path / "dev" / "a.jpg"]
    table = tmp_path / "people.csv"
    table.write_text("file,gender,ethnicity\nportraits/dev/a.jpg,female,asian-american\n")
    entries = entries_of(table, photos)
    held = [entry.name for entry in entries if entry.held_out == "yes"]
    assert held == ["train-00", "train-10", "train-20", "dev-a"]
    assert (entries[-1].gender, entries[-1].ethnicity) == ("female", "asian-american")
    write_index(tmp_path, entries[:3])
    write_index(tmp_path, entries[2:])
    assert len(read_index(tmp_path)) == 22


def test_a_table_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("name,age\nA,3\n")
    with pytest.raises(ShapeError, match=r"x\.csv"):
        entries_of(tmp_path / "x.csv", [tmp_path / "a.jpg"])


def test_a_photo_that_cannot_be_read_is_left_out_once(tmp_path: Path) -> None:
    folder, work = tmp_path / "train", tmp_path / "work"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"no picture")
    photos = photos_in([folder])
    reasons: list[str | None] = []
    for _ in range(2):
        missing = gather(
            photos, entries_of(None, photos), work, told=lambda _name, why: reasons.append(why)
        )
        assert missing == 0
    assert reasons[0] is not None
    assert reasons[1] is None
    assert (work / LEFT_OUT).read_text().startswith("train-a,")


def test_pose_is_read_back_from_a_rotation() -> None:
    yaw, pitch, roll = 0.4, -0.2, 0.1
    turn = Rotation.from_euler("YXZ", [yaw, pitch, roll]).as_matrix()
    np.testing.assert_allclose(pose_of(turn), [yaw, pitch, roll], atol=1e-6)


def test_the_command_line_names_what_is_missing(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(main)
    nowhere = CliRunner().invoke(app, ["--photos", str(tmp_path / "x"), "--work", str(tmp_path)])
    assert nowhere.exit_code == 2
    assert "is no folder" in " ".join(nowhere.output.replace("│", " ").split())


def test_a_portrait_is_unwrapped_as_a_persona_is(tmp_path: Path) -> None:
    photos = [FACE]
    assert gather(photos, entries_of(None, photos), tmp_path) == 0
    (file,) = tmp_path.glob("*.npz")
    head = load_cached(file)
    assert head.color is not None
    assert head.seen is not None
    assert head.base is not None
    seen = head.seen > 200
    assert 0.15 < seen.mean() < 0.6
    apart = np.abs(head.color.astype(int) - head.base)[seen]
    assert apart.mean() < 4  # where the photo shows the skin, the build keeps it
    assert (head.base.max(-1)[load_head_rig().chart > 0] > 0).mean() > 0.99
    assert 0.02 < np.abs(head.residual.astype(float)).max() < 1.5
    assert head.residual_seen.max() == 255
    before = file.stat().st_mtime_ns
    assert gather(photos, entries_of(None, photos), tmp_path) == 0
    assert file.stat().st_mtime_ns == before


@pytest.mark.shared
def test_a_small_portrait_gives_its_shape_only(tmp_path: Path) -> None:
    photos = sorted((shared_portraits() / "train225").glob("*.jpg"))[1:2]
    assert gather(photos, entries_of(None, photos), tmp_path) == 0
    (file,) = tmp_path.glob("train225-*.npz")
    head = load_cached(file)
    assert head.color is None
    assert np.isfinite(head.residual).all()
    assert np.abs(head.residual.astype(float)).max() > 0.01
