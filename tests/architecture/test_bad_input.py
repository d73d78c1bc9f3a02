"""Whatever is typed or given wrongly: one clear line, a status, no traceback, nothing left behind.

Real processes, because the line, the status and what stays on the disk are what a person meets.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from avatar_engine.persona import build_persona
from avatar_engine.portrait import read_photo
from avatar_engine.portrait.detection import detect_faces
from avatar_engine.portrait.landmarks import find_landmarks
from avatar_engine.portrait.networks import default_networks
from tests.support.portrait_scenes import turned, with_closed_eyes, with_mask

ROOT = Path(__file__).parents[2]
FACE = ROOT / "examples" / "face.png"
LIVE = ("sdk.live", "--no-browser", "--port", "0", "--seconds", "1", "--database", "memory")
WITH_PERSONA = (*LIVE, "--persona", "ok.persona")
RENDER = ("avatar_engine", "render", "ok.persona", "-o", "out.mp4")
BENCH = ("avatar_engine", "bench", "ok.persona")
BUILD = ("avatar_engine", "persona", "ok.jpg", "-o", "out.persona")

pytestmark = pytest.mark.xdist_group("bad input")  # one folder of damaged files for all


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str
    left: set[str]


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of everything that can be wrong with a photo, a persona or a catalogue."""
    folder = tmp_path_factory.mktemp("bad input")
    _photos(folder)
    _personas(folder)
    _catalogues(folder)
    return folder


