"""The sides of a face, which a frontal photo shows at a grazing angle or not at all.

There one column of pixels covers many texels, and what it holds (a streak of light, a shadow, the
rim of something beside) comes out as a stripe as wide as a cheek when the head turns. Skin is
smooth; what is known of it nearby is worth more than such a column.
"""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.beards import beard_share
from avatar_engine.gaussian.painting import PaintedHead
from avatar_engine.gaussian.smooth import blur_atlas, mean_atlas, smoothstep

_SURE = (0.25, 0.52)  # facing at which a texel shows what it is
_LENT = 0.6  # how sure a colour is that its mirror twin lent
_SIDE_Z_CM = (8.5, 6.5)
_TEMPLE_Y_CM = (6.0, 4.5)  # above them hair begins somewhere
_REACH = 7.0  # texels
_LEAST = 0.08  # weight of what is not sure in its own surroundings
_SKIN_APART = (0.30, 0.16)  # farther from the skin around it (sRGB) it is something else
_SHARE = 0.85


def soft_sides(painted: PaintedHead, colors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Colours [N, 3] of the head whose unsure skin beside the face took its surroundings'.

    Hair, ears, glasses and what differs much from the skin around it stay.

    Args:
        painted: The head.
        colors: [N, 3] sRGB in [0, 1], solved.
    """
    s, samples, regions = painted.s, painted.samples, painted.s.regions
    side = len(s.rig.chart)
    grid = lambda values: np.asarray(values, np.float32).reshape(side, side)  # noqa: E731
    sure = smoothstep(samples.facing, *_SURE) * samples.visible
    sure = np.maximum(sure, _LENT * sure[regions.twin])
    own = np.asarray(colors, np.float32).reshape(side, side, 3)
    bare = regions.skin * (1 - regions.scalp) * (1 - regions.ear_weight)
    bare = bare * (1 - np.clip(painted.glasses, 0, 1)) * (1 - samples.clothed)
    bare = bare * (1 - beard_share(s, own.reshape(-1, 3), regions.skin))
    aside = smoothstep(s.rig.mean[:, 2], *_SIDE_Z_CM) * smoothstep(s.rig.mean[:, 1], *_TEMPLE_Y_CM)
    around = mean_atlas(own, grid(bare * (_LEAST + sure)), _REACH)
    is_skin = smoothstep(np.abs(own - around).max(-1), *_SKIN_APART)
    share = grid(_SHARE * bare * aside * (1 - sure)) * is_skin
    taken = blur_atlas(share.astype(np.float32), 1.0)[..., None]
    return (own + taken * (around - own)).reshape(-1, 3)
