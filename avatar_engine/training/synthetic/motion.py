"""How a face really moves, where the linear rig takes the straight way.

The jaw turns about its joint and carries lips and cheeks round with it; lids slide on the eyeball;
lips roll over their own fullness; lips that meet push each other aside. All of it agrees with the
rig at the full weight of a single expression, so that a fit's weights keep their meaning.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.regions import Regions
from avatar_engine.gaussian.smooth import smoothstep
from avatar_engine.types import ARKIT, ARKIT_INDEX, Chart, HeadRig

Floats = NDArray[np.float64]

JAW_JOINT = (0.0, -0.59, 1.92)
"""cm, head space: the point about which the rig's lower teeth turn, by least squares (0.03 mm)."""

_JAW = ARKIT_INDEX["jawOpen"]
_BLINKS = (ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"])
_ROLLS = ("mouthRoll", "mouthPucker", "mouthFunnel", "mouthShrug")
_FULLNESS = 0.35  # how far lips bulge on their way, as a share of the way
_LID_REACH = 1.6  # eyeball radii
_STYLE = 0.12  # spread of how strongly people make an expression
_PAIR_REACH_CM = 0.6


@dataclass(frozen=True, slots=True)
class Mover:
    """Moves one person's head; N texels.

    Attributes:
        rig: The head model.
        regions: Of it.
        zero: [N, 3] the person at expression zero.
        eye_centers: [2, 3] the person's, subject's left first.
        style: [52] how strongly this person makes each expression, about 1.
    """

    rig: HeadRig
    regions: Regions
    zero: Floats
    eye_centers: Floats
    style: Floats

    def linear(self, weights: NDArray[np.floating]) -> Floats:
        """Displacement [N, 3] of the linear rig."""
        used = np.flatnonzero(weights)
        return np.tensordot(np.asarray(weights)[used], self.rig.expression[used], 1)

    def exact(self, weights: NDArray[np.floating]) -> Floats:
        """Displacement [N, 3] from expression zero, non-linear and in this person's style."""
        w = np.asarray(weights, np.float64) * self.style
        others = w.copy()
        others[[_JAW, *_BLINKS]] = 0
        moved = self.linear(others)
        moved += self._lip_bulge(w)
        moved += self._lids(w)
        moved = self._jaw(w[_JAW], moved)
        return self._lips_apart(moved)

    def _jaw(self, weight: float, moved: Floats) -> Floats:
        """Turn what hangs on the jaw, and what moved there already."""
        mode = self.rig.expression[_JAW].astype(np.float64)
        arm = self.zero - JAW_JOINT
        if weight <= 0:
            return moved
        # The angle at weight 1 is the one whose chord is the rig's delta at the chin.
        length = np.maximum(np.hypot(arm[:, 1], arm[:, 2]), 1e-6)
        chord = np.linalg.norm(mode, axis=1)
        full = 2 * np.arcsin(np.clip(chord / (2 * length), 0, 0.5))
        straight = weight * mode
        arc = _about_x(arm, full * weight) - arm
        chorded = weight * (_about_x(arm, full) - arm)
        carried = _about_x(moved, full * weight)
        return straight + (arc - chorded) + carried

    def _lids(self, w: Floats) -> Floats:
        """Lids go round the eyeball instead of through it."""
        moved = np.zeros_like(self.zero)
        for eye, k in enumerate(_BLINKS):
            mode = self.rig.expression[k].astype(np.float64)
            straight = w[k] * mode
            start = self.zero - self.eye_centers[eye]
            end, now = start + mode, start + straight
            share = np.clip(w[k], 0, 1)
            far = np.linalg.norm(start, axis=1)
            radius = (1 - share) * far + share * np.linalg.norm(end, axis=1)
            length = np.maximum(np.linalg.norm(now, axis=1), 1e-6)
            near = smoothstep(far / self.rig.eye_radius, _LID_REACH, 1.2) * self.regions.skin
            round_way = now * (radius / length)[:, None] - now
            moved += straight + round_way * near[:, None]
        return moved

    def _lip_bulge(self, w: Floats) -> Floats:
        """Lips on their way in or out pass over their own fullness."""
        rolled = [k for k, name in enumerate(ARKIT) if name.startswith(_ROLLS)]
        out = np.zeros(len(self.zero))
        for k in rolled:
            share = float(np.clip(w[k], 0, 1))
            out += (
                _FULLNESS * 4 * share * (1 - share) * np.linalg.norm(self.rig.expression[k], axis=1)
            )
        near = smoothstep(self.regions.mouth_distance, 16, 6) * self.regions.skin
        lean = np.where(self.regions.above_mouth, 0.25, -0.25)
        bulge = np.stack([np.zeros_like(out), lean * out, out], 1)
        return np.asarray(bulge * near[:, None], np.float64)

    def _lips_apart(self, moved: Floats) -> Floats:
        """Lips that would pass through each other meet half-way."""
        upper, lower = _inner_lips(self.rig, self.regions)
        x = self.zero + moved
        lap = np.maximum(x[lower, 1] - x[upper, 1] - 0.03, 0)
        if not lap.any():
            return moved
        R = self.rig.resolution
        columns = upper % R
        here = np.interp(np.arange(R), columns, lap, left=0, right=0)[np.arange(R * R) % R]
        fade = smoothstep(self.regions.mouth_distance, 12, 1) * self.regions.skin
        push = np.where(self.regions.above_mouth, 0.5, -0.5) * here * fade
        moved = moved.copy()
        moved[:, 1] += push
        return moved


def style(rng: np.random.Generator) -> Floats:
    """[52] how strongly a person makes each expression; the two sides nearly alike."""
    amounts = np.exp(rng.normal(0, _STYLE, len(ARKIT)))
    for k, name in enumerate(ARKIT):
        if name.endswith("Right"):
            left = ARKIT_INDEX[name[:-5] + "Left"]
            amounts[k] = amounts[left] * np.exp(rng.normal(0, _STYLE / 3))
    return np.asarray(amounts, np.float64)


def expressions(count: int, rng: np.random.Generator) -> Floats:
    """Weights [count, 52]: single units, speech-like mixtures, whole faces."""
    found = np.zeros((count, len(ARKIT)))
    quiet = {k for k, n in enumerate(ARKIT) if n.startswith(("eyeLook", "tongue"))}
    usable = np.array([k for k in range(len(ARKIT)) if k not in quiet])
    mouth = np.array([k for k in usable if ARKIT[k].startswith(("mouth", "jaw"))])
    for row in found:
        kind = rng.integers(3)
        if kind == 0:
            row[rng.choice(usable)] = rng.uniform(0.3, 1.0)
        else:
            pool, most = (mouth, 5) if kind == 1 else (usable, 7)
            chosen = rng.choice(pool, rng.integers(2, most), replace=False)
            row[chosen] = rng.beta(1.5, 2.5, len(chosen))
            row[_JAW] = max(row[_JAW], rng.beta(1.2, 3.0) * (kind == 1))
        _both_sides(row, rng)
    return found


def _both_sides(row: Floats, rng: np.random.Generator) -> None:
    """Most faces do the same on both sides; in place."""
    if rng.random() < 0.2:
        return
    for k, name in enumerate(ARKIT):
        if name.endswith("Left"):
            right = ARKIT_INDEX[name[:-4] + "Right"]
            row[[k, right]] = max(row[k], row[right])


def _about_x(v: Floats, angle: Floats) -> Floats:
    """Vectors [N, 3] turned by angles [N] about the x axis; positive opens the jaw."""
    c, s = np.cos(angle), np.sin(angle)
    _, y, z = v.T
    return np.stack([v[:, 0], c * y - s * z, s * y + c * z], 1)


def _inner_lips(rig: HeadRig, regions: Regions) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Texels beside the gap between the lips, upper and lower, one pair per column."""
    R = rig.resolution
    beside = regions.skin & (regions.mouth_distance <= 1.01) & (rig.chart.ravel() == Chart.SKIN)
    at = np.flatnonzero(beside)
    pairs = []
    for column in np.unique(at % R):
        here = at[at % R == column]
        over, under = here[regions.above_mouth[here]], here[~regions.above_mouth[here]]
        if len(over) and len(under):
            pairs.append((over.max(), under.min()))
    upper, lower = np.array(pairs, np.intp).T
    return upper, lower
