"""``python -m avatar_engine.training.labels --portraits DIR [--portraits DIR] [-o FILE]``."""

import statistics
from pathlib import Path
from time import monotonic
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from avatar_engine.portrait.convolution import Layers
from avatar_engine.portrait.labels import WEIGHTS
from avatar_engine.training.labels.gathering import gather, photos_in
from avatar_engine.training.labels.hand import HAND, read_notes
from avatar_engine.training.labels.learning import Learner, Schedule
from avatar_engine.training.labels.scoring import score_folder
from avatar_engine.weights import WeightFacts, save_weights

FACTS = WeightFacts(
    name="labels",
    version="1",
    licence="Apache-2.0",
    recipe="python -m avatar_engine.training.labels --portraits DIR --portraits DIR",
)
_SMOKE = Schedule(steps=24, batch=4, rate=4e-3)


def main(
    portraits: Annotated[
        list[Path], typer.Option(help="Folder of .jpg or .png faces; repeatable.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = WEIGHTS,
    work: Annotated[Path, typer.Option(help="Keeps crops and checkpoint.")] = Path("build/labels"),
    held_out: Annotated[
        Path | None, typer.Option(help="Folder of the people drawn by hand.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1)] = Schedule().steps,
    minutes: Annotated[float, typer.Option(help="Stop and keep after this long.")] = float("inf"),
    threads: Annotated[int, typer.Option(min=1)] = 1,
    smoke: Annotated[bool, typer.Option(help="A few steps, only to see the loss fall.")] = False,
) -> None:
    """Train the label network; call again to go on where it was interrupted."""
    until = monotonic() + 60 * minutes
    torch.set_num_threads(threads)
    for folder in portraits:
        if not folder.is_dir():
            raise typer.BadParameter(f"{folder} is no folder")
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        photos = photos_in(portraits)
        task = progress.add_task("labelling portraits", total=len(photos))
        examples, odds, left_out = gather(
            photos, read_notes(HAND), work, lambda: progress.advance(task)
        )
        if not examples:
            raise typer.BadParameter("the folders hold no usable portrait")
        schedule = _SMOKE if smoke else Schedule(steps=steps)
        learner = Learner(examples, odds, schedule)
        file = None if smoke else work / "checkpoint.pt"
        if file is not None and file.exists():
            learner.resume(file)
        task = progress.add_task("learning", total=schedule.steps, completed=learner.step)
        losses: list[float] = []

        def told(step: int, loss: float) -> None:
            losses.append(loss)
            mean = statistics.mean(losses[-20:])
            progress.update(task, completed=step + 1, description=f"learning, loss {mean:.3f}")

        learner.run(until=until, file=file, told=told)
    for reason in left_out:
        console.print(f"left out {reason}", highlight=False)
    if losses:
        console.print(f"loss {losses[0]:.3f} at first, {statistics.mean(losses[-6:]):.3f} at last")
    if learner.step < schedule.steps:
        console.print(f"step {learner.step} of {schedule.steps}; call again to go on")
        return
    folded = learner.mean.eval().folded()
    if not smoke:
        save_weights(output, folded, FACTS)
        console.print(f"wrote {output.name}, {output.stat().st_size / 1e6:.2f} MB")
    if held_out is not None:
        layers: Layers = {name: array.astype(np.float32) for name, array in folded.items()}
        for kind, (mean, count) in score_folder(held_out, layers).items():
            console.print(f"{kind}: intersection over union {mean:.3f} on {count} people")


if __name__ == "__main__":
    typer.run(main)
