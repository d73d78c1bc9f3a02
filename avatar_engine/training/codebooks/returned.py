"""Rotate and return: a person's persona, turned aside and photographed, becomes a second head.

``python -m avatar_engine.training.codebooks.returned --photos DIR --work DIR``

The second head knows one side of the face; the first one's photo says what the other looks like.
The recipe learns from such pairs how far completed colours may be believed, and where.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Annotated

import numpy as np
import typer
from PIL import Image
from rich.console import Console

from avatar_engine.errors import AvatarEngineError
from avatar_engine.head import load_head_rig
from avatar_engine.persona import build_persona
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.training.codebooks.heads import RETURNED
from avatar_engine.training.labels.gathering import photos_in
from avatar_engine.training.portraits.cached import CachedHead
from avatar_engine.training.portraits.index import read_index
from avatar_engine.training.portraits.unwrapping import Unwrapper
from avatar_engine.types import FaceState

_YAW_RAD = (0.25, 0.5)
_PITCH_RAD = 0.08


def returned_head(photo: Path, unwrapper: Unwrapper, rng: np.random.Generator) -> CachedHead:
    """The head that is read from a picture of somebody's persona turned aside.

    Args:
        photo: Of the person.
        unwrapper: Reads the picture.
        rng: Decides how far, and to which side.

    Raises:
        PhotoError: The photo, or the picture, cannot become a persona.
    """
    persona = build_persona(photo, has_compensation=False)
    yaw = rng.uniform(*_YAW_RAD) * rng.choice([-1, 1])
    pose = np.array([yaw, rng.normal(0, _PITCH_RAD), 0], np.float32)
    maps, side = persona.maps, persona.camera.width
    state = FaceState(blendshapes=maps.source - maps.rest, head_pose=pose)
    renderer = open_renderer(
        "cpu", maps, persona.plates, persona.camera, RenderConfig(side, side, "rgb")
    )
    try:
        picture = renderer.render(state, source_residual=1.0).copy()
    finally:
        renderer.close()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "turned.png"
        Image.fromarray(picture).save(file)
        return unwrapper.photo(file)


def main(
    photos: Annotated[list[Path], typer.Option(help="Folders the cache was made of; repeatable.")],
    work: Annotated[Path, typer.Option(help="The cache's folder.")],
    seed: Annotated[int, typer.Option(min=0, help="Decides the turns.")] = 0,
    every: Annotated[int, typer.Option(min=1, help="Take one photo of so many.")] = 3,
    minutes: Annotated[float, typer.Option(help="Begin no photo after this long.")] = float("inf"),
) -> None:
    """Write ``returned-NAME.npz`` beside heads that are learnt from; call again to go on."""
    until = monotonic() + 60 * minutes
    try:
        learnt = [e.name for e in read_index(work) if e.held_out == "no"]
    except (OSError, AvatarEngineError) as error:
        raise typer.BadParameter(str(error)) from error
    found = {f"{photo.parent.name}-{photo.stem}": photo for photo in photos_in(photos)}
    unwrapper = Unwrapper(load_head_rig())
    console = Console(stderr=True)
    for k, name in enumerate(learnt):
        file = work / f"{RETURNED}{name}.npz"
        if k % every or name not in found or file.exists() or monotonic() > until:
            continue
        try:
            returned_head(found[name], unwrapper, np.random.default_rng([seed, k])).save(file)
            console.print(name, highlight=False)
        except AvatarEngineError as error:
            console.print(f"left out {name}: {error}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    typer.run(main)
