"""How much better a generator's pictures are than the Gaussians' alone, on people it never saw."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from avatar_engine.codebook.screen.generator import ScreenGenerator
from avatar_engine.training.screen.batches import batch_of
from avatar_engine.training.screen.returning import Record


@dataclass(frozen=True, slots=True)
class Improved:
    """One record's picture, before and after, at the persona's own size S.

    Attributes:
        plain: [S, S, 3] uint8 the Gaussians' picture.
        better: [S, S, 3] uint8 with what the generator adds, brought up from its own size.
        target: [S, S, 3] uint8 the photo, or the render, that it should be.
        cpu_s: CPU seconds of the generator.
    """

    plain: NDArray[np.uint8]
    better: NDArray[np.uint8]
    target: NDArray[np.uint8]
    cpu_s: float

    @property
    def gain_db(self) -> float:
        """PSNR of the whole picture with the generator, minus that without."""
        plain, better = (
            np.square(made.astype(np.float64) - self.target).mean() + 1e-9
            for made in (self.plain, self.better)
        )
        return float(10 * np.log10(plain / better))


@torch.inference_mode()
def improve(net: ScreenGenerator, records: Sequence[Record]) -> list[Improved]:
    """Draw records read with their large pictures."""
    net.eval()
    found = []
    for record in records:
        batch = batch_of([record])
        features = net.source_features(batch.seen.source)  # once per persona
        began = time.process_time()
        change = net(batch.seen, features).change[0].permute(1, 2, 0).numpy()
        cpu_s = time.process_time() - began
        size = record.large_picture.shape[1::-1]
        large = 255 * cv2.resize(change, size, interpolation=cv2.INTER_CUBIC)
        better = np.clip(np.rint(record.large_picture + large), 0, 255).astype(np.uint8)
        found.append(Improved(record.large_picture, better, record.large_target, cpu_s))
    return found
