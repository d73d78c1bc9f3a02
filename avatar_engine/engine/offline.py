"""Videos rendered as fast as the machine allows: a line, a recording, another face, a turntable."""

import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_engine.engine.avatar import AvatarEngine
from avatar_engine.engine.label import PresenterLabel
from avatar_engine.engine.video_file import SAMPLE_RATE_HZ, VideoFile
from avatar_engine.render import Renderer
from avatar_engine.types import AvatarFrame, FaceState, take_marks

Progress = Callable[[float], None]
"""Called with the share done, 0 to 1."""

LEAD_IN_S, TAIL_S = 0.4, 0.6


def speech_frames(engine: AvatarEngine, text: str) -> Iterator[AvatarFrame]:
    """Frames of one line with a moment of quiet before and after it.

    Raises:
        MarkError: A mark in the text is unknown.
    """
    for _ in range(round(LEAD_IN_S * engine.fps)):
        yield engine.step()
    plain, marks = take_marks(text)
    engine.say(plain, utterance_id=0, marks=marks)
    tail = round(TAIL_S * engine.fps)
    while tail > 0:
        frame = engine.step()
        yield frame
        has_ended = any(cue.kind == "ended" for cue in frame.cues)
        if has_ended or tail < round(TAIL_S * engine.fps):
            tail -= 1


def render_speech(
    engine: AvatarEngine, text: str, out: Path, *, expected_s: float, progress: Progress
) -> int:
    """Write a video of ``text`` being spoken.

    Args:
        engine: Fresh; RGBA only into a file that can carry alpha.
        text: The line.
        out: Written only when complete.
        expected_s: Estimated length, for progress alone.
        progress: Called after each frame.

    Returns:
        Frames written.
    """
    total = max(1.0, (expected_s + LEAD_IN_S + TAIL_S) * engine.fps)
    count = 0
    with VideoFile(out, engine.width, engine.height, engine.fps) as video:
        for frame in speech_frames(engine, text):
            video.write(frame)
            count += 1
            progress(min(0.99, count / total))
    progress(1.0)
    return count


def render_states(
    renderer: Renderer,
    states: Iterable[FaceState],
    pcm: NDArray[np.int16] | None,
    out: Path,
    *,
    fps: float,
    total: int,
    progress: Progress,
) -> int:
    """Write a video of faces made elsewhere, such as a driver's.

    Args:
        renderer: I420, or RGBA into a file that can carry alpha.
        states: One per frame.
        pcm: [S] 48 kHz mono sound that belongs to them; None is silence.
        out: Written only when complete.
        fps: Frames per second.
        total: Expected frames, for progress alone.
        progress: Called after each frame.

    Returns:
        Frames written.
    """
    width, height = renderer.config.width, renderer.config.height
    label = PresenterLabel(width, height, renderer.config.pixel_format)
    per_frame = round(SAMPLE_RATE_HZ / fps)
    count = 0
    with VideoFile(out, width, height, fps) as video:
        for index, state in enumerate(states):
            picture = renderer.render(state).copy()
            label.draw(picture)
            sound = np.zeros(per_frame, np.int16)
            if pcm is not None:
                here = pcm[index * per_frame : (index + 1) * per_frame]
                sound[: len(here)] = here
            video.write(AvatarFrame(index, picture, sound, 0, None))
            count += 1
            progress(min(0.99, count / max(1, total)))
    progress(1.0)
    return count


def render_turntable(
    renderer: Renderer, out: Path, *, seconds: float, fps: float, progress: Progress
) -> int:
    """Write a silent video of the head turning once around.

    Args:
        renderer: Without a body (a photo's plate does not turn); RGBA only into a ``.webm``.
        out: Written only when complete.
        seconds: Length.
        fps: Frames per second.
        progress: Called after each frame.

    Returns:
        Frames written.
    """
    width, height = renderer.config.width, renderer.config.height
    label = PresenterLabel(width, height, renderer.config.pixel_format)
    frames = max(1, round(seconds * fps))
    silence = np.zeros(round(SAMPLE_RATE_HZ / fps), np.int16)
    with VideoFile(out, width, height, fps) as video:
        for index in range(frames):
            picture = renderer.render(FaceState(orbit=2 * math.pi * index / frames)).copy()
            label.draw(picture)
            video.write(AvatarFrame(index, picture, silence, 0, None))
            progress((index + 1) / frames)
    return frames
