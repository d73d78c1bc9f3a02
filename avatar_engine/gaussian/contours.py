"""Where the red of the lips really ends: the landmarks' lips, moved onto the photo's own edges.

The landmark network draws everybody usual lips. Thin, smiling or painted ones end elsewhere, and
what lies between would come out on the wrong side of their border once the mouth moves.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.colour_model import Mixture
from avatar_engine.gaussian.sampling import sample
from avatar_engine.gaussian.view import View

Floats = NDArray[np.float64]

# Landmarks across each lip, in columns from the subject's right: inner edge, two between, outer.
_UPPER = (
    (191, 80, 81, 82, 13, 312, 311, 310, 415),
    (183, 42, 41, 38, 12, 268, 271, 272, 407),
    (184, 74, 73, 72, 11, 302, 303, 304, 408),
    (185, 40, 39, 37, 0, 267, 269, 270, 409),
)
_LOWER = (
    (95, 88, 178, 87, 14, 317, 402, 318, 324),
    (96, 89, 179, 86, 15, 316, 403, 319, 325),
    (77, 90, 180, 85, 16, 315, 404, 320, 307),
    (146, 91, 181, 84, 17, 314, 405, 321, 375),
)
_CORNERS = (61, 291)
_STEP_PX = 0.25
_ALONG = np.linspace(-0.02, 0.02, 5)  # of the mouth's width, averaged along the lip
_OPEN = 0.035  # of the mouth's width: lips as far apart show what is between them
_BELIEF, _BELIEF_PX = 0.3, 0.5  # spread of an edge about its landmark, in thicknesses of the lip
_EVIDENCE = 0.35  # of a pixel's likelihood; neighbours are not independent
_MOST = 3.0  # that one sample may say for a class, as a logarithm
_BEND, _BEND_PX, _BROKEN = 0.05, 0.6, 9.0  # from one column to the next
_ROUNDS = 3


def with_own_lips(view: View) -> View:
    """The same view, the lips' landmarks on the borders of their red where those are seen."""
    marks = view.landmarks.copy()
    mouth = marks[_CORNERS[1]] - marks[_CORNERS[0]]
    width = float(np.linalg.norm(mouth))
    down = np.array([-mouth[1], mouth[0]]) / width
    lips = [_Lip.of(view, _UPPER, -down, mouth), _Lip.of(view, _LOWER, down, mouth)]
    gap = float((marks[14] - marks[13]) @ down)
    is_open = gap > _OPEN * width
    for _ in range(_ROUNDS):
        red = Mixture.fitted(np.concatenate([lip.red() for lip in lips]), 2)
        mouth_colours = np.concatenate([lip.inside() for lip in lips])
        inside = Mixture.fitted(mouth_colours, 3) if is_open and len(mouth_colours) > 9 else None
        for lip in lips:
            lip.look_again(red, Mixture.fitted(lip.beyond(), 3), inside, gap)
    for lip, rows in zip(lips, (_UPPER, _LOWER), strict=True):
        moved = lip.edges - np.stack([0 * lip.believed, lip.believed])
        for share, row in zip((0, 1 / 3, 2 / 3, 1), rows, strict=True):
            marks[list(row)] += np.outer(moved[0] * (1 - share) + moved[1] * share, lip.out)
    return replace(view, landmarks=marks)


@dataclass(slots=True)
class _Lip:
    """One lip's profiles, from inside the mouth out over the skin: K columns of T samples.

    Attributes:
        out: [2] unit vector in the picture, out of the mouth.
        at_px: [T] how far out of the inner landmarks a sample lies.
        lab: [K, T, 3] CIELAB.
        believed: [K] px, where the landmarks have the outer edge.
        edges: [2, K] px, inner and outer edge as found so far.
    """

    out: Floats
    at_px: Floats
    lab: Floats
    believed: Floats
    edges: Floats

    @classmethod
    def of(
        cls, view: View, rows: tuple[tuple[int, ...], ...], out: Floats, mouth: Floats
    ) -> "_Lip":
        inner, outer = view.landmarks[list(rows[0])], view.landmarks[list(rows[-1])]
        believed = np.maximum((outer - inner) @ out, 2.0)
        thick = float(np.median(believed))
        at_px = np.arange(-0.8 * thick - 2, 2.2 * thick + 6, _STEP_PX)
        lean = (outer - inner) - np.outer((outer - inner) @ out, out)
        share = np.clip(at_px / believed[:, None], -1, 2)[..., None]
        at = inner[:, None] + at_px[:, None] * out + share * lean[:, None]  # [K, T, 2]
        near = at[:, :, None] + _ALONG[:, None] * mouth
        lab = sample(view.lab, near.reshape(-1, 2)).reshape(*near.shape[:3], 3).mean(2)
        return cls(out, at_px, lab, believed, np.stack([0 * believed, believed]))

    @property
    def thick_px(self) -> float:
        return float(np.median(self.believed))

    def red(self) -> Floats:
        first, last = self.edges[..., None]
        share = (self.at_px - first) / (last - first)
        return self.lab[(share > 0.2) & (share < 0.8)]

    def inside(self) -> Floats:
        return self.lab[self.at_px < self.edges[0][:, None] - 1]

    def beyond(self) -> Floats:
        away = self.at_px - self.edges[1][:, None]
        return self.lab[(away > 1.5) & (away < self.thick_px + 3)]

    def look_again(self, red: Mixture, skin: Mixture, inside: Mixture | None, gap: float) -> None:
        """Find both edges again, now that the colours on their sides are better known.

        Dark lips hardly apart look like a gap themselves, so the inner edge may not leave its
        landmarks by much more than a share of the ``gap`` in pixels.
        """
        likely = red.log_density(self.lab)
        middle = self.edges.mean(0)[:, None]
        is_skin = np.clip(skin.log_density(self.lab) - likely, -_MOST, _MOST)
        is_skin = np.where(self.at_px > middle, is_skin, -_MOST)
        spread = _BELIEF * self.thick_px + _BELIEF_PX
        self.edges[1] = self._edge(is_skin, self.believed, spread)
        if inside is not None:
            is_red = np.clip(likely - inside.log_density(self.lab), -_MOST, _MOST)
            is_red = np.where(self.at_px < middle, is_red, _MOST)
            found = self._edge(is_red, 0 * self.believed, min(spread, _BELIEF * gap))
            self.edges[0] = np.minimum(found, self.edges[1] - 1.0)

    def _edge(self, beyond: Floats, believed: Floats, spread: float) -> Floats:
        """[K] the likeliest edge that bends little, given ``beyond`` [K, T]: how surely, as a
        logarithm, a sample lies past it; by dynamic programming from column to column.
        """
        t = self.at_px
        cost = np.cumsum(beyond, 1) * _STEP_PX * _EVIDENCE
        cost += 0.5 * ((t - believed[:, None]) / spread) ** 2
        supple = _BEND_PX + _BEND * self.thick_px
        best, came = cost[0], []
        for k in range(1, len(cost)):
            bend = (t[:, None] - t - (believed[k] - believed[k - 1])) / supple
            through = best + 0.5 * np.minimum(bend**2, _BROKEN)
            came.append(through.argmin(1))
            best = cost[k] + through.min(1)
        at = [int(best.argmin())]
        for back in reversed(came):
            at.append(int(back[at[-1]]))
        return np.asarray(t[at[::-1]])
