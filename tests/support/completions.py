"""A compensator made by hand, for tests that need no weights."""

import numpy as np

from avatar_engine.types import ARKIT_INDEX, Compensation, Drivers, SeenHead


class HandMade:
    """Paints what was not seen green and lets the chin swing back as the jaw opens.

    Attributes:
        told: The heads it was asked about.
    """

    def __init__(self) -> None:
        self.told: list[SeenHead] = []

    def compensate(self, head: SeenHead) -> Compensation:
        """Green where nothing was seen, and two modes of which one moves nothing."""
        self.told.append(head)
        green = np.array([0.1, 0.8, 0.2], np.float32)
        color = np.where(head.seen[:, None] > 0.5, head.color, green)
        x, y, z = head.positions.T
        chin = np.exp(-(((y + 9) / 2) ** 2) - (x / 3) ** 2) * np.clip(z / 8, 0, 1)
        modes = np.zeros((2, len(color), 3), np.float32)
        modes[1, :, 2] = -0.6 * chin
        linear = np.zeros((2, 52), np.float32)
        linear[:, ARKIT_INDEX["jawOpen"]] = 1
        drivers = Drivers(
            linear,
            np.zeros((0, 2), np.int32),
            np.zeros(0, np.float32),
            np.zeros((2, 0), np.float32),
        )
        return Compensation(color, modes, drivers)
