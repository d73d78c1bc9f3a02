"""The first half of a persona's making: the head shaped by the photo, and every texel painted.

What follows (hair's volume, plates, the colour solve) needs all of it; recipes that learn what a
photo does not show need nothing more.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.carve import carve, flatten_ears, opacity_in_matte
from avatar_engine.gaussian.complete import complete
from avatar_engine.gaussian.contours import with_own_lips
from avatar_engine.gaussian.ears import bare_ears_skin, fit_ears
from avatar_engine.gaussian.eyes import aim_eyes, paint_eyes
from avatar_engine.gaussian.foreign import without_foreign
from avatar_engine.gaussian.fusion import fuse
from avatar_engine.gaussian.glasses import glasses_share
from avatar_engine.gaussian.lids import close_lids, folded_lids
from avatar_engine.gaussian.light import light_of
from avatar_engine.gaussian.mouth import close_lips, paint_mouth, teeth_opacity
from avatar_engine.gaussian.neck import neck_follow, neck_opacity
from avatar_engine.gaussian.outline import grow_to_outline
from avatar_engine.gaussian.regions import Regions, regions_of
from avatar_engine.gaussian.residual import apply_residual
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.segment import HAIR, Labels, segment
from avatar_engine.gaussian.skull import fit_skull, raise_hair
from avatar_engine.gaussian.slits import pin_slits
from avatar_engine.gaussian.teeth import seat_teeth, shown_teeth
from avatar_engine.gaussian.unwrap import Samples, unwrap
from avatar_engine.gaussian.view import view_of
from avatar_engine.gaussian.zbuffer import Nearest, nearest
from avatar_engine.types import HeadFit, HeadRig, Portrait, SeenHead

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class PaintedHead:
    """One person's head before the colour solve; N texels.

    Attributes:
        s: The shaped head.
        labels: What the photo shows where.
        front: Which triangle each of the photo's pixels shows.
        samples: The photo at each texel.
        folded: [N] of ``lids.folded_lids``, where no glasses are worn.
        glasses: [N] of ``glasses.glasses_share``.
        opacity: [N] in [0, 1].
        color: [N, 3] sRGB, every texel's best guess: seen, from the twin, or filled.
        eyes_seen: [N] of ``eyes.paint_eyes``.
        teeth_seen: [N] of ``mouth.paint_mouth``.
        linear_misfit: [N, 3] cm in head space, what the fitted linear rig leaves to the photo's
            landmarks, carried over the front of the head: of the person and of the expression.
        follow: [N] of ``neck.neck_follow``.
        ears_found: Of ``ears.fit_ears``: (left, right).
        ears_flat: Of ``carve.flatten_ears``.
    """

    s: Sculpture
    labels: Labels
    front: Nearest
    samples: Samples
    folded: NDArray[np.float64]
    glasses: NDArray[np.float64]
    opacity: NDArray[np.float64]
    color: NDArray[np.float64]
    eyes_seen: NDArray[np.float64]
    teeth_seen: NDArray[np.bool_]
    linear_misfit: NDArray[np.float64]
    follow: NDArray[np.float64]
    ears_found: tuple[bool, bool]
    ears_flat: tuple[float, float]

    def seen_head(self) -> SeenHead:
        """What a compensator is told of this head, in training as in a persona's build."""
        seen = self.samples.weight * self.s.regions.skin
        told = (
            np.clip(self.color, 0, 1), seen, self.samples.hairy, self.s.straight_shape(),
            self.linear_misfit, self.s.source,
        )  # fmt: skip
        return SeenHead(*(np.asarray(part, np.float32) for part in told))


