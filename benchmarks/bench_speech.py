"""The voice and the muscles: how soon they start, what they cost, how loud they are.

    python benchmarks/bench_speech.py [--tries 20]

Writes benchmarks/results/speech.json.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from avatar_engine.motion import Performer  # noqa: E402
from avatar_engine.speech import open_voice  # noqa: E402
from avatar_engine.speech.espeak import EspeakVoice  # noqa: E402
from avatar_engine.types.speech import SpeechChunk  # noqa: E402
from benchmarks.report import write_result  # noqa: E402
from benchmarks.voice_figures import sound_figures  # noqa: E402

METHOD = (
    "First-chunk latency is wall time from speak() to the first chunk of a warm voice; costs are "
    "CPU time of this process and of the voice's own; active level is that of 10 ms blocks within "
    "20 dB of the loudest; LUFS after BS.1770; motion is the median frame in process time."
)
LINES = {
    "espeak:en-us": "Hello everyone! This serum costs $49.90 today, and only twelve are left.",
    "espeak:es": "¡Hola a todos! Este sérum cuesta hoy 49,90 €, y solo quedan doce.",
    "espeak:pt-br": "Olá pessoal! Este sérum custa R$ 49,90 hoje, e restam só doze.",
    "espeak:de": "Hallo zusammen! Dieses Serum kostet heute 49,90 €, und nur zwölf sind noch da.",
    "espeak:cmn": "大家好！这款精华今天只要¥199，只剩十二瓶了。",
    "espeak:ko": "안녕하세요! 이 세럼은 오늘 49,900원이고 열두 개만 남았어요.",
    "espeak:en-us+f3": "Hello everyone! This serum costs $49.90 today, and only twelve are left.",
}


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _sound_figures(pcm: np.ndarray) -> dict[str, float]:
    sound = pcm.astype(np.float64) / 32768
    blocks = sound[: len(sound) // 480 * 480].reshape(-1, 480)
    levels = np.sqrt((blocks**2).mean(axis=1))
    active = levels[levels > 0.1 * levels.max()]
    return {
        "active_rms_dbfs": round(20 * float(np.log10(np.sqrt((active**2).mean()))), 1),
        "peak_dbfs": round(20 * float(np.log10(np.abs(sound).max())), 1),
        "clipped_samples": int((np.abs(pcm.astype(int)) >= 32767).sum()),
    } | sound_figures(pcm)


def _measure_voice(name: str, text: str, tries: int) -> tuple[dict[str, Any], list[SpeechChunk]]:
    begin = time.perf_counter()
    voice = open_voice(name)
    open_ms = (time.perf_counter() - begin) * 1e3
    assert isinstance(voice, EspeakVoice)
    firsts, chunks = [], list(voice.speak(text))
    ours, theirs = time.process_time(), _cpu_s(voice.worker_pid)
    for _ in range(tries):
        begin = time.perf_counter()
        spoken = voice.speak(text)
        chunks = [next(spoken)]
        firsts.append((time.perf_counter() - begin) * 1e3)
        chunks += list(spoken)
    ours, theirs = time.process_time() - ours, _cpu_s(voice.worker_pid) - theirs
    seconds = tries * (chunks[-1].start_s + len(chunks[-1].pcm) / 48_000)
    figures = {
        "open_ms": round(open_ms, 1),
        "first_chunk_ms_p50": round(statistics.median(firsts), 2),
        "first_chunk_ms_p95": round(float(np.percentile(firsts, 95)), 2),
        "cpu_ms_per_second_of_speech": round(1e3 * ours / seconds, 2),
        "worker_cpu_ms_per_second_of_speech": round(1e3 * theirs / seconds, 2),
        "worker_resident_mb": round(_resident_mb(voice.worker_pid), 1),
        **_sound_figures(np.concatenate([chunk.pcm for chunk in chunks])),
    }
    voice.close()
    return figures, chunks


def _measure_motion(chunks: list[SpeechChunk], text: str) -> dict[str, float]:
    performer = Performer(seed=0)
    performer.begin(0.0, text)
    for chunk in chunks:
        performer.feed(chunk.phonemes, chunk.words, chunk.pcm)
    end = int(chunks[-1].start_s * 25)
    costs = []
    for index in range(end + 500):
        begin = time.process_time()
        performer.state(index)
        costs.append((time.process_time() - begin) * 1e3)
    return {
        "speaking_cpu_ms_per_frame": round(statistics.median(costs[:end]), 3),
        "idle_cpu_ms_per_frame": round(statistics.median(costs[end + 100 :]), 3),
    }


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=20)
    tries = parser.parse_args().tries
    voices = {}
    motion: dict[str, float] = {}
    for name, text in LINES.items():
        voices[name], chunks = _measure_voice(name, text, tries)
        motion = motion or _measure_motion(chunks, text)
        print(name, voices[name])
    print("motion", motion)
    write_result("speech", {"voices": voices, "motion": motion}, method=METHOD)


if __name__ == "__main__":
    main()
