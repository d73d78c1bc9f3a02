"""The .persona file: what goes in comes out, and nothing else is ever opened."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar_engine.errors import PersonaFileError
from avatar_engine.persona import Persona, Provenance, load_persona
from avatar_engine.types import Camera, Drivers, HeadMaps, Plates


@pytest.fixture(scope="module")
def persona():
    rng = np.random.default_rng(0)
    m = 65536 + 256
    modes = np.zeros((55, 65536, 3), np.int16)
    modes[:, :500] = rng.integers(-32767, 32767, (55, 500, 3))
    real = lambda *shape: rng.random(shape).astype(np.float32)  # noqa: E731
    caps = real(m, 2)
    caps[::7] = np.inf
    maps = HeadMaps(
        positions=real(m, 3), modes=modes, mode_scales=real(55), rest=real(52), source=real(52),
        head_weight=real(m), chart=rng.integers(0, 7, m).astype(np.uint8),
        neighbours=rng.integers(0, 16, m).astype(np.uint8), colors=real(m, 3), opacities=real(m),
        sigmas=real(m, 2), tangent_caps=caps, winding=rng.integers(-1, 2, m).astype(np.int8),
        depth_bias=real(m), eye_centers=real(2, 3), eye_radius=1.25, eye_gaze=real(2, 2),
        lid_texels=np.arange(900, dtype=np.int32), lip_upper=np.arange(9, dtype=np.int32),
        lip_lower=np.arange(9, dtype=np.int32), placement=real(3, 4), pivot=real(3),
        drivers=Drivers(
            real(2, 52), np.array([[3, 24], [8, 8], [9, 51]], np.int32), real(3), real(2, 3)
        ),
    )  # fmt: skip
    pixels = lambda *shape: rng.integers(0, 256, shape).astype(np.uint8)  # noqa: E731
    return Persona(
        name="Änne",
        maps=maps,
        plates=Plates(pixels(64, 64, 3), pixels(64, 64, 4)),
        camera=Camera(np.eye(4), np.diag([900.0, 900, 1]), 64, 64),
        thumbnail=pixels(384, 384, 3),
        consent="Änne said yes, for the spring sale",
        provenance=Provenance("0.1.0", "ab" * 32, "2025-01-02T03:04:05+00:00", ("a bit dark",)),
    )


@pytest.fixture(scope="module")
def saved(persona, tmp_path_factory):
    path = tmp_path_factory.mktemp("persona") / "anne.persona"
    persona.save(path)
    return path


def test_everything_comes_back(persona, saved):
    again = load_persona(saved)
    pairs = [(persona.maps, again.maps), (persona.maps.drivers, again.maps.drivers)]
    for before, after in pairs:
        for name in set(before.__dataclass_fields__) - {"drivers"}:
            a, b = getattr(before, name), getattr(after, name)
            assert np.array_equal(a, b), name
            assert np.asarray(a).dtype == np.asarray(b).dtype, name
    assert np.array_equal(again.plates.body, persona.plates.body)
    assert np.array_equal(again.plates.background, persona.plates.background)
    assert np.array_equal(again.thumbnail, persona.thumbnail)
    assert np.array_equal(again.camera.K, persona.camera.K)
    assert (again.name, again.consent) == (persona.name, persona.consent)
    assert again.provenance == persona.provenance


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.999])
def test_a_cut_file_is_refused_in_one_line(saved, tmp_path, share):
    content = saved.read_bytes()
    cut = tmp_path / "cut.persona"
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(PersonaFileError) as caught:
        load_persona(cut)
    assert "\n" not in str(caught.value)
    assert "cut.persona" in str(caught.value)


def test_one_altered_byte_is_refused(saved, tmp_path):
    content = bytearray(saved.read_bytes())
    content[-100_000] ^= 1
    bad = tmp_path / "bad.persona"
    bad.write_bytes(content)
    with pytest.raises(PersonaFileError, match="damaged or was altered"):
        load_persona(bad)


@pytest.mark.parametrize("content", [b"", b"\x89PNG not ours", b"\x10" + b"\0" * 7 + b"{" * 16])
def test_foreign_files_are_refused(tmp_path, content):
    path = tmp_path / "x.persona"
    path.write_bytes(content)
    with pytest.raises(PersonaFileError, match=r"not a \.persona file"):
        load_persona(path)


def _of_format(version: str, saved: Path, path: Path) -> Path:
    content = saved.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"]["format_version"] = version
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
    return path


def test_a_newer_format_says_so(saved, tmp_path):
    with pytest.raises(PersonaFileError, match="upgrade livepitch"):
        load_persona(_of_format("99", saved, tmp_path / "new.persona"))


def test_a_file_of_the_first_format_is_read(persona, tmp_path):
    plain = {"modes": persona.maps.modes[:53], "mode_scales": persona.maps.mode_scales[:53]}
    maps = replace(persona.maps, **plain, drivers=Drivers.none())
    replace(persona, maps=maps).save(tmp_path / "plain.persona")
    again = load_persona(_of_format("1", tmp_path / "plain.persona", tmp_path / "old.persona"))
    assert np.array_equal(again.maps.modes, maps.modes)
    assert len(again.maps.drivers) == 0


@pytest.mark.parametrize("wrong", [{"modes": 54}, {"pairs": 52}])
def test_corrective_modes_that_do_not_fit_are_refused(persona, tmp_path, wrong):
    maps = persona.maps
    if "modes" in wrong:
        maps = replace(maps, modes=maps.modes[:54], mode_scales=maps.mode_scales[:54])
    else:
        pairs = np.full((3, 2), wrong["pairs"], np.int32)
        maps = replace(maps, drivers=replace(maps.drivers, pairs=pairs))
    replace(persona, maps=maps).save(tmp_path / "bad.persona")
    with pytest.raises(PersonaFileError, match="damaged or was altered"):
        load_persona(tmp_path / "bad.persona")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PersonaFileError, match=r"nobody\.persona"):
        load_persona(tmp_path / "nobody.persona")


def test_a_failed_write_leaves_the_old_file_and_no_litter(persona, tmp_path, monkeypatch):
    path = tmp_path / "anne.persona"
    path.write_bytes(b"old")

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(PersonaFileError, match="No space left"):
        persona.save(path)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["anne.persona"]


def test_a_folder_that_is_not_there_is_one_clear_error(persona, tmp_path):
    with pytest.raises(PersonaFileError, match="choose another place"):
        persona.save(tmp_path / "no" / "anne.persona")
