"""``python -m avatar_engine.training.audio_visemes [--speech DIR] [--minutes N] [-o FILE]``."""

import json
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from avatar_engine.speech.ear import SHIPPED, VERSION
from avatar_engine.training.audio_visemes.alignment import aligned, read_clips
from avatar_engine.training.audio_visemes.batches import (
    BatchProcess,
    batches,
    keep_examples,
    read_examples,
)
from avatar_engine.training.audio_visemes.learning import learn
from avatar_engine.training.audio_visemes.network import EarNetwork, exported
from avatar_engine.training.audio_visemes.report import judged
from avatar_engine.training.audio_visemes.synthesis import Example, Teacher
from avatar_engine.weights import WeightFacts, save_weights

FACTS = WeightFacts(
    name="ear",
    version=VERSION,
    licence="Apache-2.0",
    recipe="python -m avatar_engine.training.audio_visemes --speech DIR",
)
JUDGES = ("picovoice", "aishell", "ljspeech_LJ001-0007", "ljspeech_LJ001-0008")
"""Recordings that are only measured with, never trained on."""

_REAL_SHARE = 0.25


def main(
    speech: Annotated[
        Path | None, typer.Option(help="Folder of recordings with speech.csv; mixed in.")
    ] = None,
    work: Annotated[Path, typer.Option(help="Where checkpoints lie.")] = Path("ear-training"),
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = SHIPPED,
    minutes: Annotated[float, typer.Option(min=0.0, help="Training time, all runs together.")] = 30,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    measures: Annotated[Path | None, typer.Option("--json", help="Also write figures.")] = None,
    smoke: Annotated[bool, typer.Option(help="A few seconds, to see that it runs.")] = False,
) -> None:
    """Teach the ear on synthetic speech with exact labels, and on recordings."""
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("listening to recordings", total=None)
        people = _people(speech, work) if speech is not None else []
        pupils = [e for e in people if not any(judge in e.name for judge in JUDGES)]
        settings = {"seed": seed, "real": pupils, "real_share": _REAL_SHARE}
        checkpoint = work / "checkpoint.pt"
        network = EarNetwork()
        progress.update(task, description="teaching", total=1.0)

        def report(step: int, share: float, loss: float) -> None:
            progress.update(task, description=f"step {step}, loss {loss:.3f}", completed=share)

        if smoke:
            source = batches(examples=8, size=2, **settings)  # type: ignore[arg-type]
            learn(network, source, checkpoint, minutes=min(minutes, 0.3), report=report)
        else:
            making = BatchProcess(examples=950, size=24, **settings)  # type: ignore[arg-type]
            try:
                learn(network, making, checkpoint, minutes=minutes, report=report)
            finally:
                making.close()
        save_weights(output, exported(network), FACTS)
    if measures is not None:
        figures = judged([e for e in people if e not in pupils], output)
        measures.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")


def _people(speech: Path, work: Path) -> list[Example]:
    """Recordings with a transcript, aligned; kept, since that takes half a minute."""
    kept = work / "recordings.npz"
    examples = read_examples(kept)
    if not examples:
        teacher = Teacher()
        try:
            clips = [clip for clip in read_clips(speech) if clip.transcript]
            examples = [aligned(clip, teacher) for clip in clips]
        finally:
            teacher.close()
        keep_examples(kept, examples)
    return examples


if __name__ == "__main__":
    typer.run(main)
