"""Fine motion: the few ways in which landmarks leave what any expression weight explains.

No expression drives these modes. A tracker that sees a driving face sets them (``tracking``); in
speech they stay at rest and cost nothing.
"""

from functools import cache
from pathlib import Path

import numpy as np

from avatar_engine.codebook.arithmetic import Floats
from avatar_engine.codebook.baking import baked_modes
from avatar_engine.codebook.plan import MOTION
from avatar_engine.errors import WeightsError
from avatar_engine.types import Compensation, Compensator, Drivers, SeenHead
from avatar_engine.weights import load_weights

SHIPPED = Path(__file__).with_name("fine_motion.safetensors")
NAME, VERSION = "fine motion", "1"


class WithFineMotion:
    """A compensator whose heads can follow a driving face more closely; a ``Compensator``."""

    def __init__(self, inner: Compensator, modes: Floats) -> None:
        """Put it together.

        Args:
            inner: Says everything else.
            modes: [F, N, 3] cm of ``load_fine_motion``.
        """
        self._inner, self._modes = inner, modes

    def compensate(self, head: SeenHead) -> Compensation:
        """What the inner one says, and the modes of fine motion after its own."""
        told = self._inner.compensate(head)
        old, count = told.drivers, len(self._modes)
        still = Drivers.none(count)
        drivers = Drivers(
            np.concatenate([old.linear, still.linear]),
            old.pairs,
            old.floors,
            np.concatenate([old.products, np.zeros((count, len(old.pairs)), np.float32)]),
        )
        modes = np.concatenate([told.modes, self._modes])
        return Compensation(told.color, modes, drivers)


@cache
def load_fine_motion(path: Path | None = None) -> Floats:
    """The shipped modes [F, N, 3] in cm, each as large as it usually is (one standard deviation).

    Raises:
        WeightsError: The file is missing, altered, of a layout that this version does not know,
            or of a licence that forbids sale.
    """
    path = SHIPPED if path is None else path
    weights = load_weights(path, (NAME, VERSION))
    try:
        coarse = weights.tensors["modes"].astype(np.float32)  # [F, 64, 64, 2] cm
        skin = weights.tensors["skin"].astype(np.float32)  # [256, 256]
    except KeyError as error:
        raise WeightsError(f"{path.name}: unknown layout ({error}); reinstall livepitch") from error
    cells = skin.reshape(MOTION.side, -1, MOTION.side, len(skin) // MOTION.side)
    flat = np.pad(coarse, ((0, 0), (0, 0), (0, 0), (0, 1))).transpose(0, 3, 1, 2)
    return baked_modes(flat / np.float32(MOTION.unit), cells.mean((1, 3)), skin)
