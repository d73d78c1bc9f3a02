"""What a compensator adds to a head: colours that the photo did not show, and corrective modes."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.painting import PaintedHead
from avatar_engine.gaussian.regions import Regions
from avatar_engine.gaussian.smooth import smoothstep
from avatar_engine.gaussian.steps import in_steps
from avatar_engine.types import ARKIT_INDEX, Chart, Compensation, Drivers, HeadMaps, HeadRig

_FRONT_Z_CM = (-2.0, 1.0)  # farther back is left as it is
# No expression moves crown, back or neck; what is learnt of them is noise, and would cost time.
_FACE_Z_CM, _CHIN_Y_CM, _HAIR_Y_CM = (2.0, 5.0), (-13.0, -10.0), (9.0, 7.0)
_INNER_MOUTH = (Chart.TEETH, Chart.GUM, Chart.TONGUE, Chart.CAVITY)
_STEP_CM = 2e-4  # finer steps would only make the file larger
_SMALLEST_CM = 0.003  # a tenth of a pixel at 512: what moves less is left out, and costs nothing


def with_completion(painted: PaintedHead, completion: Compensation) -> PaintedHead:
    """The head with completed skin; what the photo showed itself is not touched.

    Scalp, nape and whatever hair covers keep the strands that were grown there: a guess that is
    right in the mean is smooth, and smooth hair is a cap.
    """
    regions, samples = painted.s.regions, painted.samples
    hairy = np.maximum(samples.hairy, samples.hairy[regions.twin])
    share = (1 - np.clip(samples.weight, 0, 1)) * (1 - hairy)
    share = (share * completed_skin(painted.s.rig, regions))[:, None]
    color = painted.color + share * (completion.color - painted.color)
    return replace(painted, color=np.clip(color, 0, 1))


def completed_skin(rig: HeadRig, regions: Regions) -> NDArray[np.float64]:
    """[N] in [0, 1] where colours may be completed: skin of face, sides and throat, not scalp."""
    in_front = smoothstep(rig.mean[:, 2], *_FRONT_Z_CM)
    return np.where(regions.skin, in_front * (1 - regions.scalp), 0)


def with_corrections(
    maps: HeadMaps, completion: Compensation, still: NDArray[np.floating]
) -> HeadMaps:
    """The maps with corrective modes after the source residual.

    Args:
        maps: Without corrective modes.
        completion: Whose modes are wanted.
        still: [N] in [0, 1], what must not move, such as glasses; eyeballs never do.
    """
    n = len(still)
    _, y, z = maps.positions[:n].T
    face = smoothstep(z, *_FACE_Z_CM) * smoothstep(y, *_CHIN_Y_CM) * smoothstep(y, *_HAIR_Y_CM)
    free = np.asarray(face * (1 - still), np.float32)
    moved = completion.modes * free[:, None]
    _carry_lower_teeth(maps, moved)
    moved[:, maps.chart[:n] == Chart.EYE] = 0
    for mode in moved:  # one at a time stays within the cache
        x, y, z = np.abs(mode).T
        mode[np.maximum(np.maximum(x, y), z) < _SMALLEST_CM] = 0
    used = np.flatnonzero([mode.any() for mode in moved])
    modes, scales = in_steps(moved[used], finest=_STEP_CM)
    told = completion.drivers
    return replace(
        maps,
        modes=np.concatenate([maps.modes, modes]),
        mode_scales=np.concatenate([maps.mode_scales, scales]),
        drivers=Drivers(told.linear[used], told.pairs, told.floors, told.products[used]),
    )


def _carry_lower_teeth(maps: HeadMaps, moved: NDArray[np.float32]) -> None:
    """What the jaw carries inside the mouth goes with the lower lip, in place: [C, N, 3].

    A lip that is corrected alone would uncover teeth below itself.
    """
    if not len(maps.lip_lower):
        return
    inner = np.flatnonzero(np.isin(maps.chart[: moved.shape[1]], _INNER_MOUTH))
    dropped = -maps.modes[ARKIT_INDEX["jawOpen"], inner, 1].astype(np.float32)
    share = np.clip(dropped / max(float(dropped.max(initial=0)), 1.0), 0, 1)
    lip = moved[:, maps.lip_lower].mean(1)  # [C, 3]
    moved[:, inner] = share[:, None] * lip[:, None]
