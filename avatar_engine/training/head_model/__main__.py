"""``python -m avatar_engine.training.head_model --rigs DIR [--portraits DIR] [-o FILE]``."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

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
from avatar_engine.training.head_model.landmarks import Registration, Skin, register, regressor
from avatar_engine.training.head_model.refine import read_landmarks, refine
from avatar_engine.training.head_model.report import report
from avatar_engine.training.head_model.resample import build_rig, chart_map
from avatar_engine.training.head_model.rigs import read_canonical_face, read_face_kit
from avatar_engine.types import HeadRig
from avatar_engine.weights import WeightFacts, save_weights

FACTS = WeightFacts(
    name="head_model",
    version=VERSION,
    licence="MIT AND Apache-2.0",  # ICT-FaceKit's shapes; MediaPipe's canonical face
    recipe="python -m avatar_engine.training.head_model --rigs DIR --portraits DIR",
)


def main(
    rigs: Annotated[Path, typer.Option(help="Folder with ict_facekit and mediapipe.")],
    portraits: Annotated[
        Path | None, typer.Option(help="Folder of .jpg faces that refine the landmarks.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = SHIPPED,
    modes: Annotated[int, typer.Option(min=1, max=50, help="Identity modes to keep.")] = 40,
) -> None:
    """Build the parametric head from openly licensed rigs."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
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
        flat = chart_map(patches, eye).ravel()
        skin = Skin(kit, chart)
        registration = register(kit, skin, canonical)
        progress.update(task, description="resampling shapes and expressions")
        rig, variance = build_rig(
            kit, patches, eye, regressor(registration, eye.radius, flat), modes=modes
        )

        def registered(where: Registration) -> HeadRig:
            found = regressor(where, eye.radius, flat)
            return replace(
                rig,
                landmark_texels=found.texels,
                landmark_weights=found.weights,
                landmark_distance=found.distance,
            )

        misfits: list[float] = []
        if portraits is not None:
            photos = sorted(portraits.glob("*.jpg"))
            progress.update(task, description="reading faces", total=len(photos), completed=0)
            people = read_landmarks(photos, lambda: progress.advance(task))
            if not people:
                raise typer.BadParameter(f"{portraits} holds no .jpg with a usable face")
            progress.update(
                task, description=f"moving landmarks by {len(people)} faces", total=None
            )
            registration, misfits = refine(registered, skin, registration, people)
            rig = registered(registration)
        progress.update(task, description="writing and reading back", total=None)
        save_weights(output, pack_rig(rig), FACTS)
    report(Console(), output, kit, chart, eye, rig, variance, misfits)


if __name__ == "__main__":
    typer.run(main)
