"""The command line, run as a user runs it."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import Result
from typer.testing import CliRunner

from commerce.cli import app
from tests.support.shops import EXAMPLES, written

ROOT = EXAMPLES.parent


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The command line in a folder of its own, with a clean environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("LIVEPITCH_")]:
        monkeypatch.delenv(name)

    def call(*words: str, **environment: str) -> Result:
        return CliRunner().invoke(app, words, env=environment, catch_exceptions=False)

    return call


def test_import_list_and_search(run, tmp_path):
    imported = run("import", str(EXAMPLES / "catalogue.csv"))
    assert (imported.exit_code, imported.stderr.strip()) == (0, "")
    assert "Imported 12 of 12 rows: 12 new" in imported.stdout
    assert (tmp_path / "livepitch.db").exists()
    again = run("import", str(EXAMPLES / "catalogue.csv"), "--json")
    report = json.loads(again.stdout)
    assert (report["unchanged"], report["rejected"], report["is_dry_run"]) == (12, 0, False)
    listed = json.loads(run("products", "--in-stock", "--json").stdout)
    assert len(listed) == 11
    assert listed[0]["price"] == {"minor": 3990, "currency": "USD"}
    found = run("search", "headphones under 50")
    assert "headphones-loft" in found.stdout
    assert "Answer: " in found.stdout
    quiet = json.loads(run("search", "lol", "--json").stdout)
    assert quiet == {"candidates": [], "answer": None}


def test_bad_rows_are_listed_and_the_status_says_so(run, tmp_path):
    path = written(tmp_path, "title,price\nGood,5\nBad,cheap\n")
    done = run("import", str(path), "--dry-run", "--database", "x.db")
    assert done.exit_code == 3
    assert "row 3, column price: 'cheap' is not a price" in done.stdout
    assert "Would import 1 of 2 rows" in done.stdout
    hopeless = run("import", str(written(tmp_path, "title,price\nBad,cheap\n")))
    assert hopeless.exit_code == 1
    assert "no row could be imported" in hopeless.stderr


@pytest.mark.parametrize(
    ("words", "environment", "message"),
    [
        (("import", "missing.csv"), {}, "is not there"),
        (("import", "broken.csv"), {}, "is a spreadsheet workbook"),
        (("products", "--database", "no/such/folder/x.db"), {}, "cannot be opened"),
        (("products", "--database", "broken.csv"), {}, "is not a database file"),
        (("products",), {"LIVEPITCH_CURRENCY": "doubloons"}, "LIVEPITCH_CURRENCY"),
        (("products",), {"LIVEPITCH_DATABASE_URL": "oracle://x"}, "not supported"),
    ],
)
def test_failures_are_one_line_and_leave_nothing_behind(words, environment, message, run, tmp_path):
    (tmp_path / "broken.csv").write_bytes(b"PK\x03\x04" + bytes(range(256)) * 20)
    done = run(*words, **environment)
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_hopeless_file_makes_no_database(run, tmp_path):
    run("import", "missing.csv")
    assert list(tmp_path.iterdir()) == []


def test_help_is_light():
    code = (
        "import sys, runpy; sys.argv = ['commerce', '--help']\n"
        "try: runpy.run_module('commerce', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'jinja2', 'alembic', 'pydantic', 'rapidfuzz'} & set(sys.modules)\n"
        "print('HEAVY', sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "HEAVY []" in done.stdout
    for command in ("import", "search", "products"):
        assert command in done.stdout


def test_wrong_usage_has_its_own_status(run):
    assert run("import").exit_code == 2
    assert run("search", "x", "--limit", "0").exit_code == 2


def test_the_module_itself_ends_cleanly_on_a_failure(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "commerce", "products", "--database", "no/such/folder/x.db"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "Error: database no/such/folder/x.db cannot be opened; check that its folder exists\n"
    )
