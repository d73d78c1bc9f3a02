"""What is the same for every head: the model's own maps at the sizes the networks work at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.codebook.arithmetic import Floats
from avatar_engine.codebook.front import as_planes, shrunk
from avatar_engine.codebook.plan import APPEARANCE, MOTION, PLACE_PLANES, SCALES
from avatar_engine.gaussian.corrections import completed_skin
from avatar_engine.gaussian.regions import regions_of
from avatar_engine.shapes import grid_neighbours, surface_groups, tangents
from avatar_engine.training.portraits.coarse import COARSE, CoarseGrid
from avatar_engine.types import HeadRig

_EXTENT_CM = (8.0, 12.0, 10.0)


@dataclass(frozen=True, slots=True)
class Ground:
    """Constant maps.

    Attributes:
        skin: [128, 128] the skin chart's share.
        place: [5, 128, 128] skin, distance from the mid-line, height, depth, facing ahead.
        normals: [3, 128, 128] of the mean head.
        lids: [128, 128] in [0, 1], skin beside the eyes.
        low: [128, 128] in [0, 1], below the jaw.
        completed: [128, 128] in [0, 1], where a persona's build takes completed colours.
        skin_field: [64, 64] the skin chart's share.
        stress: [64, 64] how much a miss counts: lips and lids most, the back least.
        mean: [3, 32, 32] cm, the mean head.
        skin_tokens: [32, 32].
        expression: [52, 3, 32, 32] cm.
        expression_field: [52, 3, 64, 64] cm.
    """

    skin: Floats
    place: Floats
    normals: Floats
    lids: Floats
    low: Floats
    completed: Floats
    skin_field: Floats
    stress: Floats
    mean: Floats
    skin_tokens: Floats
    expression: Floats
    expression_field: Floats


def ground_of(rig: HeadRig) -> Ground:
    """Bring a head model's maps small."""
    R = rig.resolution
    regions = regions_of(rig)
    on_skin = regions.skin.astype(np.float32).reshape(R, R)
    bits = grid_neighbours(surface_groups(rig.chart))
    across, down = tangents(rig.mean.reshape(R, R, 3), bits)
    normal = np.cross(down, across).reshape(-1, 3) * regions.skin_winding
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    mean = as_planes(rig.mean)

    grid = CoarseGrid(rig, regions)  # as the cache's displacements are
    assert MOTION.side == COARSE

    def small(planes: Floats, side: int) -> Floats:
        return shrunk(planes, side, on_skin)

    def field_of(texels: NDArray[np.floating]) -> Floats:
        return np.moveaxis(grid.of(texels), -1, 0).astype(np.float32)

    fine, coarse = APPEARANCE.side, SCALES[-1]
    at = small(mean, fine)
    facing = small(as_planes(normal), fine)
    skin = shrunk(on_skin[None], fine)[0]
    place = [skin, np.abs(at[0]) / _EXTENT_CM[0], at[1] / _EXTENT_CM[1], at[2] / _EXTENT_CM[2]]
    place.append(facing[2])
    assert len(place) == PLACE_PLANES
    lids = np.exp(-((regions.lid_distance / 7) ** 2)).astype(np.float32) * regions.skin
    slit = np.minimum(regions.mouth_distance / 1.6, regions.lid_distance)
    stress = 0.15 + 1.0 * (rig.mean[:, 2] > 3) + 3 * np.exp(-((slit / 10) ** 2))
    stress = np.where(rig.mean[:, 2] > -2, stress, 0.02) * regions.skin
    moved = np.stack([as_planes(mode) for mode in rig.expression])
    return Ground(
        skin=skin,
        place=np.stack(place).astype(np.float32) * skin,
        normals=facing,
        lids=small(as_planes(lids[:, None]), fine)[0],
        low=shrunk(as_planes(regions.neck_zone[:, None].astype(np.float32)), fine)[0],
        completed=shrunk(as_planes(completed_skin(rig, regions)[:, None]), fine)[0],
        skin_field=field_of(on_skin.reshape(-1, 1))[0],
        stress=field_of(stress[:, None])[0],
        mean=small(mean, coarse),
        skin_tokens=shrunk(on_skin[None], coarse)[0],
        expression=np.stack([small(mode, coarse) for mode in moved]),
        expression_field=np.stack([field_of(mode) for mode in rig.expression]),
    )
