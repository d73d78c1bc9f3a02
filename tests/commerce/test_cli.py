"""The command line, run as a user runs it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.shops import EXAMPLES, written

ROOT = EXAMPLES.parent


def run(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = {key: value for key, value in os.environ.items() if not key.startswith("LIVEPITCH_")}
    return subprocess.run(
        [sys.executable, "-m", "commerce", *words],
        cwd=cwd,
        env={**settings, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_import_list_and_search(tmp_path):
    imported = run("import", str(EXAMPLES / "catalogue.csv"), cwd=tmp_path)
    assert (imported.returncode, imported.stderr.strip()) == (0, "")
    assert "Imported 12 of 12 rows: 12 new" in imported.stdout
    assert (tmp_path / "livepitch.db").exists()
    again = run("import", str(EXAMPLES / "catalogue.csv"), "--json", cwd=tmp_path)
    report = json.loads(again.stdout)
    assert (report["unchanged"], report["rejected"], report["is_dry_run"]) == (12, 0, False)
    listed = json.loads(run("products", "--in-stock", "--json", cwd=tmp_path).stdout)
    assert len(listed) == 11
    assert listed[0]["price"] == {"minor": 3990, "currency": "USD"}
    found = run("search", "headphones under 50", cwd=tmp_path)
    assert "headphones-loft" in found.stdout
    assert "Answer: " in found.stdout
    quiet = json.loads(run("search", "lol", "--json", cwd=tmp_path).stdout)
    assert quiet == {"candidates": [], "answer": None}


def test_bad_rows_are_listed_and_the_status_says_so(tmp_path):
    path = written(tmp_path, "title,price\nGood,5\nBad,cheap\n")
    done = run("import", str(path), "--dry-run", "--database", "x.db", cwd=tmp_path)
    assert done.returncode == 3
    assert "row 3, column price: 'cheap' is not a price" in done.stdout
    assert "Would import 1 of 2 rows" in done.stdout
    hopeless = run("import", str(written(tmp_path, "title,price\nBad,cheap\n")), cwd=tmp_path)
    assert hopeless.returncode == 1
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
def test_failures_are_one_line_and_leave_nothing_behind(words, environment, message, tmp_path):
    (tmp_path / "broken.csv").write_bytes(b"PK\x03\x04" + bytes(range(256)) * 20)
    done = run(*words, cwd=tmp_path, **environment)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_hopeless_file_makes_no_database(tmp_path):
    run("import", "missing.csv", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_help_is_light(tmp_path):
    code = (
        "import sys, runpy; sys.argv = ['commerce', '--help']\n"
        "try: runpy.run_module('commerce', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'jinja2', 'alembic', 'pydantic', 'rapidfuzz'} & set(sys.modules)\n"
        "print('HEAVY', sorted(heavy))"
    )
    started = time.process_time()
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "HEAVY []" in done.stdout
    for command in ("import", "search", "products"):
        assert command in done.stdout
    assert time.process_time() - started < 5


def test_wrong_usage_has_its_own_status(tmp_path):
    assert run("import", cwd=tmp_path).returncode == 2
    assert run("search", "x", "--limit", "0", cwd=tmp_path).returncode == 2
