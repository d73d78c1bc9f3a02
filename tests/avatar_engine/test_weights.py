import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from avatar_engine.errors import WeightsError
from avatar_engine.weights import (
    LICENCES,
    WeightFacts,
    load_weights,
    save_weights,
    weights_path,
)

FACTS = WeightFacts(name="toy", version="1", licence="MIT AND CC0-1.0", recipe="by hand")
TENSORS = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array([7], np.int16)}


def test_facts_and_arrays_come_back(tmp_path: Path):
    save_weights(tmp_path / "toy.safetensors", TENSORS, FACTS)
    weights = load_weights(tmp_path / "toy.safetensors")
    assert weights.facts == FACTS
    assert set(weights.tensors) == {"a", "b"}
    for name, array in TENSORS.items():
        np.testing.assert_array_equal(weights.tensors[name], array)
        assert weights.tensors[name].dtype == array.dtype


def test_the_same_content_gives_the_same_bytes(tmp_path: Path):
    save_weights(tmp_path / "one.safetensors", TENSORS, FACTS)
    save_weights(tmp_path / "two.safetensors", dict(reversed(TENSORS.items())), FACTS)
    one, two = (tmp_path / f"{n}.safetensors" for n in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("what", ["array", "licence", "version"])
def test_an_altered_file_is_refused(tmp_path: Path, what: str):
    path = tmp_path / "toy.safetensors"
    save_weights(path, TENSORS, FACTS)
    content = bytearray(path.read_bytes())
    if what == "array":
        content[-1] ^= 1
    else:
        old, new = {"licence": (b"CC0-1.0", b"MIT    "), "version": (b'"1"', b'"2"')}[what]
        assert content.count(old) == 1
        content = content.replace(old, new)
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"toy\.safetensors: altered"):
        load_weights(path)


@pytest.mark.parametrize("content", [b"", b"short", b"\x02\0\0\0\0\0\0\0[]", b"\xff" * 64])
def test_a_file_that_is_no_weight_file_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "toy.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="not a weight file of ours"):
        load_weights(path)


def test_half_a_file_is_refused(tmp_path: Path):
    path = tmp_path / "toy.safetensors"
    save_weights(path, TENSORS, FACTS)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(WeightsError, match="not a weight file of ours"):
        load_weights(path)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(WeightsError, match=r"none\.safetensors: cannot be read"):
        load_weights(tmp_path / "none.safetensors")


def test_a_licence_that_forbids_sale_is_refused(tmp_path: Path):
    facts = WeightFacts("toy", "1", "MIT AND CC-BY-NC-4.0", "by hand")
    with pytest.raises(WeightsError, match="CC-BY-NC"):
        save_weights(tmp_path / "toy.safetensors", TENSORS, facts)
    assert not (tmp_path / "toy.safetensors").exists()


def _manifest(folder: Path, **entry: str) -> Path:
    path = folder / "net.tflite"
    path.write_bytes(b"weights of another maker")
    facts = {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "licence": "Apache-2.0",
        "source": "a wheel",
    } | entry
    (folder / "weights.json").write_text(json.dumps({path.name: facts}))
    return path


def test_a_manifest_vouches_for_other_makers_files(tmp_path: Path):
    path = _manifest(tmp_path)
    assert weights_path(path) == path


def test_a_file_unlike_its_manifest_is_refused(tmp_path: Path):
    with pytest.raises(WeightsError, match=r"net\.tflite: altered"):
        weights_path(_manifest(tmp_path, sha256="0" * 64))


def test_an_unknown_licence_in_the_manifest_is_refused(tmp_path: Path):
    with pytest.raises(WeightsError, match="research-only"):
        weights_path(_manifest(tmp_path, licence="research-only"))


def test_a_file_the_manifest_does_not_name_is_refused(tmp_path: Path):
    path = _manifest(tmp_path)
    path.with_name("other.tflite").write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"weights\.json"):
        weights_path(path.with_name("other.tflite"))


def test_every_known_licence_allows_sale():
    assert not any("NC" in name or "research" in name.lower() for name in LICENCES)


def test_reading_weights_needs_no_torch():
    code = "import sys, avatar_engine.weights; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
