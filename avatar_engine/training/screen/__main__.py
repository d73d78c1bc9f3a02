"""``python -m avatar_engine.training.screen --photos DIR --work DIR [--minutes N]``."""

import statistics
from pathlib import Path
from time import monotonic
from typing import Annotated

import torch
import typer
from rich.console import Console

from avatar_engine.codebook.screen.config import COMPACT, FULL
from avatar_engine.codebook.screen.loading import SHIPPED, save_generator
from avatar_engine.training.features.learning import load_features
from avatar_engine.training.features.network import PerceptualDistance
from avatar_engine.training.screen.gathering import gather, photos_in, read_records
from avatar_engine.training.screen.learning import Learner, Schedule
from avatar_engine.training.screen.measuring import improve

_TOLD_EVERY = 20


def main(
    photos: Annotated[Path, typer.Option(help="Folder of portraits; each tenth is held out.")],
    work: Annotated[Path, typer.Option(help="Keeps pairs and checkpoint.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = SHIPPED,
    features: Annotated[
        Path | None, typer.Option(help="Checkpoint of training.features, to compare pictures by.")
    ] = None,
    people: Annotated[int, typer.Option(min=1, help="At most so many people.")] = 1000,
    views: Annotated[int, typer.Option(min=0, help="Other views of each, beside the return.")] = 2,
    held_out: Annotated[
        Path | None, typer.Option(help="Folder of other portraits, to measure the gain on.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1)] = Schedule().steps,
    batch: Annotated[int, typer.Option(min=1)] = Schedule().batch,
    minutes: Annotated[float, typer.Option(help="Stop and keep after this long.")] = float("inf"),
    seed: Annotated[int, typer.Option(min=0)] = 0,
    adversarial: Annotated[float, typer.Option(min=0.0, help="Weight of a critic.")] = 0.0,
    full: Annotated[bool, typer.Option(help="The sizes for a GPU, at 512 x 512.")] = False,
    smoke: Annotated[bool, typer.Option(help="A few steps, only to see the loss fall.")] = False,
) -> None:
    """Train the screen-space generator; call again to go on where it was interrupted."""
    until = monotonic() + 60 * minutes
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(1)
    console = Console(stderr=True)
    config = FULL if full else COMPACT
    if not photos.is_dir():
        raise typer.BadParameter(f"{photos} is no folder")
    chosen = photos_in(photos, is_training=True)[: 1 if smoke else people]
    pairs = work / f"pairs-{config.side}"
    for reason in gather(
        chosen,
        pairs,
        side=config.side,
        views=views,
        told=lambda name: console.print(f"pairs of {name}", highlight=False),
    ):
        console.print(f"left out {reason}", highlight=False)
    records = read_records(pairs, [photo.stem for photo in chosen])
    if not records:
        raise typer.BadParameter(f"{photos} holds no usable portrait")
    schedule = Schedule(
        steps=20 if smoke else steps,
        batch=2 if smoke else batch,
        seed=seed,
        adversarial=adversarial,
    )
    distance = None if features is None else PerceptualDistance(load_features(features))
    learner = Learner(records, schedule, config=config, distance=distance, device=device)
    file = None if smoke else work / f"checkpoint-{config.side}.pt"
    if file is not None and file.exists():
        learner.resume(file, device=device)
    totals: list[float] = []

    def told(step: int, losses: dict[str, float]) -> None:
        totals.append(losses["total"])
        if step % _TOLD_EVERY == 0:
            terms = "  ".join(f"{name} {value:.4f}" for name, value in losses.items())
            console.print(f"step {step}  {terms}", highlight=False)

    learner.run(until=until, file=file, told=told)
    if totals:
        last = statistics.mean(totals[-6:])
        console.print(f"loss {totals[0]:.4f} at first, {last:.4f} at last", highlight=False)
    console.print(f"codes in use {learner.used_codes()}", highlight=False)
    if learner.step < schedule.steps:
        console.print(f"step {learner.step} of {schedule.steps}; call again to go on")
    elif not smoke:
        save_generator(output, learner.mean)
        console.print(f"wrote {output.name}, {output.stat().st_size / 1e6:.2f} MB")
    if held_out is not None:
        judges = photos_in(held_out, is_training=False)
        others = work / f"held-out-{config.side}"
        gather(judges, others, side=config.side, views=0)
        unseen = read_records(others, [photo.stem for photo in judges], has_large=True)
        gains = [one.gain_db for one in improve(learner.mean.cpu(), unseen)]
        if gains:
            mean, better = statistics.mean(gains), sum(gain > 0 for gain in gains)
            console.print(f"{mean:+.2f} dB on people held out, {better} of {len(gains)} better")


if __name__ == "__main__":
    typer.run(main)
