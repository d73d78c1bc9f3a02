"""The law of the tree, checked from inside the suite too, so that it cannot be skipped."""

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "stripe", "numba", "av", "aiortc", "scipy", "sqlalchemy", "cv2")


def test_import_contracts_hold():
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as c; c()",
            "--no-cache",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("module", ["sdk.live", "avatar_engine", "commerce"])
def test_help_is_light(module: str):
    probe = (
        "import json, runpy, sys, resource\n"
        f"sys.argv = ['python -m {module}', '--help']\n"
        "try:\n"
        f"    runpy.run_module({module!r}, run_name='__main__')\n"
        "except SystemExit as stop:\n"
        "    code = stop.code\n"
        f"heavy = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "print(json.dumps([code or 0, heavy]), file=sys.stderr)\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", probe],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    code, heavy = json.loads(result.stderr.strip().splitlines()[-1])
    assert code == 0
    assert heavy == []
    assert "Usage" in result.stdout


def test_a_show_with_a_kept_persona_loads_nothing_that_makes_one():
    probe = (
        "import json, sys\n"
        "import sdk.live.show\n"
        "makers = ['cv2', 'scipy.ndimage', 'scipy.sparse', 'avatar_engine.gaussian', 'torch']\n"
        "print(json.dumps([m for m in makers if m in sys.modules]))\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", probe],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(result.stdout) == []
