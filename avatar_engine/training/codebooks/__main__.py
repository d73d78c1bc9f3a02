"""``python -m avatar_engine.training.codebooks --data DIR --work DIR --minutes N``."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Annotated

import torch
import typer
from rich.console import Console

from avatar_engine.codebook import NAME, SHIPPED, VERSION
from avatar_engine.errors import AvatarEngineError
from avatar_engine.head import load_head_rig
from avatar_engine.training.codebooks.batches import Batches
from avatar_engine.training.codebooks.export import exported
from avatar_engine.training.codebooks.ground import ground_of
from avatar_engine.training.codebooks.heads import (
    LearntHead,
    person_of,
    read_aside,
    read_heads,
    read_returned,
)
from avatar_engine.training.codebooks.learning import Learner, Schedule
from avatar_engine.training.codebooks.network import Variant
from avatar_engine.training.codebooks.trust import trust_of
from avatar_engine.weights import WeightFacts, save_weights

FACTS = WeightFacts(
    name=NAME,
    version=VERSION,
    licence="Apache-2.0",
    recipe="python -m avatar_engine.training.codebooks --data DIR --work DIR",
)
_SMOKE = Schedule(steps=12, heads=1, portraits=1, rate=4e-3)
_TOLD_EVERY = 25
_TRIED_EVERY = 4  # second heads that are not learnt from, but tell how far to believe


def main(
    data: Annotated[Path, typer.Option(help="Heads of training.portraits and .synthetic.")],
    work: Annotated[Path, typer.Option(help="Keeps the checkpoint.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = SHIPPED,
    minutes: Annotated[float, typer.Option(help="Stop and keep after this long.")] = float("inf"),
    steps: Annotated[int, typer.Option(min=1)] = Schedule().steps,
    warm: Annotated[Path | None, typer.Option(help="Checkpoint to take weights from.")] = None,
    variant: Annotated[Variant, typer.Option(help="What compensates.")] = "both",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    threads: Annotated[int, typer.Option(min=1)] = 1,
    smoke: Annotated[bool, typer.Option(help="A few steps, only to see the loss fall.")] = False,
) -> None:
    """Train both codebooks together; call again to go on where it was interrupted."""
    until = monotonic() + 60 * minutes
    torch.set_num_threads(threads)
    console = Console(stderr=True)
    work.mkdir(parents=True, exist_ok=True)
    rig = load_head_rig()
    ground = ground_of(rig)
    try:
        heads = read_heads(data)
        returned, aside = read_returned(data, heads), read_aside(data, heads)
    except (OSError, AvatarEngineError) as error:
        raise typer.BadParameter(str(error)) from error
    if not heads:
        raise typer.BadParameter(f"{data} holds no heads; run avatar_engine.training.portraits")
    schedule = _SMOKE if smoke else Schedule(steps=steps, seed=seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tried, taught = parted(returned, aside)
    batches = Batches([*heads, *taught], ground, schedule.seed)
    learner = Learner(batches, schedule, variant, device)
    file = work / "checkpoint.pt"
    if file.exists() and not smoke:
        learner.resume(file, device=device)
    elif warm is not None:
        learner.begin_from(warm)
    console.print(f"{len(heads)} heads, from step {learner.step} of {schedule.steps}")
    figures: dict[str, list[float]] = defaultdict(list)
    losses: list[float] = []

    def told(step: int, parts: dict[str, float]) -> None:
        losses.append(parts["loss"])
        for name, value in parts.items():
            figures[name].append(value)
        if (step + 1) % _TOLD_EVERY == 0:
            line = ", ".join(f"{k} {statistics.mean(v):.3f}" for k, v in figures.items())
            console.print(f"step {step + 1}: {line}", highlight=False, soft_wrap=True)
            figures.clear()

    if variant != "none":
        learner.run(until=until, file=None if smoke else file, told=told)
    if losses:
        last = statistics.mean(losses[-6:])
        console.print(f"loss {losses[0]:.3f} at first, {last:.3f} at last", highlight=False)
    if learner.step < schedule.steps and variant != "none":
        console.print(f"step {learner.step} of {schedule.steps}; call again to go on")
    if smoke or variant not in ("both", "motion", "appearance"):
        return
    halves = learner.mean.eval().cpu()
    tensors = exported(
        halves,
        ground,
        rig,
        trust=trust_of(tried, halves, batches),
        motion=variant != "appearance",
        appearance=variant != "motion",
    )
    save_weights(output, tensors, FACTS)
    console.print(f"wrote {output.name}, {output.stat().st_size / 1e6:.2f} MB")


def parted(
    returned: Sequence[LearntHead], aside: Sequence[LearntHead]
) -> tuple[list[LearntHead], list[LearntHead]]:
    """Heads that only tell how far to believe, and those that are learnt from: by person."""
    kept = {person_of(head.name) for head in returned[::_TRIED_EVERY]}
    both = [*returned, *aside]
    tried = [head for head in both if person_of(head.name) in kept]
    return tried, [head for head in both if person_of(head.name) not in kept]


if __name__ == "__main__":
    typer.run(main)
