"""From the networks' small pictures to maps at the atlas's own size."""

import numpy as np

from avatar_engine.codebook.arithmetic import Floats, grown
from avatar_engine.codebook.front import as_texels
from avatar_engine.codebook.plan import MOTION


def baked_modes(found: Floats, skin_field: Floats, skin: Floats) -> Floats:
    """Corrective modes as the renderers read them.

    Args:
        found: [C, 3, 64, 64] in ``MOTION.unit`` cm.
        skin_field: [64, 64] share of skin; gaps between lips and lids must not leak into them.
        skin: [256, 256], 1 on skin.

    Returns:
        [C, N, 3] cm.
    """
    side = len(skin)
    mass = np.maximum(grown(skin_field[None], side)[0], np.float32(1e-3))
    share = np.float32(MOTION.unit) * skin / mass
    return np.stack([as_texels(grown(mode * skin_field, side) * share) for mode in found])


def blended(color: Floats, change: Floats, trust: Floats, silent: Floats) -> Floats:
    """Colours [3, R, R] with a coarse change where the photo is silent; fine detail stays.

    Args:
        color: [3, R, R] to be changed.
        change: [3, S, S], S <= R.
        trust: [S, S] in [0, 1], how far the change is believed.
        silent: [R, R] in [0, 1].
    """
    wanted = grown(change * trust, color.shape[-1])
    return np.clip(color + wanted * silent, 0, 1).astype(np.float32)
