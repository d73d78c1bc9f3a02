"""A public name disappears only together with a line of public_names.json."""

import importlib
import json
from pathlib import Path

import pytest

LISTED = json.loads((Path(__file__).parent / "public_names.json").read_text())


@pytest.mark.parametrize("module", sorted(LISTED))
def test_public_names_are_the_listed_ones(module: str):
    found = importlib.import_module(module)
    assert sorted(found.__all__) == LISTED[module]
    for name in LISTED[module]:
        assert getattr(found, name) is not None
