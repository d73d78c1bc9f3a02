"""Synthetic heads with exact labels: one person's shape under another's colours, in any light."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_engine.head import load_head_rig
from avatar_engine.persona import Persona
from avatar_engine.persona.file import load_persona
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.render.joints import expression_weights, joint_blend, joint_matrices
from avatar_engine.training.screen.states import turned
from avatar_engine.types import Camera, FaceState, HeadMaps

ATLAS = 256 * 256
LANDMARKS = tuple(range(0, 468, 7))
"""Every seventh of the face mesh's points: 67."""

_MIDDLE_CM = np.array([0.0, -2.0, 0.0])
_REACH_CM = 20.0


@dataclass(frozen=True, slots=True)
class LabelledPictures:
    """N renders and what they show.

    Attributes:
        pictures: [N, S, S, 3] uint8.
        places: [N, S/4, S/4, 4] uint8 canonical coordinates (head space, ±20 cm) and coverage.
        told: [N, 55 + 2 L] float32 expression, pose in rad, landmarks in [-1, 1] of the picture.
    """

    pictures: NDArray[np.uint8]
    places: NDArray[np.uint8]
    told: NDArray[np.float32]


def sample_heads(
    personas: Sequence[Path], rng: np.random.Generator, *, heads: int, states: int, side: int
) -> LabelledPictures:
    """Render mixed heads in many states.

    Args:
        personas: Files to mix.
        rng: Decides everything.
        heads: How many mixtures.
        states: Pictures of each.
        side: S, pixels; a multiple of 16.
    """
    found: list[tuple[NDArray, NDArray, NDArray]] = []
    for _ in range(heads):
        shape, paint, plate = (
            load_persona(personas[k]) for k in rng.integers(len(personas), size=3)
        )
        mixed = _mixed(shape, paint, rng)
        found += _rendered(mixed, shape, plate, rng, states=states, side=side)
    pictures, places, told = (np.stack(one) for one in zip(*found, strict=True))
    return LabelledPictures(pictures, places, told.astype(np.float32))


def _mixed(shape: Persona, paint: Persona, rng: np.random.Generator) -> HeadMaps:
    """A persona's maps under colours between its own and another's, in another light."""
    maps = shape.maps
    share = rng.choice([0.0, 1.0, rng.random()])
    colors = maps.colors.copy()
    colors[:ATLAS] += share * (paint.maps.colors[:ATLAS] - colors[:ATLAS])
    towards = rng.normal(size=3) * [1, 0.6, 0.4]
    light = 1 + 0.03 * (maps.positions - _MIDDLE_CM) @ towards  # low-frequency, across the head
    tone = rng.uniform(0.55, 1.15) * (1 + 0.08 * rng.normal(size=3))
    colors = np.clip(colors * np.clip(light, 0.5, 1.5)[:, None] * tone, 0, 1)
    return replace(maps, colors=colors.astype(np.float32))


def _rendered(
    maps: HeadMaps,
    shape: Persona,
    plate: Persona,
    rng: np.random.Generator,
    *,
    states: int,
    side: int,
) -> list[tuple[NDArray, NDArray, NDArray]]:
    plates = replace(
        shape.plates, background=plate.plates.background, photo=np.zeros((0, 0, 3), np.uint8)
    )
    if plates.background.shape != shape.plates.background.shape:
        plates = replace(plates, background=shape.plates.background)
    where = np.clip((maps.positions - _MIDDLE_CM) / (2 * _REACH_CM) + 0.5, 0, 1)
    mapped = replace(
        maps,
        colors=where.astype(np.float32),
        tints=np.zeros((0, 3), np.float32),
        tint_drivers=np.zeros(0, np.uint8),
    )
    quarter = RenderConfig(side // 4, side // 4, "rgba", has_body=False)
    looks = open_renderer("cpu", maps, plates, shape.camera, RenderConfig(side, side, "rgb"))
    coordinates = open_renderer("cpu", mapped, plates, shape.camera, quarter)
    found = []
    for _ in range(states):
        state = turned(maps, rng, reach=1.0)
        found.append(
            (
                looks.render(state).copy(),
                coordinates.render(state).copy(),
                _told(maps, shape.camera.framed(side, side), state),
            )
        )
    looks.close()
    coordinates.close()
    return found


def _told(maps: HeadMaps, camera: Camera, state: FaceState) -> NDArray[np.float64]:
    """Expression [52], pose [3] and landmarks [2 L] of one state."""
    weights = expression_weights(maps, state, 0.0)
    rig = load_head_rig()
    texels = rig.landmark_texels[list(LANDMARKS)]
    shares = rig.landmark_weights[list(LANDMARKS)][..., None]
    moved = np.tensordot(weights * maps.mode_scales, maps.modes[:, texels], 1)
    points = ((maps.positions[texels] + moved) * shares).sum(1)
    blend = (joint_blend(maps.head_weight[texels]) * shares).sum(1)
    joints = joint_matrices(maps, camera, state)
    by_joint = np.einsum("jck,lk->ljc", joints[..., :3], points) + joints[None, ..., 3]
    at = (blend[..., None] * by_joint).sum(1)
    pixels = at[:, :2] / at[:, 2:] * np.diag(camera.K)[:2] + camera.K[:2, 2]
    landmarks = 2 * pixels / camera.width - 1
    return np.concatenate([weights[:52], state.head_pose, landmarks.ravel()])
