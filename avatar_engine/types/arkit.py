"""The 52 expression weights: ARKit's names in ARKit's order, ``tongueOut`` last."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_NAMES = """
    browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff
    cheekSquintLeft cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft
    eyeLookDownRight eyeLookInLeft eyeLookInRight eyeLookOutLeft eyeLookOutRight
    eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight
    jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight
    mouthFrownLeft mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft
    mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight
    mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft
    mouthSmileRight mouthStretchLeft mouthStretchRight mouthUpperUpLeft
    mouthUpperUpRight noseSneerLeft noseSneerRight tongueOut
"""
ARKIT: tuple[str, ...] = tuple(_NAMES.split())
ARKIT_INDEX: Mapping[str, int] = {name: i for i, name in enumerate(ARKIT)}


def weights_of(**named: float) -> NDArray[np.float32]:
    """Expression weights [52] from names; a name without its side sets both sides.

    Example:
        ``weights_of(jawOpen=0.7, mouthSmile=0.4)``

    Raises:
        KeyError: No ARKit weight has that name.
    """
    weights = np.zeros(len(ARKIT), np.float32)
    for name, value in named.items():
        if name in ARKIT_INDEX:
            weights[ARKIT_INDEX[name]] = value
        else:
            weights[ARKIT_INDEX[name + "Left"]] = value
            weights[ARKIT_INDEX[name + "Right"]] = value
    return weights
