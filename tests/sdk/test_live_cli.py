"""What a person types: light help, clear refusals, nothing left half-written."""

import json
import socket
import subprocess
import sys

import pytest
from PIL import Image

from sdk import LiveSession
from sdk.errors import SettingsError
from sdk.live.cli import app, console
from tests.support.live_process import ROOT

FACE = ROOT / "examples" / "face.png"


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """Personas and data stay in the test's folder, which is also the current one."""
    monkeypatch.setenv("LIVEPITCH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("LIVEPITCH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def refusal(capfd, *arguments: str) -> str:
    """The one line with which a command was refused."""
    with pytest.raises(SystemExit) as ended:
        app([*arguments, "--no-browser"])
    out, err = capfd.readouterr()
    assert ended.value.code == 2, err
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if line.startswith("livepitch: ")]
    assert len(lines) == 1, err
    assert out == ""
    return lines[0]


def test_help_is_light_and_names_every_option(tmp_path):
    code = (
        "import sys, time; began = time.process_time()\n"
        "sys.argv = ['sdk.live', '--help']\n"
        "from sdk.live.cli import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'stripe', 'av', 'aiortc', 'numba', 'numpy'} & set(sys.modules)\n"
        "print(f'{time.process_time() - began:.2f}', ','.join(sorted(heavy)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    seconds, _, heavy = done.stderr.strip().partition(" ")
    assert heavy == ""
    assert float(seconds) < 0.5
    options = (
        "--persona --catalogue --voice --host --port --size --fps --renderer --output --database "
        "--seconds --no-browser --token --consent --json"
    )
    assert [name for name in options.split() if name not in done.stdout] == []


def test_without_a_persona_it_shows_the_help(capfd):
    with pytest.raises(SystemExit) as ended:
        app([])
    assert ended.value.code == 2
    assert "--persona" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--persona", "gone.png"), ("--persona", "gone.png", "does not exist")),
        (("--persona", "."), ("--persona", "is a folder")),
        (("--persona", "{face}", "--catalogue", "gone.csv"), ("--catalogue", "gone.csv")),
        (("--persona", "{face}", "--size", "big"), ("--size", "720x1280")),
        (("--persona", "{face}", "--size", "501"), ("--size", "divide by 8")),
        (("--persona", "{face}", "--output", "gone/x.mp4"), ("--output", "folder")),
        (("--persona", "{face}", "--host", "0.0.0.0"), ("--host", "--token")),
        (("--persona", "{face}", "--host", "no.such.host.invalid", "--token", "12345678",
          "--consent", "the owner"), ("no such address",)),
        (("--persona", "{face}", "--host", "0.0.0.0", "--token", "short"), ("--token", "shorter")),
        (("--persona", "{face}", "--host", "0.0.0.0", "--token", "12345678"), ("--consent",)),
        (("--persona", "{face}", "--voice", "espeak:klingon", "--port", "0"), ("klingon",)),
        (("--persona", "{face}", "--voice", "nobody", "--port", "0"), ("nobody",)),
        (("--persona", "{face}", "--renderer", "magic", "--port", "0"), ("magic",)),
        (("--persona", "{face}", "--fps", "23", "--port", "0"), ("fps", "48000")),
    ],
)  # fmt: skip
def test_what_is_impossible_is_refused_in_one_line(capfd, arguments, words):
    line = refusal(capfd, *(a.format(face=FACE) for a in arguments))
    assert [word for word in words if word not in line] == [], line


def test_a_taken_port_is_named(capfd):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refusal(capfd, "--persona", str(FACE), "--port", str(port))
    assert f"port {port} is taken" in line


def test_bad_photos_and_personas_are_refused_in_one_line(tmp_path, capfd):
    Image.new("RGB", (400, 400), (90, 140, 90)).save(tmp_path / "lawn.png")
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "cut.jpg").write_bytes(FACE.read_bytes()[:2000])
    (tmp_path / "cut.persona").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{}")
    for name in ("lawn.png", "text.png", "cut.jpg", "cut.persona"):
        output = ("--output", "show.mp4", "--seconds", "1")
        line = refusal(capfd, "--persona", name, *output, "--database", "memory")
        assert name in line or "face" in line
    assert not (tmp_path / "show.mp4").exists()
    assert not list((tmp_path / "cache").rglob("*.persona"))


