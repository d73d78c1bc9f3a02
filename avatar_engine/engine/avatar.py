"""The avatar in motion: text in, timed frames and their sound out, one call per frame."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from avatar_engine.engine.label import PresenterLabel
from avatar_engine.engine.puppet import Puppet
from avatar_engine.engine.voice_track import SAMPLE_RATE_HZ, VoiceTrack
from avatar_engine.errors import VoiceError
from avatar_engine.motion import Performer
from avatar_engine.render import Renderer
from avatar_engine.speech import Voice
from avatar_engine.types import Act, AvatarFrame, Cue, Emotion, FaceState, Mark

LEAD_IN_S = 0.08
"""How long lips take to get ready when nothing was being said."""

LOOK_AHEAD_S = 0.28
"""Speech read before it is heard: the mouth prepares its next shapes, loudness is known."""

RELAX_S = 1.2
"""After the last line a feeling stays this long."""

FADE_S = 0.008
"""An interruption fades what sounds, because a cut clicks."""


@dataclass(frozen=True, slots=True)
class _Line:
    utterance_id: int
    text: str
    marks: tuple[Mark, ...]


class AvatarEngine:
    """One persona's voice, muscles and camera, stepped frame by frame.

    ``step`` belongs to one worker thread. ``say``, ``interrupt``, ``act``, ``glance`` may be called
    from any thread; they only touch the queue and return at once. The engine owns no thread.

    Args:
        renderer: Draws FaceStates in I420, RGB or RGBA.
        voice: Speaks text.
        performer: Turns phonemes into motion; carries the seed.
        fps: Frames per second; 48000 / fps must be whole.
        label: Drawn into every picture; None only where the caller draws its own.
    """

    def __init__(
        self,
        *,
        renderer: Renderer,
        voice: Voice,
        performer: Performer,
        fps: float = 25.0,
        label: PresenterLabel | None,
    ) -> None:
        if SAMPLE_RATE_HZ % fps:
            raise ValueError(f"fps {fps:g}: 48000 samples a second do not divide into its frames")
        self.fps = fps
        self.width = renderer.config.width
        self.height = renderer.config.height
        self.generation = 0
        self._renderer = renderer
        self._voice = voice
        self._performer = performer
        self._label = label
        self._puppet = Puppet(fps)
        self._frame_samples = int(SAMPLE_RATE_HZ / fps)
        self._lock = threading.Lock()
        self._queue: deque[_Line] = deque()
        self._track: VoiceTrack | None = None
        self._index = 0
        self._picture: NDArray[np.uint8] | None = None
        self._is_interrupted = False
        self._lead_in = 0
        self._line_start_s = 0.0
        self._is_announced = False
        self._was_speaking = False
        self._relax_s: float | None = None
        self._is_dry = False

    @property
    def backlog_s(self) -> float:
        """Seconds of speech not in a frame yet; estimated for lines that still wait."""
        with self._lock:
            waiting = sum(len(line.text) for line in self._queue)
            track = self._track
        return (track.buffered_s if track else 0.0) + waiting / 15.0

    def say(self, text: str, *, utterance_id: int, marks: Sequence[Mark] = ()) -> None:
        """Queue a line.

        Args:
            text: What to say; empty text gives only its started and ended cues. It is never
                searched for marks: ``take_marks`` does that where the caller may direct the face.
            utterance_id: Comes back in the cues and frames.
            marks: What the face does at which place of the text; they come back as cues. Without
                an emotion among them the face turns back to the performer's own.
        """
        ordered = tuple(sorted(marks, key=lambda mark: mark.offset))
        with self._lock:
            self._queue.append(_Line(utterance_id, text, ordered))
        prepare = getattr(self._voice, "prepare", None)
        if prepare is not None:  # a voice far away can begin while another line still sounds
            prepare(text)

    def interrupt(self) -> int:
        """Drop everything said and queued; the next frame is already silent.

        Returns:
            The new generation, carried by every frame from now on.
        """
        with self._lock:
            self._queue.clear()
            self._is_interrupted = True
            self.generation += 1
            return self.generation

    def glance(self, direction: str) -> None:
        """Look briefly beside the camera, as to a pinned card.

        Args:
            direction: A side of the picture as the viewer sees it: ``left``, ``right``, ``up``,
                ``down``, or two of them such as ``down-right``.

        Raises:
            ValueError: Unknown direction.
        """
        self._performer.glance(direction)

    def follow(self, state: FaceState | None) -> None:
        """Take on a driver's face instead of one's own; None ends it. From any thread.

        A line that is spoken meanwhile keeps its own mouth. A driver that sends nothing for a
        second is forgotten.

        Args:
            state: What ``avatar_engine.tracking.Driver`` gives for each picture of the driver.
        """
        self._puppet.follow(state)

    def act(self, act: Act) -> None:
        """Nod, wink, greet…: one of ``ACTS``, with the next frame.

        Raises:
            ValueError: Unknown act.
        """
        self._performer.act(act)

    def feel(self, emotion: Emotion) -> None:
        """Show an emotion from the next frame on, until a mark or another call changes it.

        Raises:
            ValueError: Unknown emotion.
        """
        self._performer.feel(emotion)

    def step(self, *, is_drawn: bool = True) -> AvatarFrame:
        """The next frame.

        Args:
            is_drawn: False repeats the last picture and costs next to nothing: a machine that
                cannot keep up loses pictures and never sound.

        Raises:
            VoiceError: The voice is gone for good; the current line is dropped, the engine goes on.
        """
        with self._lock:
            generation = self.generation
            was_interrupted, self._is_interrupted = self._is_interrupted, False
        now_s = self._index / self.fps
        audio = np.zeros(self._frame_samples, np.int16)
        cues: list[Cue] = []
        filled = self._stop(audio, now_s) if was_interrupted else 0
        try:
            self._speak(audio, cues, now_s, filled)
        except VoiceError:
            self._drop_track(now_s)
            raise
        if self._relax_s is not None and now_s >= self._relax_s:
            self._performer.feel(None)
            self._relax_s = None
        picture = self._draw(is_drawn=is_drawn)
        utterance = self._track.utterance_id if self._track else None
        self._was_speaking = utterance is not None
        if utterance is None and cues:
            utterance = cues[-1].utterance_id
        frame = AvatarFrame(self._index, picture, audio, generation, utterance, tuple(cues))
        self._index += 1
        return frame

    def _draw(self, *, is_drawn: bool) -> NDArray[np.uint8]:
        own = self._performer.state(self._index)  # motion goes on, seen or not
        state = self._puppet.face(own, is_speaking=self._track is not None)
        if is_drawn or self._picture is None:
            self._picture = self._renderer.render(state).copy()
            if self._label is not None:
                self._label.draw(self._picture)
        return self._picture

    def close(self) -> None:
        """End the voice's process and release the renderer; safe to call twice."""
        self._drop_track(self._index / self.fps)
        self._voice.close()
        self._renderer.close()

    def _speak(self, audio: NDArray[np.int16], cues: list[Cue], now_s: float, filled: int) -> None:
        """Fill the frame's audio, from sample ``filled`` on, with the current line and the next."""
        while filled < len(audio):
            if self._track is None:
                with self._lock:
                    line = self._queue.popleft() if self._queue else None
                if line is None:
                    return
                self._track = VoiceTrack(
                    line.utterance_id,
                    iter(self._voice.speak(line.text)),
                    tuple(mark for mark in line.marks if mark.kind != "stress"),
                    len(line.text),
                )
                # From rest the mouth opens a moment before the sound; between lines it is ready.
                self._lead_in = 0 if self._was_speaking else round(LEAD_IN_S * SAMPLE_RATE_HZ)
                offset_s = (filled + self._lead_in) / SAMPLE_RATE_HZ
                self._line_start_s = now_s + offset_s
                stressed = [(m.offset, m.offset + m.length) for m in line.marks if m.length]
                self._performer.begin(self._line_start_s, line.text, stressed=stressed)
                self._relax_s = None
                if not any(
                    mark.kind == "emotion" and not line.text[: mark.offset].strip()
                    for mark in line.marks
                ):
                    self._performer.feel(None, at_s=self._line_start_s)
                self._is_announced = False
                self._is_dry = False
            track = self._track
            for chunk in track.read_ahead(LOOK_AHEAD_S):
                self._performer.feed(
                    chunk.phonemes,
                    chunk.words,
                    chunk.pcm,
                    sample_rate_hz=chunk.sample_rate_hz,
                    heard=chunk.heard,
                )
                if chunk.is_last:
                    length_s = chunk.start_s + len(chunk.pcm) / chunk.sample_rate_hz
                    self._performer.end(self._line_start_s + length_s)
            if self._is_starved(track):
                self._wait((len(audio) - filled) / SAMPLE_RATE_HZ)
                return
            if self._lead_in:
                quiet = min(self._lead_in, len(audio) - filled)
                self._lead_in -= quiet
                filled += quiet
                continue
            if not self._is_announced:
                cues.append(Cue("started", track.utterance_id, filled / SAMPLE_RATE_HZ))
                self._is_announced = True
            block, fired = track.take(len(audio) - filled)
            audio[filled : filled + len(block)] = block
            offset_s = filled / SAMPLE_RATE_HZ
            for cue in fired:
                if cue.kind == "mark":
                    self._perform(cue.name)
            cues.extend(
                Cue(c.kind, c.utterance_id, c.offset_s + offset_s, c.start, c.end, c.name)
                for c in fired
            )
            filled += len(block)
            if track.is_finished:
                cues.append(Cue("ended", track.utterance_id, filled / SAMPLE_RATE_HZ))
                self._track = None
                self._relax_s = now_s + RELAX_S

    def _is_starved(self, track: VoiceTrack) -> bool:
        """A slow voice has nothing to play; once dry, it has to get ahead again first."""
        if track.is_read or track.buffered_s >= LOOK_AHEAD_S:
            self._is_dry = False
        elif track.buffered_s == 0.0 or not self._is_announced:
            self._is_dry = True
        return self._is_dry

    def _wait(self, seconds: float) -> None:
        """Silence until the voice goes on; everything in the line happens that much later."""
        self._line_start_s += seconds
        self._performer.stall(seconds)

    def _perform(self, mark: str) -> None:
        """Let the face do what a mark says, from this frame on."""
        kind, _, name = mark.partition(":")
        if kind == "emotion":
            self._performer.feel(cast("Emotion", name))
        elif kind == "act":
            self._performer.act(cast("Act", name))

    def _stop(self, audio: NDArray[np.int16], now_s: float) -> int:
        """Fade the interrupted line out within this frame; the samples that took."""
        if self._track is None:
            return 0
        fade = int(FADE_S * SAMPLE_RATE_HZ)
        tail, _ = self._track.take(fade)
        ramp = np.linspace(1, 0, len(tail), dtype=np.float32)
        audio[: len(tail)] = (tail * ramp).astype(np.int16)
        self._drop_track(now_s)
        return len(tail)

    def _drop_track(self, now_s: float) -> None:
        if self._track is not None:
            self._track.close()
            self._track = None
            self._performer.cancel(now_s)
            self._relax_s = now_s