def paint_head(
    rig: HeadRig, fit: HeadFit, portrait: Portrait, progress: Progress | None = None
) -> PaintedHead:
    """Shape the fitted head by the photo, and give every texel of it a colour.

    Args:
        rig: The head model.
        fit: The portrait explained by it.
        portrait: The photo.
        progress: Told the step and the share of a persona's making that is done, in [0, 1].
    """
    tell = progress or (lambda _step, _share: None)
    tell("shaping the head", 0.0)
    regions = regions_of(rig)
    s = Sculpture.started(rig, fit, view_of(portrait, fit.camera), regions)
    apply_residual(s)
    linear_misfit = s.offset + s.residual
    aim_eyes(s)
    fit_skull(s)
    tell("finding hair, skin and clothes", 0.2)
    labels = segment(s.view, *_scalp_and_ears(s))
    raise_hair(s, labels.share[..., HAIR])
    ears_found = fit_ears(s, labels)
    ears_flat = flatten_ears(s, labels.share[..., HAIR])
    carve(s)
    grow_to_outline(s, labels)
    s.view = with_own_lips(s.view)
    pin_slits(s)
    close_lips(s)
    teeth = shown_teeth(s.view)
    seat_teeth(s, teeth)
    close_lids(s)
    tell("unwrapping the photo", 0.4)
    front = _front(s)
    samples = unwrap(s, labels, front)
    samples, color = paint_skin(s, labels, samples, ears_found, ears_flat)
    glasses = glasses_share(s)
    folded = folded_lids(s) * (1 - glasses)
    opacity = np.where(s.chart > 0, opacity_in_matte(s), 0)
    opacity *= np.where(regions.skin, neck_opacity(s, samples), 1)
    opacity *= teeth_opacity(s)
    eyes_seen = paint_eyes(s, samples, color)
    teeth_seen = paint_mouth(s, teeth, labels, color)
    return PaintedHead(
        s, labels, front, samples, folded, glasses, opacity, color, eyes_seen, teeth_seen,
        linear_misfit, neck_follow(s, samples), ears_found, ears_flat,
    )  # fmt: skip


def paint_skin(
    s: Sculpture,
    labels: Labels,
    samples: Samples,
    ears_found: tuple[bool, bool],
    ears_flat: tuple[float, float],
) -> tuple[Samples, NDArray[np.float64]]:
    """Give every texel of the skin chart a colour: seen, from the twin, or filled.

    Args:
        s: The head, shaped.
        labels: Of the photo.
        samples: The photo at each texel.
        ears_found: Of ``ears.fit_ears``.
        ears_flat: Of ``carve.flatten_ears``.

    Returns:
        The samples without trust in what cannot be this person's skin, and colours [N, 3].
    """
    light = light_of(s, samples.color, samples.weight, samples.bare)
    samples = without_foreign(s, labels, samples, light)
    fused = fuse(samples, s.regions, light)
    color, trust = bare_ears_skin(s, samples, light, ears_found, fused)
    covered = _covered(samples, s.regions, ears_found)
    unfolded = np.zeros(len(s.chart))
    hairy = samples.hairy
    color = complete(s, labels, color, trust, ears_flat, covered, unfolded, light, hairy)
    return samples, color


def _front(s: Sculpture) -> Nearest:
    p = s.project(s.source_shape())
    return nearest(p, s.regions.triangles, width=s.view.size, height=s.view.size)


def _scalp_and_ears(s: Sculpture) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Pixels [S, S] on which the fitted head's scalp, and its ears, project."""
    front, triangles = _front(s), s.regions.triangles
    scalp = front.gather(triangles, s.regions.scalp) > 0.5
    return scalp, front.gather(triangles, s.regions.ear.astype(np.float32)) > 0.5


def _covered(samples: Samples, regions: Regions, found: tuple[bool, bool]) -> tuple[float, float]:
    """Share of each ear (left, right) that the photo shows under hair."""
    shares = []
    for side, is_bare in zip((regions.left, ~regions.left), found, strict=True):
        ear = regions.ear & side & samples.visible
        hidden = ear.sum() > 60 and not is_bare
        shares.append(float(samples.hairy[ear].mean()) if hidden else 0.0)
    return shares[0], shares[1]
