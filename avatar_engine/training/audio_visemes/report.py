"""The ear's figures: unheard voices, unheard languages, and people."""

from pathlib import Path
from time import process_time
from typing import Any

from avatar_engine.speech import ear
from avatar_engine.speech.spectrum import RATE_HZ
from avatar_engine.training.audio_visemes.measure import Score, measured, table
from avatar_engine.training.audio_visemes.synthesis import HELD_OUT_VARIANTS, Example, Teacher
from avatar_engine.training.audio_visemes.texts import HELD_OUT, LINES

SYNTHETIC_TOLERANCE_S, REAL_TOLERANCE_S = 0.03, 0.06
"""Labels of people come from an alignment that is itself some hundredths of a second off."""


def judged(people: list[Example], weights: Path = ear.SHIPPED) -> dict[str, Any]:
    """Every figure of the model card.

    Args:
        people: Aligned recordings that were not trained on.
        weights: Of the ear.
    """
    teacher = Teacher()
    try:
        voices = {
            language: [
                teacher.say(line, language, variant, words_per_minute=135 + 15 * i)
                for i, variant in enumerate(HELD_OUT_VARIANTS)
            ]
            for language, line in LINES.items()
        }
    finally:
        teacher.close()
    foreign = {tongue.language for tongue in HELD_OUT}
    known = {name: group for name, group in voices.items() if name not in foreign}

    def synthetic(group: list[Example]) -> Score:
        return measured(group, tolerance_s=SYNTHETIC_TOLERANCE_S, weights=weights)

    def human(group: list[Example]) -> Score:
        return measured(group, tolerance_s=REAL_TOLERANCE_S, weights=weights)

    return {
        "delay_ms": round(1000 * ear.DELAY_S, 1),
        "cpu_share": _cpu_share(_joined(voices), weights),
        "unheard_voices": table(
            {name: synthetic(group) for name, group in known.items()}
            | {"all": synthetic(_joined(known))}
        ),
        "unheard_languages": table({name: synthetic(voices[name]) for name in sorted(foreign)}),
        "people": table(
            {example.name: human([example]) for example in people}
            | ({"all": human(people)} if people else {})
        ),
    }


def _joined(groups: dict[str, list[Example]]) -> list[Example]:
    return [example for group in groups.values() for example in group]


def _cpu_share(examples: list[Example], weights: Path) -> float:
    """CPU seconds for each second of sound, given in video frames of 40 ms."""
    step = RATE_HZ // 25
    seconds = 0.0
    began = process_time()
    for example in examples[:12]:
        listening = ear.Ear(RATE_HZ, weights=weights)
        for at in range(0, len(example.pcm), step):
            listening.push(example.pcm[at : at + step])
        listening.flush()
        seconds += len(example.pcm) / RATE_HZ
    return round((process_time() - began) / seconds, 4)
