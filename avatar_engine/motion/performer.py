"""The performer: one face, frame by frame, that speaks when it is given speech and lives otherwise.

Streaming and repeatable: with the same seed, the same calls before the same frames give the same
frames. Speech must be fed :data:`~avatar_engine.motion.coarticulation.LOOKAHEAD_S` ahead of the
frame that is asked for; how it is cut into chunks then makes no difference.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import radians

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

from avatar_engine.motion.coarticulation import LOOKAHEAD_S, MouthTrack
from avatar_engine.motion.emphasis import Accent, EmphasisReader
from avatar_engine.motion.eyes import Blinks, Gaze, lids_follow
from avatar_engine.motion.loudness import LoudnessTrack
from avatar_engine.motion.noise import Wander, eased, pulse
from avatar_engine.types.arkit import ARKIT_INDEX, weights_of
from avatar_engine.types.motion import FaceState, Motion
from avatar_engine.types.speech import Phoneme, SpeechChunk, Word

CANCEL_S = 0.12
"""After ``cancel`` the mouth is shut within this time."""

_MICRO_PAUSE_S = 0.14
_ONSET_S, _FIRST_SHARE = 0.09, 0.45
_TAIL_S = 1.3  # after its end an utterance still has gestures to finish
_KEPT_FRAMES = 16


class _Utterance:
    """What is known of one utterance; times are seconds into it."""

    def __init__(self, start_s: float, text: str, rng: Generator) -> None:
        self.start_s = start_s
        self.first_seen_s: float | None = None
        self.mouth = MouthTrack()
        self.loudness = LoudnessTrack()
        self.emphasis = EmphasisReader(text, rng)
        self.accents: list[Accent] = []
        self.pauses: list[float] = []
        self.end_s: float | None = None
        self.cancelled_s: float | None = None

    def feed(self, phonemes: Sequence[Phoneme], words: Sequence[Word]) -> None:
        self.mouth.feed(phonemes)
        self.accents += self.emphasis.read(words)
        self.pauses += [
            phoneme.start_s
            for phoneme in phonemes
            if not phoneme.symbol and phoneme.end_s - phoneme.start_s > _MICRO_PAUSE_S
        ]

    def end(self, end_s: float) -> None:
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
        if self.cancelled_s is not None:
            weights *= 1.0 - eased((time_s - self.cancelled_s) / CANCEL_S)
        return weights

    def is_over(self, time_s: float) -> bool:
        ends = [t for t in (self.end_s, self.cancelled_s) if t is not None]
        return bool(ends) and time_s > min(ends) + _TAIL_S


@dataclass(frozen=True, slots=True)
class _Glance:
    begin_s: float
    yaw: float
    pitch: float
    hold_s: float


_SIDES = {
    "left": (radians(-13.0), 0.0),
    "right": (radians(13.0), 0.0),
    "up": (0.0, radians(-8.0)),
    "down": (0.0, radians(9.0)),
}
_JAW_OPEN = ARKIT_INDEX["jawOpen"]
_MOUTH_CLOSE = ARKIT_INDEX["mouthClose"]
_SMILE = weights_of(mouthSmile=0.2, cheekSquint=0.1, mouthDimple=0.04)
_BROWS = weights_of(browInnerUp=0.3, browOuterUp=0.26)
_FROWN = weights_of(browDown=0.18)
_BREATH_CM = 0.07


class Performer:
    """Makes the face of each frame, in order.

    Args:
        fps: Frames per second; frame i is sampled at i / fps seconds.
        seed: Everything random comes from it.
    """

    def __init__(self, *, fps: float = 25.0, seed: int = 0) -> None:
        self.fps = fps
        self._seeds = SeedSequence(seed)
        streams = [Generator(PCG64(s)) for s in self._seeds.spawn(12)]
        self._gaze = Gaze(streams[0])
        self._blinks = Blinks(streams[1])
        # Yaw, pitch, roll: posture, then what is alive on top of it.
        self._posture = [Wander(rng, (1.3, 3.6)) for rng in streams[2:5]]
        self._sway = [Wander(rng, (0.28, 0.8)) for rng in streams[5:8]]
        self._mood = Wander(streams[8], (4.0, 11.0))
        self._brow = Wander(streams[9], (0.8, 3.0))
        self._breath = _Breath(streams[10])
        self._shift = Wander(streams[11], (2.0, 5.0))
        self._utterances: list[_Utterance] = []
        self._count = 0
        self._wanted: deque[_Glance] = deque()
        self._glances: list[_Glance] = []
        self._frames: dict[int, FaceState] = {}
        self._next = 0
        self._pauses_seen_s = -1.0

    def begin(self, start_s: float, text: str = "") -> None:
        """An utterance begins at ``start_s`` on the frame clock; what is fed next belongs to it.

        Args:
            start_s: Time of its first sample. The mouth prepares up to ``LOOKAHEAD_S`` earlier,
                so begin it that long before where there is a choice.
            text: As given to the voice; with it, prices and strong words are emphasised.
        """
        self._count += 1
        (seed,) = SeedSequence((*_entropy(self._seeds), self._count)).spawn(1)
        self._utterances.append(_Utterance(start_s, text, Generator(PCG64(seed))))

    def feed(
        self,
        phonemes: Sequence[Phoneme],
        words: Sequence[Word] = (),
        pcm: NDArray[np.int16] | None = None,
        *,
        sample_rate_hz: int = 48_000,
    ) -> None:
        """What comes next in the utterance begun last.

        Args:
            phonemes: In order, times relative to the utterance.
            words: Likewise.
            pcm: Its samples [S], in order; with them, louder speech moves more.
            sample_rate_hz: Of ``pcm``.

        Raises:
            RuntimeError: No utterance was begun.
        """
        if not self._utterances:
            raise RuntimeError("feed before begin: phonemes need an utterance")
        self._utterances[-1].feed(phonemes, words)
        if pcm is not None:
            self._utterances[-1].loudness.feed(pcm, sample_rate_hz)

    def end(self, at_s: float) -> None:
        """The utterance begun last sounds until ``at_s`` on the frame clock."""
        if self._utterances:
            self._utterances[-1].end(at_s - self._utterances[-1].start_s)

    def cancel(self, at_s: float) -> None:
        """Stop speaking: from ``at_s`` the mouth eases shut within :data:`CANCEL_S`."""
        for utterance in self._utterances:
            moment = at_s - utterance.start_s
            if utterance.cancelled_s is None or moment < utterance.cancelled_s:
                utterance.cancelled_s = moment

    def glance(self, direction: str, *, at_s: float = 0.0, hold_s: float = 0.9) -> None:
        """Look at something beside the picture's middle, then back at the viewer.

        May be called from another thread; it takes effect with the next frame made.

        Args:
            direction: A side of the picture as the viewer sees it, ``left``, ``right``, ``up`` or
                ``down``, or two of them: ``down-right``.
            at_s: Not before this time on the frame clock.
            hold_s: How long the eyes rest there.

        Raises:
            ValueError: Unknown direction.
        """
        yaw = pitch = 0.0
        for side in direction.split("-"):
            if side not in _SIDES:
                raise ValueError(f"glance {direction!r}: use {', '.join(_SIDES)} or two of them")
            yaw += _SIDES[side][0]
            pitch += _SIDES[side][1]
        self._wanted.append(_Glance(at_s, yaw, pitch, hold_s))

    def state(self, index: int) -> FaceState:
        """The face of a frame; frames are made in order, the last few can be asked for again.

        Raises:
            ValueError: The frame is too far back.
        """
        while self._next <= index:
            self._frames[self._next] = self._make(self._next / self.fps)
            self._frames.pop(self._next - _KEPT_FRAMES, None)
            self._next += 1
        if index not in self._frames:
            raise ValueError(f"frame {index} is gone; the next is {self._next}")
        return self._frames[index]

    def _make(self, now_s: float) -> FaceState:
        self._utterances = [u for u in self._utterances if not u.is_over(now_s - u.start_s)] or (
            self._utterances[-1:]
        )
        speaking = max((u.presence(now_s - u.start_s) for u in self._utterances), default=0.0)
        self._start_glances(now_s)
        shift = self._gaze.advance(now_s, speaking=speaking)
        is_pause = self._passes_pause(now_s)
        self._blinks.advance(now_s, speaking=speaking, shift=shift, is_pause=is_pause)

        mouth = np.zeros(52, np.float32)
        for utterance in self._utterances:
            mouth += utterance.mouth_weights(now_s - utterance.start_s)
        nod, brows = self._accents(now_s)
        head = self._head(now_s, speaking, nod)
        look_yaw, look_pitch = self._gaze.at(now_s)
        # The eyes stay on their point while the head moves under them.
        yaw, pitch = look_yaw - head[0], look_pitch - head[1]

        weights = mouth
        rounded = mouth[ARKIT_INDEX["mouthPucker"]] + mouth[ARKIT_INDEX["mouthFunnel"]]
        smile = (0.75 + 0.25 * self._mood.at(now_s)) * (1.0 - 0.35 * speaking)
        weights += _SMILE * np.float32(max(smile, 0.1) * max(0.25, 1.0 - 1.3 * rounded))
        lift = brows + 0.12 * self._brow.at(now_s) * (0.35 + 0.65 * speaking)
        weights += _BROWS * np.float32(max(lift, 0.0)) + _FROWN * np.float32(max(-lift, 0.0))
        closed = self._blinks.at(now_s)
        weights += weights_of(**lids_follow(yaw, pitch)) * np.float32(1.0 - closed)
        weights += weights_of(eyeBlink=closed, browDown=0.05 * closed)
        return FaceState(
            np.clip(weights, 0.0, 1.0).astype(np.float32),
            head.astype(np.float32),
            self._shift_cm(now_s),
            np.array([yaw, pitch], np.float32),
        )

    def _start_glances(self, now_s: float) -> None:
        while self._wanted and self._wanted[0].begin_s <= now_s:
            wanted = self._wanted.popleft()
            self._glances.append(replace(wanted, begin_s=now_s))
            self._gaze.look(wanted.yaw, wanted.pitch, now_s=now_s, hold_s=wanted.hold_s)
        self._glances = [g for g in self._glances if now_s < g.begin_s + g.hold_s + 1.5]

    def _passes_pause(self, now_s: float) -> bool:
        """A sentence ended since the frame before."""
        found = any(
            self._pauses_seen_s < u.start_s + pause <= now_s
            for u in self._utterances
            if u.cancelled_s is None
            for pause in u.pauses
        )
        self._pauses_seen_s = now_s
        return found

    def _accents(self, now_s: float) -> tuple[float, float]:
        """Nod (radians, down) and brow lift (0 to 1) now."""
        nod = brows = 0.0
        for utterance in self._utterances:
            if utterance.cancelled_s is not None:
                continue
            time_s = now_s - utterance.start_s
            effort = np.clip(1.0 + 0.03 * utterance.loudness.relative(time_s), 0.8, 1.25)
            for accent in utterance.accents:
                since_s = time_s - accent.time_s + 0.06
                if not 0.0 < since_s < 1.2:
                    continue
                size = accent.strength * float(effort)
                if accent.has_nod:
                    down = pulse(since_s, rise_s=0.16, hold_s=0.03, fall_s=0.34)
                    nod += radians(2.4) * size * down
                if accent.has_brows:
                    lift = pulse(since_s, rise_s=0.14, hold_s=0.16, fall_s=0.42)
                    brows = max(brows, size * lift)
        return nod, brows

    def _head(self, now_s: float, speaking: float, nod: float) -> NDArray[np.float64]:
        posture = np.array([curve.at(now_s) for curve in self._posture])
        sway = np.array([curve.at(now_s) for curve in self._sway])
        calm = np.radians([1.5, 0.8, 0.7]) * posture + np.radians([0.25, 0.2, 0.12]) * sway
        lively = np.radians([1.9, 1.0, 0.75]) * posture + np.radians([0.7, 0.55, 0.3]) * sway
        head = calm + speaking * (lively - calm)
        head[1] += nod + radians(0.25) * self._breath.at(now_s)
        for glance in self._glances:
            # The head follows the eyes a little, and later.
            since_s = now_s - glance.begin_s - 0.06
            turn = pulse(since_s, rise_s=0.32, hold_s=max(glance.hold_s - 0.1, 0.0), fall_s=0.45)
            head[:2] += turn * np.clip([0.28 * glance.yaw, 0.28 * glance.pitch], -0.06, 0.06)
        limits = np.radians([5.8, 3.8, 1.9])
        return limits * np.tanh(head / limits)

    def _shift_cm(self, now_s: float) -> NDArray[np.float32]:
        breath = self._breath.at(now_s)
        side = 0.05 * self._shift.at(now_s)
        return np.array([side, _BREATH_CM * breath, 0.5 * _BREATH_CM * breath], np.float32)


class _Breath:
    """Breathing, -1 to 1; each breath has its own length and depth."""

    def __init__(self, rng: Generator) -> None:
        self._rng = rng
        self._begin_s = 0.0
        self._length_s = 4.2
        self._depth = 1.0

    def at(self, now_s: float) -> float:
        """The state of the chest at a time not before the last one asked for."""
        while now_s >= self._begin_s + self._length_s:
            self._begin_s += self._length_s
            self._length_s = float(np.clip(self._rng.normal(4.2, 0.5), 3.0, 5.6))
            self._depth = float(np.clip(self._rng.normal(1.0, 0.18), 0.5, 1.4))
        share = (now_s - self._begin_s) / self._length_s
        # In within two fifths, out in the rest, a breath always begins and ends empty.
        lift = eased(share / 0.4) if share < 0.4 else 1.0 - eased((share - 0.4) / 0.55)
        return 2.0 * self._depth * lift - 1.0


def perform(
    chunks: Iterable[SpeechChunk],
    *,
    fps: float = 25.0,
    seed: int = 0,
    text: str = "",
    lead_in_s: float = 0.0,
    tail_s: float = 0.6,
) -> Motion:
    """The motion of one utterance, all at once.

    Args:
        chunks: A voice's output.
        fps: Frames per second.
        seed: As for :class:`Performer`.
        text: As given to the voice.
        lead_in_s: Silence before the speech.
        tail_s: How long the motion goes on after it.
    """
    performer = Performer(fps=fps, seed=seed)
    performer.begin(lead_in_s, text)
    end_s = lead_in_s
    for chunk in chunks:
        performer.feed(chunk.phonemes, chunk.words, chunk.pcm, sample_rate_hz=chunk.sample_rate_hz)
        end_s = lead_in_s + chunk.start_s + len(chunk.pcm) / chunk.sample_rate_hz
    performer.end(end_s)
    count = max(1, int(np.ceil((end_s + tail_s) * fps)))
    states = [performer.state(i) for i in range(count)]
    return Motion(
        np.stack([state.blendshapes for state in states]),
        np.stack([state.head_pose for state in states]),
        np.stack([state.head_shift for state in states]),
        np.stack([state.gaze for state in states]),
        fps,
    )


def _entropy(seeds: SeedSequence) -> tuple[int, ...]:
    entropy = seeds.entropy
    return (entropy,) if isinstance(entropy, int) else tuple(entropy or ())