def _photos(folder: Path) -> None:
    photo, networks = read_photo(FACE), default_networks()
    face = find_landmarks(photo, detect_faces(photo, networks)[0], networks)
    small = 80 / face.height
    scenes = {
        "no_face.png": np.full((400, 400, 3), (90, 140, 90), np.uint8),
        "several.png": np.concatenate([photo, photo], 1),
        "tiny.png": cv2.resize(photo, None, fx=small, fy=small, interpolation=cv2.INTER_AREA),
        "profile.png": turned(photo, face.points, 65),
        "closed.png": with_closed_eyes(photo, face.points),
        "blurred.png": cv2.GaussianBlur(photo, (0, 0), 0.02 * face.height),
        "mask.png": with_mask(photo, face.points, (150, 190, 215)),
    }
    for name, scene in scenes.items():
        Image.fromarray(scene).save(folder / name)
    Image.new("1", (10_000, 6_000)).save(folder / "huge.png")
    Image.fromarray(photo).save(folder / "ok.jpg")
    whole = (folder / "ok.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "text.jpg").write_text("hello, not a picture")
    (folder / "empty.jpg").touch()
    (folder / "folder.jpg").mkdir()


def _personas(folder: Path) -> None:
    build_persona(FACE).save(folder / "ok.persona")
    whole = (folder / "ok.persona").read_bytes()
    (folder / "half.persona").write_bytes(whole[: len(whole) // 2])
    for name, place in (("flipped.persona", len(whole) // 2), ("header.persona", 300)):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        (folder / name).write_bytes(flipped)
    (folder / "foreign.persona").write_bytes((folder / "ok.jpg").read_bytes())
    (folder / "empty.persona").touch()


def _catalogues(folder: Path) -> None:
    rows = "sku,title,price\nmug,Stone Mug,18\nlamp,Desk Lamp,cheap\nbag,Canvas Bag,30\n"
    (folder / "some.csv").write_text(rows)
    (folder / "none.csv").write_text("sku,title,price\nmug,Stone Mug,cheap\n")
    (folder / "untitled.csv").write_text("1,2,3\n4,5,6\n")
    (folder / "empty.csv").touch()
    (folder / "noise.csv").write_bytes(b"\x00\xff\xfe\x01" * 50)


def run(folder: Path, *words: str, limit: int | None = None) -> Ended:
    """Run ``python -m WORDS`` there; ``limit`` is the largest file in bytes, as on a full disk."""
    before = _files(folder)

    def set_limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit or 0, limit or 0))

    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=set_limit if limit else None,
    )
    return Ended(done.returncode, done.stdout, done.stderr, _files(folder) - before)


def _files(folder: Path) -> set[str]:
    kept = folder / "kept"
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if kept not in p.parents}


def _environment(folder: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("LIVEPITCH_")}
    kept = str(folder / "kept")
    return own | {"PYTHONPATH": str(ROOT), "LIVEPITCH_CACHE_DIR": kept, "LIVEPITCH_DATA_DIR": kept}


def assert_refused(ended: Ended, *says: str) -> None:
    assert ended.status in (1, 2), ended
    assert "Traceback" not in ended.err
    assert ended.err.count("\n") == 1, f"not one line: {ended.err!r}"
    assert ended.err.endswith("\n")
    assert ended.out == ""
    assert ended.left == set()
    for word in says:
        assert word in ended.err, ended.err


# Said at once -------------------------------------------------------------------------------

TYPED = [
    ((*WITH_PERSONA, "--seconds", "-3"), ("--seconds",)),
    ((*WITH_PERSONA, "--seconds", "nan"), ("--seconds",)),
    ((*WITH_PERSONA, "--seed", "-1"), ("--seed",)),
    ((*WITH_PERSONA, "--port", "70000"), ("--port",)),
    ((*WITH_PERSONA, "--fps", "7"), ("--fps", "48000")),
    ((*WITH_PERSONA, "--size", "512x"), ("--size", "720x1280")),
    ((*WITH_PERSONA, "--renderer", "magic"), ("--renderer", "cpu")),
    ((*WITH_PERSONA, "--output", "show.avi"), ("--output", ".mp4")),
    ((*WITH_PERSONA, "--output", "a.mp4", "--output", "a.mp4"), ("--output", "2 times")),
    ((*WITH_PERSONA, "--output", "gone/a.mp4"), ("--output", "folder")),
    ((*WITH_PERSONA, "--host", "0.0.0.0"), ("--host", "--token")),
    ((*WITH_PERSONA, "--colour", "red"), ("--colour",)),
    ((*LIVE, "--persona", "folder.jpg"), ("folder",)),
    ((*LIVE, "--persona", "gone.jpg"), ("gone.jpg", "exist")),
    ((*RENDER, "--text", "Hi.", "--fps", "0"), ("--fps",)),
    ((*RENDER, "--text", "Hi.", "--fps", "7"), ("--fps", "48000")),
    ((*RENDER, "--text", "Hi.", "--size", "-512x512"), ("--size",)),
    ((*RENDER, "--text", "Hi.", "--speed", "0"), ("--speed",)),
    ((*RENDER, "--text", "Hi.", "--seed", "-1"), ("--seed",)),
    ((*RENDER, "--text", " "), ("--text", "nothing to say")),
    ((*RENDER, "--text", "Hi.", "--turntable"), ("exactly one",)),
    ((*RENDER[:3], "--text", "Hi.", "-o", "out.avi"), ("--output", ".mp4")),
    ((*RENDER[:3], "--text", "Hi.", "-o", "gone/out.mp4"), ("--output", "folder")),
    ((*BUILD[:3], "-o", "ok.jpg"), ("--output", ".persona")),
    ((*BUILD[:3], "-o", "gone/out.persona"), ("--output", "folder")),
    ((*BUILD, "--sheet", "sheet.xyz"), ("--sheet", ".png")),
    ((*BENCH, "--seconds", "nan"), ("--seconds",)),
    ((*BENCH, "--json", "gone/figures.json"), ("--json", "folder")),
    (("avatar_engine", "dance"), ("dance",)),
    (("avatar_engine", "persona"), ("photo",)),
    (("commerce", "dance"), ("dance",)),
    (("commerce", "import"), ("file",)),
    (("commerce", "search", "lamp", "--limit", "0"), ("--limit",)),
    (("commerce", "products", "--database", "folder.jpg"), ("folder.jpg",)),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("words", "says"), TYPED, ids=lambda value: " ".join(value)[-50:])
def test_wrong_usage_is_one_line(words: tuple[str, ...], says: tuple[str, ...], damaged: Path):
    assert_refused(run(damaged, *words), *says)


# Said by the one who looks -------------------------------------------------------------------

PHOTOS = {
    "no_face.png": "no face",
    "several.png": "2 faces",
    "tiny.png": "96",
    "profile.png": "turned",
    "closed.png": "eyes are closed",
    "blurred.png": "blurred",
    "mask.png": "mouth",
    "huge.png": "60 megapixels",
    "cut.jpg": "cut.jpg ends too early",
    "text.jpg": "text.jpg (20 bytes) is not a picture",
    "empty.jpg": "an empty file",
    "folder.jpg": "a folder",
    "gone.jpg": "no such photo",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PHOTOS)
def test_a_bad_photo_builds_no_persona(name: str, damaged: Path):
    ended = run(damaged, "avatar_engine", "persona", name, "-o", "out.persona")
    assert_refused(ended, PHOTOS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["several.png", "cut.jpg", "mask.png"])
def test_a_bad_photo_starts_no_show(name: str, damaged: Path):
    assert_refused(run(damaged, *LIVE, "--persona", name, "--output", "a.mp4"), PHOTOS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["half", "flipped", "header", "foreign", "empty"])
def test_a_damaged_persona_is_refused(name: str, damaged: Path):
    words = ("avatar_engine", "render", f"{name}.persona", "--turntable", "-o", "out.mp4")
    assert_refused(run(damaged, *words), f"{name}.persona")
    if name == "half":
        assert_refused(run(damaged, *LIVE, "--persona", f"{name}.persona"), f"{name}.persona")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((*WITH_PERSONA, "--voice", "espeak:xx"), ("unknown", "'xx'")),
        ((*RENDER, "--text", "Hi.", "--voice", "parrot:en"), ("unknown", "parrot:en")),
        ((*RENDER, "--text", "Hi.", "--renderer", "magic"), ("unknown", "'magic'")),
        ((*RENDER, "--audio", "text.jpg"), ("text.jpg", "no sound")),
        ((*WITH_PERSONA, "--database", "text.jpg"), ("text.jpg", "not a database")),
        ((*WITH_PERSONA, "--catalogue", "none.csv"), ("row 2", "price")),
        ((*WITH_PERSONA, "--catalogue", "untitled.csv"), ("untitled.csv", "title")),
        ((*WITH_PERSONA, "--catalogue", "ok.jpg"), ("ok.jpg", "picture")),
    ],
    ids=lambda value: " ".join(value)[-40:],
)
def test_what_only_the_work_can_find_is_one_line(
    words: tuple[str, ...], says: tuple[str, ...], damaged: Path
):
    assert_refused(run(damaged, *words), *says)


