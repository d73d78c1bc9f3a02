"""The weight file of the codebooks: read once, refused when it is not what this version knows."""

from functools import cache
from pathlib import Path

import numpy as np

from avatar_engine.codebook.appearance import AppearanceCodebook
from avatar_engine.codebook.arithmetic import Layers
from avatar_engine.codebook.compensation import CodebookCompensator
from avatar_engine.codebook.motion import MotionCodebook
from avatar_engine.codebook.plan import PROTOTYPES
from avatar_engine.errors import WeightsError
from avatar_engine.types import Drivers
from avatar_engine.weights import load_weights

SHIPPED = Path(__file__).with_name("compensator.safetensors")
NAME, VERSION = "codebooks", "2"


@cache
def load_compensator(path: Path | None = None) -> CodebookCompensator:
    """The shipped codebooks, or those of another file of the same recipe.

    Raises:
        WeightsError: The file is missing, altered, of a layout that this version does not know,
            or of a licence that forbids sale.
    """
    path = SHIPPED if path is None else path
    weights = load_weights(path, (NAME, VERSION))
    layers: Layers = {k: np.asarray(v, np.float32) for k, v in weights.tensors.items()}
    try:
        drivers = drivers_of(layers)
        if len(drivers) != len(PROTOTYPES):
            raise WeightsError(f"{path.name}: drives {len(drivers)} modes, not {len(PROTOTYPES)}")
        halves = MotionCodebook(layers), AppearanceCodebook(layers)
        return CodebookCompensator(layers, *halves, drivers)
    except (KeyError, ValueError) as error:
        raise WeightsError(f"{path.name}: unknown layout ({error}); reinstall livepitch") from error


def drivers_of(layers: Layers) -> Drivers:
    """What brings the corrective modes on, as the file's arrays hold it."""
    return Drivers(
        linear=layers["drivers.linear"],
        pairs=layers["drivers.pairs"].astype(np.int32),
        floors=layers["drivers.floors"],
        products=layers["drivers.products"],
    )
