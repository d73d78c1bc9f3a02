"""A persona as the tile renderer's kernels read it: planes of numbers, prepared once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import RenderError
from avatar_engine.render import definition as d
from avatar_engine.render.gpu import layout
from avatar_engine.render.gpu.layout import Fixed, Plane, Trait
from avatar_engine.render.joints import TintRule
from avatar_engine.render.plates import Backdrop, backdrop
from avatar_engine.render.protocol import RenderConfig
from avatar_engine.render.torso import TorsoRule
from avatar_engine.types import Camera, Chart, HeadMaps, Plates

Scene = tuple[HeadMaps, Plates, Camera]


@dataclass(frozen=True, slots=True)
class PackedPersona:
    """One persona at one picture size; ``Plane`` and its neighbours say what lies where.

    Attributes:
        scene: What it was packed from.
        framed: The camera, framed to the drawn pixels.
        rule: How its body plate follows the torso.
        tint_rule: What brings its tints on.
        texels: [17, M] float32.
        traits: [M] int32.
        modes: [K, 3, 65536] int16.
        pairs: [2, P] int32 texels of the upper and the lower lip.
        fixed: [12] float32.
        plates: [7, H, W] float32: the body, premultiplied, and its share; what is farther.
        follow: [H] float32 share of the torso's way.
    """

    scene: Scene
    framed: Camera
    rule: TorsoRule
    tint_rule: TintRule
    texels: NDArray[np.float32]
    traits: NDArray[np.int32]
    modes: NDArray[np.int16]
    pairs: NDArray[np.int32]
    fixed: NDArray[np.float32]
    plates: NDArray[np.float32]
    follow: NDArray[np.float32]


def pack(scene: Scene, config: RenderConfig) -> PackedPersona:
    """Prepare a persona for pictures of one kind.

    Raises:
        RenderError: It has more texels than a sorting key can name, or its plates do not fit.
    """
    maps, plates, camera = scene
    if len(maps.positions) > layout.MOST_TEXELS:
        raise RenderError(
            f"{len(maps.positions)} texels are more than the GPU's tiles can sort "
            f"({layout.MOST_TEXELS}): choose the cpu renderer"
        )
    zoom = d.drawn_zoom(config.width, config.height)
    framed = camera.framed(config.width // zoom, config.height // zoom)
    rule = TorsoRule.of(maps, camera.framed(config.width, config.height))
    return PackedPersona(
        scene=scene,
        framed=framed,
        rule=rule,
        tint_rule=TintRule(maps),
        texels=_texels(maps),
        traits=_traits(maps),
        modes=np.ascontiguousarray(maps.modes.transpose(0, 2, 1)),
        pairs=np.stack([maps.lip_upper, maps.lip_lower]).astype(np.int32),
        fixed=_fixed(maps, framed),
        plates=_plates(backdrop(plates, camera, config)),
        follow=rule.follow.astype(np.float32),
    )


def _texels(maps: HeadMaps) -> NDArray[np.float32]:
    planes = np.zeros((len(Plane), len(maps.positions)), np.float32)
    planes[Plane.X : Plane.Z + 1] = maps.positions.T
    planes[Plane.HEAD_WEIGHT] = maps.head_weight
    planes[Plane.RED : Plane.BLUE + 1] = maps.colors.T
    planes[Plane.OPACITY] = np.clip(np.nan_to_num(maps.opacities), 0, d.OPACITY_LIMIT)
    planes[Plane.SIGMA_U : Plane.SIGMA_V + 1] = maps.sigmas.T
    planes[Plane.CAP_U : Plane.CAP_V + 1] = np.minimum(maps.tangent_caps, 1e6).T
    planes[Plane.WINDING] = maps.winding
    planes[Plane.DEPTH_BIAS] = maps.depth_bias
    planes[Plane.TINT_RED : Plane.TINT_BLUE + 1, : len(maps.tints)] = maps.tints.T
    return planes


def _traits(maps: HeadMaps) -> NDArray[np.int32]:
    bits = d.inner_neighbours(maps.neighbours.reshape(-1, d.COLUMNS))
    traits = bits.ravel().astype(np.int32)
    for trait, charts in (
        (Trait.EYE, (Chart.EYE,)),
        (Trait.MOUTH, d.INNER_MOUTH),
        (Trait.FADES, (Chart.TEETH, Chart.GUM, Chart.TONGUE)),
        (Trait.TOOTH, (Chart.TEETH, Chart.GUM)),
    ):
        traits[np.isin(maps.chart, charts)] |= trait
    traits[maps.lid_texels] |= Trait.LID
    traits[: len(maps.tint_drivers)] |= maps.tint_drivers.astype(np.int32) << layout.TINT_SHIFT
    return traits


def _fixed(maps: HeadMaps, framed: Camera) -> NDArray[np.float32]:
    fixed = np.zeros(Fixed.COUNT, np.float32)
    fixed[: Fixed.EYE_CLEARANCE] = maps.eye_centers.ravel()
    fixed[Fixed.EYE_CLEARANCE] = d.LID_CLEARANCE * maps.eye_radius
    fixed[[Fixed.FOCAL_X, Fixed.FOCAL_Y]] = framed.K[0, 0], framed.K[1, 1]
    fixed[[Fixed.CENTER_X, Fixed.CENTER_Y]] = framed.K[:2, 2]
    fixed[Fixed.LIP_PAIRS] = len(maps.lip_upper)
    return fixed


def _plates(behind: Backdrop) -> NDArray[np.float32]:
    planes = [behind.body, behind.share[..., None], behind.far]
    return np.concatenate(planes, -1).transpose(2, 0, 1)
