"""From trained networks to the arrays that ``avatar_engine.codebook`` reads."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from avatar_engine.codebook.arithmetic import Floats
from avatar_engine.training.codebooks.ground import Ground
from avatar_engine.training.codebooks.learning import Halves
from avatar_engine.types import HeadRig
from avatar_engine.types.head import Chart

_LEARNING_ONLY = ("counts", "known")
_CONSTANTS = ("place", "skin_field", "mean", "skin_tokens", "expression")


def exported(
    halves: Halves,
    ground: Ground,
    rig: HeadRig,
    *,
    trust: Floats,
    motion: bool = True,
    appearance: bool = True,
) -> dict[str, NDArray[Any]]:
    """Arrays of the weight file, half precision.

    Args:
        halves: As trained.
        ground: Of the head model.
        rig: The head model.
        trust: [128, 128] how far completed colours are believed.
        motion: Whether that half is switched on.
        appearance: The same.
    """
    tensors: dict[str, NDArray[Any]] = {}
    for half in ("motion", "appearance"):
        for name, tensor in getattr(halves, half).state_dict().items():
            if not name.endswith(_LEARNING_ONLY):
                tensors[f"{half}.{name.removeprefix('codebook.')}"] = _half(tensor)
    driving = halves.driving
    tensors["drivers.linear"] = _half(driving.linear)
    tensors["drivers.products"] = _half(driving.products)
    tensors["drivers.floors"] = _half(driving.floors)
    tensors["drivers.pairs"] = driving.pairs.cpu().numpy().astype(np.int16)
    for name in _CONSTANTS:
        tensors[f"ground.{name}"] = getattr(ground, name).astype(np.float16)
    tensors["ground.skin"] = (rig.chart == Chart.SKIN).astype(np.uint8)
    tensors["ground.trust"] = trust.astype(np.float16)
    tensors["halves"] = np.array([motion, appearance], np.uint8)
    return tensors


def _half(tensor: Tensor) -> NDArray[np.float16]:
    return tensor.detach().cpu().numpy().astype(np.float16)
