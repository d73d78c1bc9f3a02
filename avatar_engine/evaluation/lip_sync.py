"""Lips driven by a clip's sound, against the lips that really spoke it.

Both are curves of the lip gap at the clip's frame rate. What counts is their correlation at the
best lag, that lag, and how far the gaps are apart in cm. No lip-reading network is involved.
"""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import AudioError
from avatar_engine.evaluation.clips import Clip
from avatar_engine.evaluation.subject import lip_gap_cm
from avatar_engine.motion import perform
from avatar_engine.speech.audio import read_audio, speech_of
from avatar_engine.tracking import Observation
from avatar_engine.tracking.lip_gap import LipGap
from avatar_engine.types import HeadMaps

_SAMPLE_RATE_HZ = 48_000
_LARGEST_LAG_S = 0.4
_SILENT_RMS = 60.0  # of 32768: nothing is said


def lip_sync(clip: Clip, seen: list[Observation | None], maps: HeadMaps) -> dict[str, float]:
    """Figures of one clip; empty where nothing is heard or the lips hardly move.

    Args:
        clip: With sound.
        seen: What the tracker saw in its pictures.
        maps: The persona's head.

    Returns:
        ``correlation`` at the best lag, ``correlation_now`` without one, ``lag_ms`` (positive:
        ours are late), ``gap_error_cm``.
    """
    try:
        pcm = read_audio(clip.path)[round(clip.begin_s * _SAMPLE_RATE_HZ) :]
    except AudioError:
        return {}
    pcm = pcm[: round(len(seen) / clip.fps * _SAMPLE_RATE_HZ)]
    if len(pcm) < _SAMPLE_RATE_HZ or np.sqrt(np.mean(pcm.astype(np.float64) ** 2)) < _SILENT_RMS:
        return {}
    motion = perform(speech_of(pcm), fps=clip.fps)
    gap = LipGap(maps)
    count = min(len(motion), len(seen))
    ours = np.array([gap.of(motion.blendshapes[k]) for k in range(count)])
    real = np.array([np.nan if o is None else lip_gap_cm(o) for o in seen[:count]])
    known = ~np.isnan(real)
    if known.sum() < 25 or real[known].std() < 0.03:
        return {}
    real = np.interp(np.arange(count), np.flatnonzero(known), real[known])
    reach = round(_LARGEST_LAG_S * clip.fps)
    by_lag = {lag: _correlation(ours, real, lag) for lag in range(-reach, reach + 1)}
    best = max(by_lag, key=lambda lag: by_lag[lag])
    return {
        "correlation": by_lag[best],
        "correlation_now": by_lag[0],
        "lag_ms": 1000 * best / clip.fps,
        "gap_error_cm": float(np.abs(np.maximum(ours, 0) - real).mean()),
    }


def _correlation(ours: NDArray[np.float64], real: NDArray[np.float64], lag: int) -> float:
    """Of ours ``lag`` frames later with the real lips."""
    a = ours[max(lag, 0) : len(ours) + min(lag, 0)]
    b = real[max(-lag, 0) : len(real) - max(lag, 0)]
    if a.std() < 1e-6 or b.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
