"""The README's commands, run as they are written, on copies of the example files."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^\.venv/bin/python (-m .*)$", README, re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("newcomer")
    shutil.copytree(ROOT / "examples", made / "examples")
    shutil.copy(ROOT / "examples" / "face.png", made / "me.jpg")
    shutil.copy(ROOT / "examples" / "catalogue.csv", made / "products.csv")
    shutil.copytree(ROOT / "examples" / "products", made / "products")
    return made


def test_the_readme_shows_every_program():
    programs = {command.split()[1] for command in COMMANDS}
    assert programs == {"sdk.live", "avatar_engine", "commerce"}


@pytest.mark.slow
def test_the_commands_of_the_readme_run_in_their_order(folder: Path):
    for command in COMMANDS:  # one test: a command may use what an earlier one made
        _run(command, folder)


def _run(command: str, folder: Path) -> None:
    words = shlex.split(command, comments=True)
    if words[1] == "sdk.live":  # a show without an end, opened in a browser, on the usual port
        words += [] if "--seconds" in words else ["--seconds", "2"]
        words += [] if "--no-browser" in words else ["--no-browser"]
        words += ["--port", "0"]
    result = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    assert "Traceback" not in result.stderr
    for word in words:
        if word.endswith((".persona", ".mp4")):
            assert (folder / word).stat().st_size > 10_000


@pytest.mark.slow
def test_the_python_of_the_readme_runs(folder: Path):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
