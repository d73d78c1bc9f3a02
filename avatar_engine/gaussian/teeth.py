"""Teeth: seated where the photo shows them, in its colours; drawn in its tone where it does not."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.lips import LOWER_INNER, UPPER_INNER
from avatar_engine.gaussian.sampling import sample
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import blur_image, fill, smoothstep
from avatar_engine.gaussian.view import View
from avatar_engine.types import Chart

INNER_LIPS = UPPER_INNER + LOWER_INNER[-2:0:-1]
_OUTER_LIPS = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91]
_OUTER_LIPS += [146]
_FEWEST_PIXELS = 80
_PALER = 5.0  # in a*, than the lips
_LEAST_LIGHT = 35.0  # L of a tooth in the photo
_REDDEST = 0.36  # saturation; redder are gums, or lips
_IVORY = np.array([1.059, 1.012, 0.929])  # of their mean
_USUAL_SKIN = np.array([1.26, 0.94, 0.80])  # of its mean
_AS_SKIN, _DARKEST, _LIGHTEST = 1.05, 0.35, 0.88
_FACE_RIM_PX = 12
_LET_IN, _LEAST_LET_IN = 0.45, 0.55  # of the face's light, in a slit that shadows no tooth
_BELOW_LIPS_CM, _BEHIND_LIPS_CM = 0.25, 0.5  # upper edge, from where closed lips meet
_LOWEST_CM, _HIGHEST_CM = 0.38, 0.26  # the photo may put the edge this far below that line
_FARTHEST_CM = 0.7  # from where a skull can have it; what seems farther is a tongue's edge
_FRONT_CM = 0.35
_DEEPEST_CM = 1.0
_ARCH_Z = 5.2  # cm, centre of the dental arch
_UPPER_WIDTHS = (0.85, 0.65, 0.75, 0.7, 0.7, 1.0)  # cm, from the middle incisor backwards
_LOWER_WIDTHS = (0.5, 0.55, 0.65, 0.7, 0.7, 1.05)


@dataclass(frozen=True, slots=True)
class ShownTeeth:
    """Teeth in the photo.

    Attributes:
        mask: [S, S] bool, pixels that show a tooth.
        tone: [3] sRGB, their usual colour.
        edge: [2] pixel of the upper incisors' edge, on the middle line; None if unclear.
    """

    mask: NDArray[np.bool_]
    tone: NDArray[np.float64]
    edge: NDArray[np.float64] | None


def shown_teeth(view: View) -> ShownTeeth | None:
    """Find the photo's teeth; None when it shows none worth a tone."""
    lips = view.polygon(_OUTER_LIPS, grow=-1)
    inside = view.polygon(INNER_LIPS)
    core = view.polygon(INNER_LIPS, grow=-1)
    ring = lips & ~view.polygon(INNER_LIPS, grow=2)
    if core.sum() < _FEWEST_PIXELS or ring.sum() < _FEWEST_PIXELS:
        return None
    red = float(np.median(view.lab[ring, 1]))
    light, a = view.lab[..., 0], view.lab[..., 1]
    seen = core & (a < red - _PALER) & (light > _LEAST_LIGHT)
    if seen.sum() < 0.5 * _FEWEST_PIXELS:
        return None
    bright = seen & (light >= np.percentile(light[seen], 50))
    tone, tone_lab = np.median(view.image[bright], 0), np.median(view.lab[bright], 0)
    if tone_lab[1] > red - _PALER or tone_lab[0] < np.median(light[ring]):
        return None
    if tone.max() - tone.min() > _REDDEST * tone.max():
        return None
    near = lips & view.polygon(INNER_LIPS, grow=3)
    apart = (view.lab - tone_lab) * [0.45, 1.0, 0.6]
    mask = near & (np.linalg.norm(apart, axis=-1) < 0.55 * max(red - tone_lab[1], 14.0))
    mask &= a < (red + tone_lab[1]) / 2
    return ShownTeeth(mask, tone.astype(np.float64), _edge(view, mask, inside))