def test_a_catalogue_without_one_usable_row_is_refused_with_row_and_column(tmp_path, capfd):
    (tmp_path / "bad.csv").write_text("sku,title,price\nmug,Mug,cheap\n")
    (tmp_path / "noise.csv").write_bytes(b"\x00\xff\xfe\x01" * 50)
    arguments = ("--persona", str(FACE), "--port", "0", "--catalogue")
    line = refusal(capfd, *arguments, "bad.csv")
    assert "row 2" in line
    assert "price" in line
    assert "noise.csv" in refusal(capfd, *arguments, "noise.csv")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--help",), ("live", "persona", "render", "catalogue", "doctor")),
        (("persona", "--help"), ("photo", "--consent")),
        (("render", "--help"), ("--text", "--turntable")),
        (("catalogue", "--help"), ("import", "search")),
        (("live", "--help"), ("--persona", "--catalogue")),
    ],
)
def test_one_command_holds_all(capfd, arguments, words):
    with pytest.raises(SystemExit) as ended:
        console(arguments, prog_name="livepitch")
    shown = capfd.readouterr().out
    assert not ended.value.code
    assert [word for word in words if word not in shown] == []


@pytest.mark.parametrize(
    "options", [{"fps": 7.0}, {"fps": 0.0}, {"fps": float("nan")}, {"seed": -1}, {"size": "9"}]
)
def test_an_embedded_session_refuses_the_same_options(options):
    (name,) = options
    with pytest.raises(SettingsError, match=f"--{name}"):
        LiveSession(FACE, **options)


def test_settings_come_from_the_environment_too(capfd, monkeypatch):
    monkeypatch.setenv("LIVEPITCH_TOKEN", "short")
    line = refusal(capfd, "--persona", str(FACE))
    assert "shorter" in line


@pytest.mark.slow
def test_it_records_the_show_and_keeps_good_rows(tmp_path, capfd):
    rows = (
        "sku,title,price,stock\nmug,Stone Mug,18,4\nlamp,Desk Lamp,cheap,2\nbag,Canvas Bag,30,1\n"
    )
    (tmp_path / "products.csv").write_text(rows)
    command = ("--persona", str(FACE), "--catalogue", "products.csv", "--output", "show.mp4")
    with pytest.raises(SystemExit) as ended:
        app([*command, "--seconds", "4", "--no-browser", "--size", "256"])
    out, err = capfd.readouterr()
    assert ended.value.code == 0, err
    assert out.split() == ["show.mp4"]
    assert "row 3" in err
    assert "price" in err

    probe = """
import av, json, sys, numpy as np
with av.open(sys.argv[1]) as f:
    pictures = sum(1 for _ in f.decode(video=0)); video = f.streams.video[0]
    size = [video.width, video.height]
with av.open(sys.argv[1]) as f:
    sound = np.concatenate([b.to_ndarray().ravel() for b in f.decode(audio=0)])
print(json.dumps([pictures, size, float(np.sqrt((sound.astype(float) ** 2).mean()))]))
"""
    looked = subprocess.run(
        [sys.executable, "-c", probe, str(tmp_path / "show.mp4")],
        capture_output=True,
        text=True,
        check=True,
    )
    pictures, size, loudness = json.loads(looked.stdout)
    assert size == [256, 256]
    assert 95 <= pictures <= 115
    assert loudness > 0.005


def test_the_doctor_reports_to_people_and_programs(capfd):
    with pytest.raises(SystemExit) as ended:
        app(["doctor", "--json"])
    findings = {finding["name"]: finding for finding in json.loads(capfd.readouterr().out)}
    assert {"python", "codecs", "voices", "renderer", "page", "media"} <= set(findings)
    assert findings["codecs"]["verdict"] == "ok"
    assert ended.value.code == int(any(f["verdict"] == "missing" for f in findings.values()))