@pytest.mark.parametrize("name", ["untitled.csv", "empty.csv", "noise.csv", "folder.jpg"])
def test_a_hopeless_catalogue_makes_no_database(name: str, damaged: Path):
    assert_refused(run(damaged, "commerce", "import", name, "--database", "shop.db"), name)


def test_rows_that_all_fail_and_commands_that_only_read_make_no_database(damaged: Path):
    ended = run(damaged, "commerce", "import", "none.csv", "--database", "shop.db")
    assert (ended.status, ended.left) == (1, set())
    assert "row 2, column price: 'cheap'" in ended.out
    trial = run(damaged, "commerce", "import", "some.csv", "--dry-run", "--database", "shop.db")
    assert (trial.status, trial.left) == (3, set())
    assert "Would import 2 of 3" in trial.out
    search = run(damaged, "commerce", "search", "mug", "--database", "shop.db")
    assert (search.status, search.left) == (0, set())
    assert "import a file" in search.err


# A full disk, and an end in the middle ------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "limit"),
    [
        (BUILD, 300_000),
        ((*RENDER, "--turntable"), 60_000),
        ((*BENCH, "--seconds", "0.4", "--json", "figures.json"), 100),
    ],
    ids=("persona", "video", "figures"),
)
def test_a_full_disk_leaves_nothing_half_written(words: tuple[str, ...], limit: int, damaged: Path):
    assert_refused(run(damaged, *words, limit=limit))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_while_a_persona_is_built_ends_at_once(number: signal.Signals, tmp_path: Path):
    shutil.copy(FACE, tmp_path / "me.png")
    words = (*LIVE, "--persona", "me.png", "--output", "webrtc")
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=tmp_path,
        env=_environment(tmp_path) | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        deadline = time.monotonic() + 30
        workers: list[str] = []  # the voice's; it is opened just before the photo
        while not workers and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
            workers = _children(process.pid)
        process.send_signal(number if workers else signal.SIGKILL)
        out, err = process.communicate(timeout=60)
    assert workers, err
    assert (process.returncode, out, err) == (0, "", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["me.png"]
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def _children(pid: int) -> list[str]:
    """Of any of its threads."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [child for listed in lists for child in listed.read_text().split()]
