"""Loads the shipped head model."""

from functools import cache
from pathlib import Path

from avatar_engine.head.packing import VERSION, unpack_rig
from avatar_engine.types import HeadRig
from avatar_engine.weights import load_weights

SHIPPED = Path(__file__).with_name("head_model.safetensors")


@cache
def load_head_rig(path: Path = SHIPPED) -> HeadRig:
    """The parametric head; decoded once per process, and shared: do not write into its arrays.

    Args:
        path: Another file of the same recipe.

    Raises:
        WeightsError: The file is missing, altered, or of a layout this version does not know.
    """
    return unpack_rig(load_weights(path, ("head_model", VERSION)).tensors)
