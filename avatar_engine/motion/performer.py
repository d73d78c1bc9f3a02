"""The performer: one face, frame by frame, that speaks when it is given speech and lives otherwise.

Streaming and repeatable: with the same seed, the same calls before the same frames give the same
frames. Speech must be fed :data:`~avatar_engine.motion.coarticulation.LOOKAHEAD_S` ahead of the
frame that is asked for; how it is cut into chunks then makes no difference.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from math import radians

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

from avatar_engine.motion.breath import Breath
from avatar_engine.motion.emotion import Feeling, Shading
from avatar_engine.motion.emphasis import Span
from avatar_engine.motion.eyes import Blinks, Gaze, lids_follow
from avatar_engine.motion.gestures import ACT_BEATS, Gestures
from avatar_engine.motion.noise import Wander, pulse
from avatar_engine.motion.torso import Torso
from avatar_engine.motion.utterance import Utterance
from avatar_engine.motion.visemes import PRESSED_WEIGHTS
from avatar_engine.motion.wishes import Glance, Wish, glance_to
from avatar_engine.types.arkit import ARKIT, ARKIT_INDEX, weights_of
from avatar_engine.types.marks import ACTS, EMOTIONS, Act, Emotion
from avatar_engine.types.motion import FaceState
from avatar_engine.types.speech import Heard, Phoneme, Word

_KEPT_FRAMES = 16


_PRESS = ARKIT_INDEX["mouthPressLeft"]
_SMILE = weights_of(mouthSmile=0.2, cheekSquint=0.1, mouthDimple=0.04)
_BROWS = weights_of(browInnerUp=0.3, browOuterUp=0.26)
_FROWN = weights_of(browDown=0.18)
_ASIDE_CM = 0.05
_LIMITS = np.radians([6.2, 5.0, 3.6])  # a photo's far side bears no more yaw
_IS_MOUTH = np.array([name.startswith("mouth") for name in ARKIT])
_LIDS = [i for name, i in ARKIT_INDEX.items() if name.startswith(("eyeWide", "eyeSquint"))]


class Performer:
    """Makes the face of each frame, in order.

    Args:
        fps: Frames per second; frame i is sampled at i / fps seconds.
        seed: Everything random comes from it.
        emotion: What the face shows where no mark says otherwise.
        card: Where a pinned product is shown, as :meth:`glance` takes it.
    """

    def __init__(
        self,
        *,
        fps: float = 25.0,
        seed: int = 0,
        emotion: Emotion = "neutral",
        card: str = "down",
    ) -> None:
        self.fps = fps
        self.emotion: Emotion = emotion
        self._card = card
        self._feeling = Feeling(emotion)
        self._seeds = SeedSequence(seed)
        streams = [Generator(PCG64(s)) for s in self._seeds.spawn(13)]
        self._gestures = Gestures(streams[12])
        self._gaze = Gaze(streams[0])
        self._blinks = Blinks(streams[1])
        # Yaw, pitch, roll: posture, then what is alive on top of it.
        self._posture = [Wander(rng, (1.3, 3.6)) for rng in streams[2:5]]
        self._sway = [Wander(rng, (0.28, 0.8)) for rng in streams[5:8]]
        self._mood = Wander(streams[8], (4.0, 11.0))
        self._brow = Wander(streams[9], (0.8, 3.0))
        self._breath = Breath(streams[10])
        self._aside = Wander(streams[11], (2.0, 5.0))
        self._torso = Torso(fps)
        self._utterances: list[Utterance] = []
        self._count = 0
        self._wanted: deque[Wish] = deque()
        self._glances: list[Glance] = []
        self._frames: dict[int, FaceState] = {}
        self._next = 0
        self._pauses_seen_s = -1.0

    def begin(self, start_s: float, text: str = "", *, stressed: Sequence[Span] = ()) -> None:
        """An utterance begins at ``start_s`` on the frame clock; what is fed next belongs to it.

        Args:
            start_s: Time of its first sample. The mouth prepares up to ``LOOKAHEAD_S`` earlier,
                so begin it that long before where there is a choice.
            text: As given to the voice; with it, prices and strong words are emphasised.
            stressed: Stretches (start, end) of the text to emphasise, such as a product's name.
        """
        self._count += 1
        (seed,) = SeedSequence((*_entropy(self._seeds), self._count)).spawn(1)
        self._utterances.append(Utterance(start_s, text, Generator(PCG64(seed)), stressed))

    def feed(
        self,
        phonemes: Sequence[Phoneme],
        words: Sequence[Word] = (),
        pcm: NDArray[np.int16] | None = None,
        *,
        sample_rate_hz: int = 48_000,
        heard: Heard | None = None,
    ) -> None:
        """What comes next in the utterance begun last.

        Args:
            phonemes: In order, times relative to the utterance.
            words: Likewise.
            pcm: Its samples [S], in order; with them, louder speech moves more.
            sample_rate_hz: Of ``pcm``.
            heard: What an ear made of the sound, in the place of phonemes.

        Raises:
            RuntimeError: No utterance was begun.
        """
        if not self._utterances:
            raise RuntimeError("feed before begin: phonemes need an utterance")
        self._utterances[-1].feed(phonemes, words, heard)
        if pcm is not None:
            self._utterances[-1].feed_sound(pcm, sample_rate_hz)

    def stall(self, seconds: float) -> None:
        """The sound of the utterance begun last did not come in time: it goes on later."""
        if self._utterances and self._utterances[-1].end_s is None:
            self._utterances[-1].stall(seconds)

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

    def feel(self, emotion: Emotion | None, *, at_s: float = 0.0) -> None:
        """Show an emotion from now on; None is the one the performer was made with.

        May be called from another thread; it takes effect with the next frame made.

        Args:
            emotion: One of ``EMOTIONS``.
            at_s: Not before this time on the frame clock.

        Raises:
            ValueError: Unknown emotion.
        """
        emotion = emotion or self.emotion
        if emotion not in EMOTIONS:
            raise ValueError(f"emotion {emotion!r}: there are {', '.join(EMOTIONS)}")
        self._wanted.append(Wish(at_s, emotion=emotion))

    def act(self, act: Act, *, at_s: float = 0.0) -> None:
        """Do something once; a ``glance`` without a side is to the pinned card.

        May be called from another thread; it takes effect with the next frame made.

        Args:
            act: One of ``ACTS``.
            at_s: Not before this time on the frame clock.

        Raises:
            ValueError: Unknown act.
        """
        if act not in ACTS:
            raise ValueError(f"act {act!r}: there are {', '.join(ACTS)}")
        if act in ACT_BEATS:
            self._wanted.append(Wish(at_s, act=act))
        else:
            _, _, side = act.partition("-")
            self.glance(side or self._card, at_s=at_s)

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
        glance = glance_to(direction, at_s=at_s, hold_s=hold_s)
        self._wanted.append(Wish(at_s, glance=glance))

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
        self._grant(now_s)
        shading = self._feeling.at(now_s)
        arousal = max((u.arousal(now_s - u.start_s) for u in self._utterances), key=abs, default=0)
        attention = min(max(speaking + 0.5 * shading.contact, 0.0), 1.0)
        shift = self._gaze.advance(now_s, speaking=attention, tempo=shading.tempo)
        is_pause = self._passes_pause(now_s)
        self._blinks.advance(
            now_s, speaking=speaking, shift=shift, is_pause=is_pause, tempo=shading.tempo
        )
        mouth = np.zeros(52, np.float32)
        for utterance in self._utterances:
            mouth += utterance.mouth_weights(now_s - utterance.start_s)
        nod, brows = self._accents(now_s)
        turn, gesture = self._gestures.at(now_s, speaking=speaking, tempo=shading.tempo)
        liveliness = shading.liveliness * (1.0 + 0.4 * arousal)
        head = self._head(now_s, speaking, liveliness, nod, turn + shading.bearing)
        look_yaw, look_pitch = self._gaze.at(now_s)
        # The eyes stay on their point while the head moves under them.
        yaw, pitch = look_yaw - head[0], look_pitch - head[1]

        lift = shading.brows + liveliness * brows + 0.3 * arousal
        lift += 0.12 * self._brow.at(now_s) * (0.35 + 0.65 * speaking)
        closed = self._blinks.at(now_s)
        weights = self._mouth(mouth, shading, gesture, now_s, speaking)
        weights += _BROWS * np.float32(max(lift, 0.0)) + _FROWN * np.float32(max(-lift, 0.0))
        upper = shading.upper.copy()
        upper[_LIDS] *= 1.0 - closed  # closed lids are closed, however wide the eyes were
        weights += upper
        weights += weights_of(**lids_follow(yaw, pitch)) * np.float32(1.0 - closed)
        weights += weights_of(eyeBlink=closed, browDown=0.05 * closed)
        aside_cm = _ASIDE_CM * self._aside.at(now_s)
        torso, shift_cm = self._torso.follow(head, self._breath.at(now_s), aside_cm)
        return FaceState(
            np.clip(weights, 0.0, 1.0).astype(np.float32),
            head.astype(np.float32),
            shift_cm,
            np.array([yaw, pitch], np.float32),
            torso=torso,
        )

    def _mouth(
        self,
        mouth: NDArray[np.float32],
        shading: Shading,
        gesture: NDArray[np.float32],
        now_s: float,
        speaking: float,
    ) -> NDArray[np.float32]:
        """Speech first; smile, feeling and gestures as far as lips that meet or round let them."""
        rounded = mouth[ARKIT_INDEX["mouthPucker"]] + mouth[ARKIT_INDEX["mouthFunnel"]]
        room = max(0.25, 1.0 - 1.3 * float(rounded))
        meeting = min(float(mouth[_PRESS] / PRESSED_WEIGHTS[_PRESS]), 1.0)
        room *= 1.0 - 0.5 * meeting
        smile = max((0.75 + 0.25 * self._mood.at(now_s)) * (1.0 - 0.35 * speaking), 0.1)
        feeling = _SMILE * np.float32(smile * shading.smile) + shading.lower
        return mouth + np.float32(room) * (feeling + gesture * _IS_MOUTH) + gesture * ~_IS_MOUTH

    def _grant(self, now_s: float) -> None:
        """Begin what was asked for."""
        for _ in range(len(self._wanted)):
            wish = self._wanted.popleft()
            if wish.begin_s > now_s:
                self._wanted.append(wish)
            elif wish.emotion is not None:
                self._feeling.turn(wish.emotion, now_s=now_s)
            elif wish.act is not None:
                self._gestures.begin(wish.act, now_s=now_s)
            elif wish.glance is not None:
                glance = replace(wish.glance, begin_s=now_s)
                self._glances.append(glance)
                self._gaze.look(glance.yaw, glance.pitch, now_s=now_s, hold_s=glance.hold_s)
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

    def _head(
        self,
        now_s: float,
        speaking: float,
        liveliness: float,
        nod: float,
        gesture: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        posture = np.array([curve.at(now_s) for curve in self._posture])
        sway = np.array([curve.at(now_s) for curve in self._sway])
        calm = np.radians([1.5, 0.8, 0.7]) * posture + np.radians([0.25, 0.2, 0.12]) * sway
        lively = np.radians([1.9, 1.0, 0.75]) * posture + np.radians([0.7, 0.55, 0.3]) * sway
        head = (calm + speaking * (lively - calm)) * liveliness + gesture
        head[1] += nod * liveliness + radians(0.25) * self._breath.at(now_s)
        for glance in self._glances:
            # The head follows the eyes a little, and later.
            since_s = now_s - glance.begin_s - 0.06
            turn = pulse(since_s, rise_s=0.32, hold_s=max(glance.hold_s - 0.1, 0.0), fall_s=0.45)
            head[:2] += turn * np.clip([0.28 * glance.yaw, 0.28 * glance.pitch], -0.06, 0.06)
        return _LIMITS * np.tanh(head / _LIMITS)


def _entropy(seeds: SeedSequence) -> tuple[int, ...]:
    entropy = seeds.entropy
    return (entropy,) if isinstance(entropy, int) else tuple(entropy or ())
