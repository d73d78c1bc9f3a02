"""The tongue stuck out: a shape of our own, for no open kit has one that leaves the mouth."""

import numpy as np

from avatar_engine.training.head_model.mesh import Floats

_ROOT_Z, _TIP_Z = 5.0, 9.75  # of the tongue at rest
_AXIS_Y = -3.6  # half its thickness below its back
_REACH = 5.0  # how far the tip travels along the path
_BODY = 0.8  # share of its length that stretches; the tip keeps its round shape
_LIFT = 0.7  # over the lower lip, which the jaw carries down
_LIP_Z = 11.3  # where it begins to bend over the lip
_BEND_RADIUS = 3.0


def tongue_out(at: Floats) -> Floats:
    """Deltas [P, 3] of tongue texels at weight 1, meant to go with an open jaw.

    The tongue slides and stretches along a path: straight and rising to the lips, then an arc
    downward. On its way it grows thinner.

    Args:
        at: [P, 3] the tongue at rest, cm.
    """
    x, y, z = at.T
    share = np.clip((z - _ROOT_Z) / (_TIP_Z - _ROOT_Z), 0, None)
    along = z + _REACH * _smooth(share / _BODY)
    height = (y - _AXIS_Y) * (1 - 0.35 * _smooth(share))
    axis = _AXIS_Y + _LIFT * _smooth((along - 6.0) / 4.5)
    bend = np.maximum(along - _LIP_Z, 0) / _BEND_RADIUS
    out = _BEND_RADIUS + height
    moved_z = np.where(bend > 0, _LIP_Z + out * np.sin(bend), along)
    moved_y = np.where(bend > 0, axis - _BEND_RADIUS + out * np.cos(bend), axis + height)
    wider = 1 + 0.25 * _smooth((share - 0.5) * 2)
    moved = np.stack([x * wider, moved_y, moved_z], 1)
    # The root stays where it is: the lift and the thinning fade in from there.
    return (moved - at) * np.clip(share * 2.5, 0, 1)[:, None]


def _smooth(t: Floats) -> Floats:
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)
