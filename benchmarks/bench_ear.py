"""The ear: lip closures found, shapes told apart, lag and cost, by language and by person.

    python benchmarks/bench_ear.py --speech DIR

DIR holds recordings and their ``speech.csv``. Writes benchmarks/results/ear.json.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from avatar_engine.training.audio_visemes.__main__ import JUDGES  # noqa: E402
from avatar_engine.training.audio_visemes.alignment import aligned, read_clips  # noqa: E402
from avatar_engine.training.audio_visemes.report import (  # noqa: E402
    REAL_TOLERANCE_S,
    SYNTHETIC_TOLERANCE_S,
    judged,
)
from avatar_engine.training.audio_visemes.synthesis import Teacher  # noqa: E402
from benchmarks.report import write_result  # noqa: E402

METHOD = (
    "Voices and five languages that were never trained on read sentences that were never trained "
    f"on; a closure counts as found within {1000 * SYNTHETIC_TOLERANCE_S:.0f} ms. People are "
    "recordings that were never trained on, labelled by warping seven readings of their "
    f"transcript onto them, within {1000 * REAL_TOLERANCE_S:.0f} ms. cpu_share is CPU seconds for "
    "a second of sound given in blocks of 40 ms."
)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", type=Path, required=True)
    folder = parser.parse_args().speech
    teacher = Teacher()
    try:
        clips = [c for c in read_clips(folder) if any(judge in c.name for judge in JUDGES)]
        people = [aligned(clip, teacher) for clip in clips if clip.transcript]
    finally:
        teacher.close()
    figures = judged(people)
    for group in ("unheard_voices", "unheard_languages", "people"):
        for name, score in figures[group].items():
            print(f"{group:18} {name:36} {score}")
    print(write_result("ear", figures, method=METHOD))


if __name__ == "__main__":
    main()
