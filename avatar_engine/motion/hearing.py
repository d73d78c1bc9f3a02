"""From what an ear heard to shapes in time: where one sound ends, and how sure the ear was of it.

Stretches in which the same sound leads become sounds with a beginning and an end, as a voice's
phonemes would be; their shape is the mixture of everything the ear thought possible, so that a
doubtful vowel opens the mouth half way instead of wrongly.
"""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.motion.visemes import Viseme, visemes_of
from avatar_engine.types.speech import HEARD_RATE_HZ, HEARD_SOUNDS, Heard

LONGEST_FRAMES = 8
"""Longer sounds are told in parts, so that a long vowel need not be over to be seen."""

_SHORTEST_FRAMES = 3
_TOUCH_FRAMES = 2
_CLOSED, _BITTEN = HEARD_SOUNDS.index("m"), HEARD_SOUNDS.index("f")
# How much less sure the ear may be of lips that touch: a missed contact is seen at once, but so
# is a mouth that shuts too often.
_EAGERNESS = np.ones(len(HEARD_SOUNDS), np.float32)
_EAGERNESS[[_CLOSED, _BITTEN]] = 1.0, 1.1
_DOUBT = 0.3  # share of a contact below which it is not even hinted at

Shape = tuple[Viseme, float, float]
"""A mouth shape, when it begins and when it ends, in seconds of the utterance."""


class HeardShapes:
    """Turns what is heard, piece by piece, into shapes; independent of how it was cut."""

    def __init__(self) -> None:
        self._shapes = [visemes_of(symbol)[0] for symbol in HEARD_SOUNDS]
        self._weights = np.array([shape.weights for shape in self._shapes])
        self._dominance = np.array([shape.dominance for shape in self._shapes])
        self._frames: list[NDArray[np.float32]] = []
        self._leaders: list[int] = []
        self._begin = 0  # frame number of the first one kept
        self._silence_s: float | None = None
        self.pauses: list[float] = []

    def push(self, heard: Heard) -> list[Shape]:
        """Shapes that are over, after those given before."""
        done: list[Shape] = []
        begin = round(heard.start_s * HEARD_RATE_HZ)
        if len(heard.shares) and abs(begin - self._begin - len(self._frames)) > 1:
            # Another stretch of sound, such as the next sentence's.
            done += [self._cut(len(self._frames))] if self._frames else []
            self._begin = begin
        for shares in heard.shares:
            self._frames.append(shares)
            self._leaders.append(int((shares * _EAGERNESS).argmax()))
            end = self._boundary()
            if end:
                done.append(self._cut(end))
        return done

    def rest(self) -> Shape | None:
        """The sound that is still going on, as far as it is known."""
        return self._shape(len(self._frames)) if self._frames else None

    def _boundary(self) -> int:
        """How many of the kept frames are a sound that is over; 0 while none is."""
        leaders = self._leaders
        first = leaders[0]
        if leaders[-1] != first:
            # Another sound, if it stays: a flicker of a frame or two is none, but a touch is.
            stays = _SHORTEST_FRAMES if leaders[-1] not in (_CLOSED, _BITTEN) else _TOUCH_FRAMES
            change = next(i for i, leader in enumerate(leaders) if leader != first)
            if len(set(leaders[-stays:])) == 1 and len(leaders) - change >= stays:
                return max(len(leaders) - stays, 1)
        return LONGEST_FRAMES if len(leaders) >= LONGEST_FRAMES + _SHORTEST_FRAMES else 0

    def _cut(self, count: int) -> Shape:
        shape = self._shape(count)
        self._watch_silence(self._leaders[0] == 0, shape[1])
        del self._frames[:count], self._leaders[:count]
        self._begin += count
        return shape

    def _watch_silence(self, is_silent: bool, start_s: float) -> None:
        if not is_silent:
            self._silence_s = None
        elif self._silence_s is None:
            self._silence_s = start_s
        elif self._silence_s >= 0 and start_s - self._silence_s > 0.06:
            self.pauses.append(self._silence_s)
            self._silence_s = -1.0  # told

    def _shape(self, count: int) -> Shape:
        shares = np.mean(self._frames[:count], axis=0)
        leader = self._leaders[0]
        touch = []
        for sound in (_CLOSED, _BITTEN):
            share = float(shares[sound])
            touch.append(1.0 if leader == sound else share if share > _DOUBT else 0.0)
        shape = Viseme(shares @ self._weights, shares @ self._dominance, *touch)
        return shape, self._begin / HEARD_RATE_HZ, (self._begin + count) / HEARD_RATE_HZ
