"""What the engine gives out: a picture, its sound, and what happened in it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Cue:
    """Something that happens at playout.

    Attributes:
        kind: ``started`` and ``ended`` of an utterance; ``word``; ``mark`` of a mark in the text.
        utterance_id: Given by whoever asked for the utterance.
        offset_s: Seconds after the start of the frame.
        start, end: The span of the utterance's text (words).
        name: The mark.
    """

    kind: Literal["started", "word", "mark", "ended"]
    utterance_id: int
    offset_s: float = 0.0
    start: int = 0
    end: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class AvatarFrame:
    """One video frame and exactly its share of audio.

    Attributes:
        index: Frame number from 0; its pts is index / fps seconds, audio and video alike.
        video: uint8. I420: flat [H * W * 3 / 2]; RGB: [H, W, 3]; RGBA: [H, W, 4].
        audio: int16 mono [48000 / fps].
        generation: Raised by each interruption; older frames must not be shown any more.
        utterance_id: What is being spoken, or None.
        cues: In order of offset.
    """

    index: int
    video: NDArray[np.uint8]
    audio: NDArray[np.int16]
    generation: int
    utterance_id: int | None
    cues: tuple[Cue, ...] = ()
