"""One utterance as the performer knows it: mouth, loudness, accents, pauses, and its end."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from avatar_engine.motion.coarticulation import LOOKAHEAD_S, MouthTrack
from avatar_engine.motion.emphasis import Accent, EmphasisReader, Span
from avatar_engine.motion.loudness import LoudnessTrack
from avatar_engine.motion.noise import eased
from avatar_engine.motion.prosody import ProsodyTrack
from avatar_engine.types.arkit import ARKIT_INDEX
from avatar_engine.types.speech import Heard, Phoneme, Word

CANCEL_S = 0.12
"""After ``cancel`` the mouth is shut within this time."""

_MICRO_PAUSE_S = 0.14
_ONSET_S, _FIRST_SHARE = 0.09, 0.45
_TAIL_S = 1.3  # after its end an utterance still has gestures to finish
_SLACK_S, _SLACK_STEP_S = 0.16, 0.04
_JAW_OPEN = ARKIT_INDEX["jawOpen"]
_MOUTH_CLOSE = ARKIT_INDEX["mouthClose"]


class Utterance:
    """What is known of one utterance; times are seconds into it.

    Args:
        start_s: When its first sample sounds, on the frame clock.
        text: As given to the voice.
        rng: For its accents alone.
        stressed: Stretches of the text to emphasise.
    """

    def __init__(
        self, start_s: float, text: str, rng: Generator, stressed: Sequence[Span] = ()
    ) -> None:
        self.start_s = start_s
        self.first_seen_s: float | None = None
        self.mouth = MouthTrack()
        self.loudness = LoudnessTrack()
        self.prosody = ProsodyTrack()
        self.emphasis = EmphasisReader(text, rng, stressed)
        self.accents: list[Accent] = []
        self.pauses: list[float] = []
        self.end_s: float | None = None
        self.cancelled_s: float | None = None
        self._slack = 0.0
        self._stalled_s = 0.0

    def stall(self, seconds: float) -> None:
        """Its sound did not come: everything in it happens that much later."""
        self.start_s += seconds
        self._stalled_s += seconds

    def feed(self, phonemes: Sequence[Phoneme], words: Sequence[Word], heard: Heard | None) -> None:
        """What comes next of it."""
        self.mouth.feed(phonemes)
        if heard is not None:
            self.pauses += self.mouth.hear(heard)
        self.accents += self.emphasis.read(words)
        self.pauses += [
            phoneme.start_s
            for phoneme in phonemes
            if not phoneme.symbol and phoneme.end_s - phoneme.start_s > _MICRO_PAUSE_S
        ]

    def feed_sound(self, pcm: NDArray[np.int16], sample_rate_hz: int) -> None:
        """Its samples [S], in order."""
        self.loudness.feed(pcm, sample_rate_hz)
        self.prosody.feed(pcm, sample_rate_hz)

    def end(self, end_s: float) -> None:
        """It sounds until then."""
        if self.end_s is None:
            self.end_s = end_s
            self.pauses.append(end_s)

    def presence(self, time_s: float) -> float:
        """1 while it is spoken, eased over a third of a second at both ends."""
        end_s = min(
            (t for t in (self.end_s, self.cancelled_s) if t is not None), default=float("inf")
        )
        rising = eased((time_s + LOOKAHEAD_S) / 0.35)
        return rising * (1.0 - eased((time_s - end_s) / 0.5))

    def mouth_weights(self, time_s: float) -> NDArray[np.float32]:
        """Its share of the mouth's weights [52] now."""
        if self.first_seen_s is None:
            self.first_seen_s = time_s
        if time_s < -LOOKAHEAD_S:
            return np.zeros(52, np.float32)
        weights = self.mouth.weights(time_s)
        effort = np.clip(1.0 + 0.018 * self.loudness.relative(time_s), 0.85, 1.15)
        weights[_JAW_OPEN] *= effort
        weights[_MOUTH_CLOSE] *= effort
        if self.first_seen_s > -LOOKAHEAD_S:
            # Begun without notice: the lips have no time to prepare, yet must not jump.
            weights *= eased((time_s - self.first_seen_s + _FIRST_SHARE * _ONSET_S) / _ONSET_S)
        # While the sound is missing the mouth closes softly, and opens again with it.
        wanted = 1.0 if self._stalled_s else 0.0
        step = self._stalled_s or _SLACK_STEP_S
        self._slack += float(np.clip(wanted - self._slack, -step / _SLACK_S, step / _SLACK_S))
        self._stalled_s = 0.0
        weights *= 1.0 - eased(self._slack)
        if self.cancelled_s is not None:
            weights *= 1.0 - eased((time_s - self.cancelled_s) / CANCEL_S)
        return weights

    def arousal(self, time_s: float) -> float:
        """How excited it sounds now, -1 to 1; 0 once it is over."""
        return self.prosody.arousal(time_s) * self.presence(time_s)

    def is_over(self, time_s: float) -> bool:
        """Nothing of it is left to be seen."""
        ends = [t for t in (self.end_s, self.cancelled_s) if t is not None]
        return bool(ends) and time_s > min(ends) + _TAIL_S
