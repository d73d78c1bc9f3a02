"""``python -m sdk.live`` as a process of its own, and a Chromium to look at it."""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FACE, CATALOGUE = ROOT / "examples" / "face.png", ROOT / "examples" / "catalogue.csv"
ARTIFACTS = ROOT / "tests" / "_artifacts"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]
# Keeps every connection where tests can ask it for its statistics.
WATCH_PEERS = """
window.peers = [];
const Real = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Real {
  constructor(...args) { super(...args); window.peers.push(this); }
};
"""
MEDIA_STATS = """async () => {
  const peer = window.peers.at(-1);
  const found = { state: peer?.connectionState, frames: 0, width: 0, height: 0, energy: 0 };
  for (const r of (await peer?.getStats() ?? new Map()).values()) {
    if (r.type !== 'inbound-rtp') continue;
    if (r.kind === 'audio') found.energy = r.totalAudioEnergy ?? 0;
    else {
      found.frames = r.framesDecoded ?? 0;
      found.width = r.frameWidth;
      found.height = r.frameHeight;
    }
  }
  return found;
}"""


class LiveProcess:
    """A running server; ``log`` holds what it wrote to standard error."""

    def __init__(self, command: list[str], env: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as err:
            self.process = subprocess.Popen(
                command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=err, text=True
            )
        self.announced = json.loads(self._first_line(timeout_s=240))
        self.url: str = self.announced["url"]

    def _first_line(self, timeout_s: float) -> str:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], timeout_s)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.process.kill()
            self.process.wait()
            raise AssertionError(
                f"no address within {timeout_s} s:\n{self.log.read_text()[-3000:]}"
            )
        return line

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            if self.process.stdout is not None:
                self.process.stdout.close()
        return status


@contextlib.contextmanager
def live_process(folder: Path, *options: str) -> Iterator[LiveProcess]:
    """Start the server; personas and data stay below ``folder``."""
    env = {
        **os.environ,
        "LIVEPITCH_CACHE_DIR": str(folder / "cache"),
        "LIVEPITCH_DATA_DIR": str(folder / "data"),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "sdk.live", "--json", "--no-browser", *options]
    server = LiveProcess(command, env, folder / "server.log")
    try:
        yield server
    finally:
        server.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def chromium_path() -> str:
    """Where Chromium is; without it the test is skipped, in CI it fails."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        reason = "no Chromium on this machine (apt-get install chromium)"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@contextlib.contextmanager
def chromium(*more: str) -> Iterator["object"]:
    """A headless browser, perhaps with more switches."""
    from playwright.sync_api import sync_playwright

    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, headless=True, args=[*CHROMIUM_ARGS, *more]
        )
        try:
            yield browser
        finally:
            browser.close()


def wait_for(look, what: str, timeout_s: float = 45.0):
    """What ``look`` returns once it is true."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {timeout_s} s: {what}")
