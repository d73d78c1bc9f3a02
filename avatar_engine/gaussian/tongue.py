"""The tongue: how it is coloured, and how its tip comes to the teeth."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import smoothstep
from avatar_engine.types import ARKIT_INDEX, Chart

TONGUE_OUT = ARKIT_INDEX["tongueOut"]
# Of the tip at full weight. A quarter of it brings the tip up behind the upper teeth, a third
# between them, though the jaw has dropped as far as speech drops it.
_OUT_CM, _UP_CM = 4.2, 2.4
_LOW_CM = 0.1
_WITH_JAW = 1.15  # the head model's own tongue stays up when the jaw drops
_ROOT_Z, _TIP_Z = 5.8, 9.5


def tongue_mode(s: Sculpture) -> NDArray[np.float64]:
    """The tongueOut mode [N, 3]: the tip rises to the upper teeth as it comes forward.

    The head model's own tongue slides out along the floor of the mouth, where the lower teeth hide
    it; in speech it is seen between the teeth.
    """
    mode = np.zeros((len(s.chart), 3))
    tongue = s.chart == Chart.TONGUE
    x, _, z = s.rig.mean[tongue].T.astype(np.float64)
    forward = smoothstep(z, _ROOT_Z, _TIP_Z)
    middle = 1 - 0.35 * smoothstep(np.abs(x), 0.7, 1.9)
    mode[tongue, 2] = _OUT_CM * forward
    mode[tongue, 1] = _UP_CM * forward**2 * middle
    mode[tongue, 0] = -0.25 * forward * x  # the tip is narrow
    return mode


def lower_tongue(s: Sculpture, jaw_open: NDArray[np.floating]) -> None:
    """Lay the tongue on the floor of the mouth, in place of the jawOpen mode [N, 3] too."""
    tongue = s.chart == Chart.TONGUE
    s.offset[tongue, 1] -= _LOW_CM
    jaw_open[tongue] *= _WITH_JAW


def paint_tongue(s: Sculpture, color: NDArray[np.float64], skin: NDArray[np.float64]) -> None:
    """Colour the tongue in place [N, 3]: pale along its edge, a groove, dark towards the throat."""
    tongue = s.chart == Chart.TONGUE
    x, y, z = s.rig.mean[tongue].T.astype(np.float64)
    exposure = np.clip(0.9 + 0.35 * (skin.mean() - 0.5), 0.78, 1.05)
    tone = np.array([0.76, 0.41, 0.40]) * exposure
    tip = y[z > np.percentile(z, 80)].mean()
    under = 0.82 + 0.18 * smoothstep(y, tip - 0.4, tip)  # what lies on the lip is in shadow
    light = 0.3 + 0.7 * smoothstep(z, 6.4, 9.2)
    groove = 1 - 0.16 * np.exp(-((x / 0.16) ** 2)) * smoothstep(z, 9.6, 8.8)
    sides = 1 - 0.6 * smoothstep(np.abs(x), 0.8, 1.9)
    shine = 0.07 * np.exp(-(((np.abs(x) - 0.4) / 0.25) ** 2)) * smoothstep(z, 8.8, 9.5)
    shine *= smoothstep(y, tip - 0.05, tip + 0.15)
    grain = 1 + 0.03 * np.random.default_rng(0).standard_normal(len(x))
    lit = light * groove * sides * grain * under
    color[tongue] = np.clip(tone * lit[:, None] + shine[:, None] * light[:, None], 0, 1)
