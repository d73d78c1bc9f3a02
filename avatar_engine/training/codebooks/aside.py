"""Portraits with one side hidden, painted by a persona's own rules.

``python -m avatar_engine.training.codebooks.aside --photos DIR --work DIR``

What a head turned aside would hide is taken from the samples of its photo, and the rest of the
painting is done again. So what a build guesses of the hidden side lies beside what the photo shows
there, texel by texel, in the photo's own light.
"""

from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console

from avatar_engine.errors import AvatarEngineError
from avatar_engine.gaussian.painting import PaintedHead, paint_head, paint_skin
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import smoothstep
from avatar_engine.gaussian.unwrap import drop_half_seen_ear
from avatar_engine.gaussian.zbuffer import nearest
from avatar_engine.head import fit_head, load_head_rig
from avatar_engine.portrait import read_portrait
from avatar_engine.training.codebooks.heads import aside_name
from avatar_engine.training.labels.gathering import photos_in
from avatar_engine.training.portraits.index import read_index
from avatar_engine.training.portraits.unwrapping import Unwrapper

_YAW_RAD, _PITCH_RAD = (0.25, 0.75), 0.1
_WELL, _FAINTLY = (0.18, 0.55), (0.05, 0.30)  # cosines, as the photo's own are trusted
_BEHIND_CM = 0.3
_SIDE_PX, _PX_PER_CM, _FAR_CM = 384, 12, 130


def turned_aside(head: PaintedHead, yaw: float, pitch: float) -> PaintedHead:
    """The head as it would be painted if its photo showed no more than a turned head shows.

    Args:
        head: Of a portrait.
        yaw: Radians, on from the photo's own pose.
        pitch: The same.
    """
    facing, is_front = _facing(head.s, yaw, pitch)
    seen = head.samples
    weight = seen.weight * is_front * smoothstep(facing, *_WELL)
    drop_half_seen_ear(head.s, weight)
    samples = replace(
        seen,
        weight=weight,
        tone=seen.tone * is_front * smoothstep(facing, *_FAINTLY),
        facing=np.minimum(seen.facing, facing),
        visible=seen.visible & is_front,
        clothed=seen.clothed * is_front,
        hairy=seen.hairy * is_front,
        bare=seen.bare * is_front,
    )
    samples, color = paint_skin(head.s, head.labels, samples, head.ears_found, head.ears_flat)
    return replace(head, samples=samples, color=color)


def _facing(
    s: Sculpture, yaw: float, pitch: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Cosine toward the camera [N] of the head turned on, and what nothing stands before [N]."""
    c, d = np.cos(yaw), np.sin(yaw)
    e, f = np.cos(pitch), np.sin(pitch)
    turn = np.array([[c, 0, d], [0, 1, 0], [-d, 0, c]]) @ [[1, 0, 0], [0, e, -f], [0, f, e]]
    turn = turn @ s.fit.placement[:, :3]
    x = s.source_shape()
    normal, _ = s.normals(x)
    facing = normal @ turn[2]
    y = (x - x[s.regions.skin].mean(0)) @ turn.T
    p = np.stack([y[:, 0] * _PX_PER_CM, -y[:, 1] * _PX_PER_CM, _FAR_CM - y[:, 2]], 1)
    p[:, :2] += _SIDE_PX / 2
    front = nearest(p, s.regions.triangles, width=_SIDE_PX, height=_SIDE_PX)
    col, row = (np.clip(p[:, k].astype(int), 0, _SIDE_PX - 1) for k in (0, 1))
    return facing, p[:, 2] < front.depth[row, col] + _BEHIND_CM


def main(
    photos: Annotated[list[Path], typer.Option(help="Folders the cache is made of; repeatable.")],
    work: Annotated[Path, typer.Option(help="The cache's folder, with its index.")],
    turns: Annotated[int, typer.Option(min=1, help="Of each head.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Decides the turns.")] = 0,
    minutes: Annotated[float, typer.Option(help="Begin no photo after this long.")] = float("inf"),
) -> None:
    """Write each portrait anew, with its ``asideK-NAME.npz``; call again to go on."""
    until = monotonic() + 60 * minutes
    try:
        names = [entry.name for entry in read_index(work)]
    except (OSError, AvatarEngineError) as error:
        raise typer.BadParameter(str(error)) from error
    found = {f"{photo.parent.name}-{photo.stem}": photo for photo in photos_in(photos)}
    unwrapper = Unwrapper(load_head_rig())
    console = Console(stderr=True)
    for name in names:
        if name not in found or monotonic() > until or _path(work, name, turns - 1).exists():
            continue
        try:
            _write(found[name], name, unwrapper, work, turns, seed)
            console.print(name, highlight=False)
        except AvatarEngineError as error:
            console.print(f"left out {name}: {error}", highlight=False, soft_wrap=True)


def _write(photo: Path, name: str, unwrapper: Unwrapper, work: Path, turns: int, seed: int) -> None:
    portrait = read_portrait(photo)
    head = paint_head(unwrapper.rig, fit_head(unwrapper.rig, portrait), portrait)
    unwrapper.painted(head).save(work / f"{name}.npz")
    for k in range(turns):
        rng = np.random.default_rng([seed, k, *name.encode()])
        yaw = rng.uniform(*_YAW_RAD) * (-1) ** int(rng.integers(2) if k == 0 else k)
        aside = turned_aside(head, yaw, rng.normal(0, _PITCH_RAD))
        unwrapper.painted(aside).save(_path(work, name, k))


def _path(work: Path, name: str, turn: int) -> Path:
    return work / f"{aside_name(name, turn)}.npz"


if __name__ == "__main__":
    typer.run(main)
