"""The motion of one utterance, all at once."""

from collections.abc import Iterable

import numpy as np

from avatar_engine.motion.performer import Performer
from avatar_engine.types.marks import Emotion
from avatar_engine.types.motion import Motion
from avatar_engine.types.speech import SpeechChunk


def perform(
    chunks: Iterable[SpeechChunk],
    *,
    fps: float = 25.0,
    seed: int = 0,
    text: str = "",
    lead_in_s: float = 0.0,
    tail_s: float = 0.6,
    emotion: Emotion = "neutral",
) -> Motion:
    """The motion of one utterance, all at once.

    Args:
        chunks: A voice's output.
        fps: Frames per second.
        seed: As for :class:`Performer`.
        text: As given to the voice.
        lead_in_s: Silence before the speech.
        tail_s: How long the motion goes on after it.
        emotion: What the face shows.
    """
    performer = Performer(fps=fps, seed=seed, emotion=emotion)
    performer.begin(lead_in_s, text)
    end_s = lead_in_s
    for chunk in chunks:
        performer.feed(
            chunk.phonemes,
            chunk.words,
            chunk.pcm,
            sample_rate_hz=chunk.sample_rate_hz,
            heard=chunk.heard,
        )
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
        torso=np.stack([state.torso for state in states]),
    )
