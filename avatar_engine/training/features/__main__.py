"""``python -m avatar_engine.training.features --personas DIR --work DIR [--minutes N]``."""

import statistics
from pathlib import Path
from time import monotonic
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console

from avatar_engine.training.features.heads import LabelledPictures, sample_heads
from avatar_engine.training.features.learning import FeatureLearner


def main(
    personas: Annotated[Path, typer.Option(help="Folder of .persona files to mix heads from.")],
    work: Annotated[Path, typer.Option(help="Keeps renders and the network.")],
    heads: Annotated[int, typer.Option(min=1, help="Mixed heads.")] = 64,
    states: Annotated[int, typer.Option(min=1, help="Pictures of each.")] = 16,
    steps: Annotated[int, typer.Option(min=1)] = 500,
    minutes: Annotated[float, typer.Option(help="Stop and keep after this long.")] = float("inf"),
    seed: Annotated[int, typer.Option(min=0)] = 0,
    smoke: Annotated[bool, typer.Option(help="A few steps, only to see the loss fall.")] = False,
) -> None:
    """Teach a feature network on synthetic heads; call again to go on where it was interrupted."""
    until = monotonic() + 60 * minutes
    torch.set_num_threads(1)
    console = Console(stderr=True)
    files = sorted(personas.glob("*.persona"))
    if not files:
        raise typer.BadParameter(f"{personas} holds no .persona file")
    work.mkdir(parents=True, exist_ok=True)
    if smoke:
        heads, states, steps = 2, 4, 20
    kept = work / ("heads-smoke.npz" if smoke else "heads.npz")
    if not kept.exists():
        console.print("rendering heads")
        rng = np.random.default_rng(seed)
        made = sample_heads(files, rng, heads=heads, states=states, side=128)
        np.savez(kept, pictures=made.pictures, places=made.places, told=made.told)
    with np.load(kept, allow_pickle=False) as found:
        examples = LabelledPictures(found["pictures"], found["places"], found["told"])
    learner = FeatureLearner(examples, steps=steps, seed=seed)
    file = None if smoke else work / "features.pt"
    if file is not None and file.exists():
        learner.resume(file)
    losses: list[float] = []

    def told(step: int, loss: float) -> None:
        losses.append(loss)
        if step % 25 == 0:
            console.print(f"step {step}, loss {statistics.mean(losses[-25:]):.4f}")

    learner.run(until=until, file=file, told=told)
    if losses:
        console.print(f"loss {losses[0]:.4f} at first, {statistics.mean(losses[-10:]):.4f} at last")


if __name__ == "__main__":
    typer.run(main)
