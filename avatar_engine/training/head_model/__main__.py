"""``python -m avatar_engine.training.head_model --rigs DIR [-o FILE]``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from avatar_engine.head.model import SHIPPED
from avatar_engine.head.packing import VERSION, pack_rig
from avatar_engine.training.head_model.atlas import flatten_skin
from avatar_engine.training.head_model.charts import (
    cavity_patch,
    skin_patch,
    teeth_patches,
    tongue_patch,
)
from avatar_engine.training.head_model.eyes import fit_eye
from avatar_engine.training.head_model.landmarks import register
from avatar_engine.training.head_model.report import report
from avatar_engine.training.head_model.resample import build_rig, chart_map
from avatar_engine.training.head_model.rigs import read_canonical_face, read_face_kit
from avatar_engine.weights import WeightFacts, save_weights

FACTS = WeightFacts(
    name="head_model",
    version=VERSION,
    licence="MIT AND Apache-2.0",  # ICT-FaceKit's shapes; MediaPipe's canonical face
    recipe="python -m avatar_engine.training.head_model",
)


def main(
    rigs: Annotated[Path, typer.Option(help="Folder with ict_facekit and mediapipe.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = SHIPPED,
    modes: Annotated[int, typer.Option(min=1, max=50, help="Identity modes to keep.")] = 40,
) -> None:
    """Build the parametric head from openly licensed rigs."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("reading the rigs", total=None)
        try:
            kit, canonical = read_face_kit(rigs), read_canonical_face(rigs)
        except FileNotFoundError as error:
            raise typer.BadParameter(str(error)) from error
        progress.update(task, description="flattening the skin")
        chart = flatten_skin(kit)
        progress.update(task, description="laying out eyes, teeth, tongue and cavity")
        patches = [skin_patch(chart), cavity_patch(kit), tongue_patch(kit), *teeth_patches(kit)]
        eye = fit_eye(kit)
        progress.update(task, description="placing the landmarks")
        flat = chart_map(patches, eye).ravel()
        regressor = register(kit, chart, canonical, eye.radius, flat)
        progress.update(task, description="resampling shapes and expressions")
        rig, variance = build_rig(kit, patches, eye, regressor, modes=modes)
        progress.update(task, description="writing and reading back")
        save_weights(output, pack_rig(rig), FACTS)
    report(Console(), output, kit, chart, eye, rig, variance)


if __name__ == "__main__":
    typer.run(main)