def _edge(
    view: View, mask: NDArray[np.bool_], inside: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """Lower edge of the upper incisors: a dark line across the teeth, else where they end."""
    marks = view.landmarks
    down = marks[17] - marks[0]
    down /= np.linalg.norm(down)
    across = np.array([down[1], -down[0]])
    start = (marks[13] + marks[0]) / 2
    half = 0.16 * float(np.linalg.norm(marks[291] - marks[61]))
    length = float((marks[17] - start) @ down)
    t = np.arange(0, length, 0.5)
    u = np.linspace(-half, half, 25)
    at = start + t[:, None, None] * down + u[:, None] * across  # [T, U, 2]
    col, row = np.clip(at.astype(int), 0, view.size - 1).transpose(2, 0, 1)
    share = mask[row, col].mean(1)
    here = np.nonzero(share > 0.5)[0]
    # Below a wide gap lie the lower teeth, or the tongue.
    runs = [run for run in np.split(here, np.nonzero(np.diff(here) > 4)[0] + 1) if len(run) >= 6]
    if not runs:
        return None
    first, last = runs[0][0], runs[0][-1]
    light = blur_image(view.lab[row, col, 0].mean(1)[:, None], 1.0)[:, 0]
    run = light[first : last + 1]
    end = float(t[last])
    inner = np.arange(round(0.4 * len(run)), round(0.9 * len(run)))
    if len(inner) > 3:
        k = inner[run[inner].argmin()]
        depth = min(run[:k].max(), run[k:].max()) - run[k]
        if inner[0] < k < inner[-1] and depth > 4.0:
            end = float(t[first + k])
    return start + end * down


def seat_teeth(s: Sculpture, shown: ShownTeeth | None) -> None:
    """Move teeth, gums, tongue and cavity so that they stand right behind the closed lips.

    The edge of the upper incisors lies a little below the line where the lips meet; where the
    photo shows it, it is put there, within what a mouth can be. What is missing then is made good
    in the source view alone.
    """
    inner = np.isin(s.chart, (Chart.TEETH, Chart.GUM, Chart.TONGUE, Chart.CAVITY))
    front = (s.chart == Chart.TEETH) & (s.rig.jaw < 0.4) & (np.abs(s.rig.mean[:, 0]) < _FRONT_CM)
    x = s.rest_shape()
    lips = s.rig.landmarks(x)[[13, 14]].mean(0)
    edge = x[front][x[front, 1].argmin()]
    below, missing = _BELOW_LIPS_CM, 0.0
    if shown is not None and shown.edge is not None:
        at = s.project(s.source_shape()[front])
        lowest = at[at[:, 1].argmax()]
        missing = float(s.lift(shown.edge - lowest[:2], lowest[2])[1])  # up is positive
        below = float(np.clip(lips[1] - edge[1] - missing, _HIGHEST_CM, _LOWEST_CM))
    rise = lips[1] - below - edge[1]
    is_edge = shown is not None and shown.edge is not None and abs(missing - rise) < _FARTHEST_CM
    if not is_edge:
        rise = lips[1] - _BELOW_LIPS_CM - edge[1]
    s.offset[inner] += [lips[0] - x[front, 0].mean(), rise, lips[2] - _BEHIND_LIPS_CM - edge[2]]
    if is_edge:
        s.residual[inner, 1] += missing - rise


def teeth_paint(
    s: Sculpture, shown: ShownTeeth | None, color: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Colour the teeth in place [N, 3]; returns [N] which of them the photo shows."""
    teeth = np.nonzero(s.chart == Chart.TEETH)[0]
    tone = _usual_tone(s.view) if shown is None else shown.tone
    drawn = tone * _drawn(s, teeth)[:, None]
    color[teeth] = drawn
    seen = np.zeros(len(s.chart), bool)
    if shown is None:
        return seen
    p = s.project(s.source_shape()[teeth])
    col, row = np.clip(p[:, :2].astype(int), 0, s.view.size - 1).T
    lower = s.rig.jaw[teeth] > 0.4
    edge = _edge_line(p[~lower])
    behind = lower & (p[:, 1] < edge(p[:, 0]) + 1.5)
    front = p[:, 2] < np.percentile(p[:, 2], 75) + _DEEPEST_CM
    here = shown.mask[row, col] & ~behind & front
    seen[teeth] = here
    sampled = sample(s.view.image, p)
    # A tooth of which a part is seen keeps its own colour where lips cover it.
    R = s.rig.resolution
    ratio, known = np.zeros((R, R, 3)), np.zeros((R, R), np.float32)
    ratio.reshape(-1, 3)[teeth] = np.clip(sampled / np.maximum(drawn, 0.05), 0.4, 1.6)
    known.flat[teeth[here]] = 1
    near = fill(ratio, known, sigmas=(0.8, 1.5, 3, 6), on_atlas=False).reshape(-1, 3)[teeth]
    near = np.where(near > 0, near, 1.0)
    soft = blur_image(known, 0.7).ravel()[teeth] * here
    extended = np.clip(drawn * near, 0, 1)
    color[teeth] = sampled * soft[:, None] + extended * (1 - soft[:, None])
    return seen


def _usual_tone(view: View) -> NDArray[np.float64]:
    """Teeth nobody has seen, in the light that the face stands in: as light as its lightest parts.

    Measured on people of every skin whose teeth are seen.
    """
    face = view.image[view.face_hull(grow=-_FACE_RIM_PX)]
    light = float(np.percentile(face.mean(1), 90)) if len(face) else _LIGHTEST
    hue = face.mean(0) / max(float(face.mean()), 1e-3) if len(face) else _USUAL_SKIN
    cast = np.sqrt(np.clip(hue / _USUAL_SKIN, 0.5, 1.5))  # half of it is the skin's own
    tone = _IVORY * cast
    tone = tone / tone.mean() * np.clip(_AS_SKIN * light, _DARKEST, _LIGHTEST)
    return np.asarray(tone * _let_in(view, light))


def _let_in(view: View, light: float) -> float:
    """Share of its light that reaches teeth behind lips which are a little apart in the photo.

    Darkness between them is the only thing that a photo says of teeth it does not show: a lip
    that keeps the lamp off them.
    """
    between = view.image[view.polygon(INNER_LIPS)].mean(1)
    if len(between) < _FEWEST_PIXELS:
        return 1.0
    seen = float(np.percentile(between, 90)) / max(light, 1e-3)
    return float(np.clip(seen / _LET_IN, _LEAST_LET_IN, 1.0))


def _edge_line(p: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Lowest pixel row of the upper teeth's texels [n, 3] at some columns."""
    at = np.linspace(p[:, 0].min(), p[:, 0].max(), 24)
    low = np.array([p[np.abs(p[:, 0] - x) < np.ptp(at) / 20, 1].max(initial=0.0) for x in at])
    return lambda x: np.interp(x, at, low)


def _drawn(s: Sculpture, teeth: NDArray[np.intp]) -> NDArray[np.float64]:
    """Light [n] of plain teeth: parted from each other, paler at the edge, greyer at the back."""
    x, y, z = s.rig.mean[teeth].T.astype(np.float64)
    lower = s.rig.jaw[teeth] > 0.4
    angle = np.abs(np.arctan2(x, z - _ARCH_Z))
    light = np.ones(len(teeth))
    for side, widths, top in ((~lower, _UPPER_WIDTHS, True), (lower, _LOWER_WIDTHS, False)):
        if not side.any():
            continue
        # Distance from the middle along the arch, by the angle; measured on the teeth themselves.
        order = np.argsort(angle[side])
        a = angle[side][order]
        reach = np.hypot(x[side][order], z[side][order] - _ARCH_Z)
        along = np.concatenate([[0], np.cumsum(np.diff(a) * reach[1:])])
        arc = np.interp(angle[side], a, along)
        gaps = np.cumsum(widths) * arc.max() / max(sum(widths), arc.max())
        gaps = np.concatenate([[0.0], gaps])
        nearest = np.abs(arc[:, None] - gaps).min(1)
        parted = 1 - 0.16 * np.exp(-((nearest / 0.05) ** 2))
        height = y[side] - y[side].min() if top else y[side].max() - y[side]
        towards_gum = smoothstep(height, 0.15, 0.85)
        light[side] = parted * (1 - 0.10 * towards_gum) * (0.97 + 0.03 * smoothstep(height, 0, 0.1))
    return light * (0.92 + 0.08 * ~lower) * (1 - 0.25 * smoothstep(angle, 0.5, 1.2))
