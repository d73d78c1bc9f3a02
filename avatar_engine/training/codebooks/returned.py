"""Rotate and return: a person's persona, turned aside and photographed, becomes a second head.

The second head knows one side of the face; the first one's photo says what the other looks like.
The recipe learns from such pairs how far completed colours may be believed, and where.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from avatar_engine.errors import AvatarEngineError
from avatar_engine.persona import build_persona
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.training.codebooks.heads import RETURNED
from avatar_engine.training.portraits.cached import CachedHead
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


def fill_returned(
    photos: Sequence[tuple[str, Path]],
    work: Path,
    unwrapper: Unwrapper,
    *,
    seed: int = 0,
    told: Callable[[str, str | None], None] = lambda _name, _reason: None,
) -> None:
    """Write ``returned-NAME.npz`` beside each ``NAME.npz`` of a cache, where it is missing.

    Args:
        photos: Names in the cache, and the photo of each.
        work: The cache.
        unwrapper: Reads pictures.
        seed: Decides the turns.
        told: Called with each name, and the reason where it was left out.
    """
    for k, (name, photo) in enumerate(photos):
        file = work / f"{RETURNED}{name}.npz"
        reason = None
        if not file.exists():
            try:
                returned_head(photo, unwrapper, np.random.default_rng([seed, k])).save(file)
            except AvatarEngineError as error:
                reason = str(error)
        told(name, reason)
