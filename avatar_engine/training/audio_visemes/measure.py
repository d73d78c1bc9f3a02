"""How well an ear hears: lip contacts found, shapes told apart, and how late it is."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_engine.motion.coarticulation import MouthTrack
from avatar_engine.motion.hearing import HeardShapes
from avatar_engine.speech.ear import SHIPPED, hear
from avatar_engine.speech.spectrum import HOP, RATE_HZ
from avatar_engine.training.audio_visemes.synthesis import Example
from avatar_engine.types import ARKIT_INDEX, HEARD_SOUNDS, Heard, Phoneme

_UNKNOWN = 255
_FRAME_S = HOP / RATE_HZ
_LOOKS = ("", "m", "f", "s", "ʃɹ", "uowyɔ", "iej", "aɛɑ", "θtlɾkə")
"""Sounds that a viewer cannot tell apart, together: shut, bitten, teeth, pushed, round, spread,
open, and the tongue's work behind half-open lips."""

_LOOK_OF = np.array(
    [
        next(i for i, look in enumerate(_LOOKS) if (s in look if s else not look))
        for s in HEARD_SOUNDS
    ]
)
_CLOSED = HEARD_SOUNDS.index("m")


@dataclass(frozen=True, slots=True)
class Score:
    """Figures of one recording or of several.

    Attributes:
        seconds: Of speech.
        sounds: Share of frames with the right one of 23 sounds.
        looks: Share of frames with the right one of 9 looks.
        closures: Lip closures that are there.
        recall: Share of them that were heard at their time; None where there are none.
        precision: Share of heard closures that are there; None where there are none.
        opening: Correlation of the mouth's opening with that of the known sounds.
        lag_ms: By which the heard mouth follows the known one.
    """

    seconds: float
    sounds: float
    looks: float
    closures: int
    recall: float | None
    precision: float | None
    opening: float
    lag_ms: float


def measured(examples: list[Example], *, tolerance_s: float, weights: Path = SHIPPED) -> Score:
    """The score over some examples.

    Args:
        examples: With labels; 255 is not counted.
        tolerance_s: How far a heard closure may lie from the real one, edge to edge.
        weights: Of the ear.
    """
    frames = right = looks = 0
    there = found = told = true = 0
    known_curves: list[NDArray[np.float64]] = []
    heard_curves: list[NDArray[np.float64]] = []
    for example in examples:
        heard = hear(example.pcm, RATE_HZ, weights=weights)
        count = min(len(heard.shares), len(example.labels))
        labels, guess = example.labels[:count], heard.shares[:count].argmax(axis=1)
        is_known = labels != _UNKNOWN
        frames += int(is_known.sum())
        right += int((guess == labels)[is_known].sum())
        looks += int((_LOOK_OF[guess] == _LOOK_OF[np.where(is_known, labels, 0)])[is_known].sum())
        real, ours = _runs(labels == _CLOSED), _closures(heard)
        there += len(real)
        told += len(ours)
        found += sum(any(_near(a, b, tolerance_s) for b in ours) for a in real)
        true += sum(any(_near(a, b, tolerance_s) for b in real) for a in ours)
        known_curves.append(opening_of_labels(labels))
        heard_curves.append(opening_of_heard(heard)[: len(known_curves[-1])])
    correlation, lag_ms = _match(known_curves, heard_curves)
    return Score(
        seconds=round(sum(len(e.labels) for e in examples) * _FRAME_S, 1),
        sounds=round(right / max(frames, 1), 3),
        looks=round(looks / max(frames, 1), 3),
        closures=there,
        recall=round(found / there, 3) if there else None,
        precision=round(true / told, 3) if there and told else None,
        opening=round(correlation, 3),
        lag_ms=round(lag_ms, 1),
    )


def opening_of_labels(labels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How far the lips are apart every 10 ms, for known sounds."""
    track = MouthTrack()
    edges = np.flatnonzero(np.diff(labels.astype(int))) + 1
    bounds = [0, *edges.tolist(), len(labels)]
    track.feed(
        Phoneme(HEARD_SOUNDS[labels[a]] if labels[a] != _UNKNOWN else "ə", a * 0.01, b * 0.01)
        for a, b in pairwise(bounds)
    )
    return _opening(track, len(labels))


def opening_of_heard(heard: Heard) -> NDArray[np.float64]:
    """The same for what an ear heard."""
    track = MouthTrack()
    track.hear(heard)
    return _opening(track, len(heard.shares))


def table(scores: dict[str, Score]) -> dict[str, dict[str, float | None]]:
    """For a report."""
    return {name: asdict(score) for name, score in scores.items()}


def _opening(track: MouthTrack, frames: int) -> NDArray[np.float64]:
    curves = np.array([track.weights((t + 0.5) * _FRAME_S) for t in range(frames)])
    jaw, closed, lower = (
        curves[:, ARKIT_INDEX[name]] for name in ("jawOpen", "mouthClose", "mouthLowerDownLeft")
    )
    return np.asarray(jaw - closed + 0.5 * lower, np.float64)


def _match(
    known: list[NDArray[np.float64]], heard: list[NDArray[np.float64]]
) -> tuple[float, float]:
    """Correlation at its best shift, and that shift in ms (positive: heard is late)."""
    shifts = range(-12, 13)
    scores = []
    for shift in shifts:
        pairs = [
            (k[max(-shift, 0) : len(k) - max(shift, 0)], h[max(shift, 0) : len(h) + min(shift, 0)])
            for k, h in zip(known, heard, strict=True)
        ]
        a, b = (np.concatenate(side) for side in zip(*pairs, strict=True))
        scores.append(float(np.corrcoef(a, b)[0, 1]))
    best = int(np.argmax(scores))
    lag = float(shifts[best])
    if 0 < best < len(shifts) - 1:  # the peak of a parabola through three points
        left, top, right = scores[best - 1], scores[best], scores[best + 1]
        lag += 0.5 * (left - right) / (left - 2 * top + right)
    return scores[12], 10.0 * lag


def _closures(heard: Heard) -> list[tuple[float, float]]:
    """When the lips meet by what was heard."""
    shapes = HeardShapes()
    told = shapes.push(heard)
    rest = shapes.rest()
    spans: list[tuple[float, float]] = []
    for shape, begin, end in [*told, *([rest] if rest else [])]:
        if shape.closure < 1.0:
            continue
        if spans and begin - spans[-1][1] < 1e-6:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((begin, end))
    return spans


def _runs(mask: NDArray[np.bool_]) -> list[tuple[float, float]]:
    edges = np.flatnonzero(np.diff(np.r_[0, mask.astype(np.int8), 0])) * _FRAME_S
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _near(a: tuple[float, float], b: tuple[float, float], tolerance_s: float) -> bool:
    return a[0] - tolerance_s <= b[1] and b[0] - tolerance_s <= a[1]
