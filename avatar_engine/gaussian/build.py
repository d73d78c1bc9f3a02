"""One portrait and its fit become maps and plates: the order of the steps."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.caps import tangent_caps
from avatar_engine.gaussian.corrections import with_completion, with_corrections
from avatar_engine.gaussian.ear_light import ears_in_their_light
from avatar_engine.gaussian.ears import shaded_ears
from avatar_engine.gaussian.eye_light import eye_light
from avatar_engine.gaussian.facing import depth_bias, lid_texels, winding
from avatar_engine.gaussian.glasses import hold_still
from avatar_engine.gaussian.hair import HairChart, hair_chart
from avatar_engine.gaussian.lashes import with_lashes
from avatar_engine.gaussian.lids import closed_lids, lid_depth_bias
from avatar_engine.gaussian.monochrome import in_the_photos_tone
from avatar_engine.gaussian.mouth import lip_pairs
from avatar_engine.gaussian.painting import PaintedHead, paint_head
from avatar_engine.gaussian.plates import make_plates
from avatar_engine.gaussian.relax import relaxing
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.settled import settled
from avatar_engine.gaussian.sides import soft_sides
from avatar_engine.gaussian.smooth import smoothstep
from avatar_engine.gaussian.solve import solve_colors
from avatar_engine.gaussian.source_view import OpenView
from avatar_engine.gaussian.steps import in_steps
from avatar_engine.gaussian.tongue import TONGUE_OUT, lower_tongue, tongue_mode
from avatar_engine.gaussian.trim import trim_outline
from avatar_engine.shapes import grid_neighbours, surface_groups
from avatar_engine.types import (
    ARKIT_INDEX,
    Chart,
    Compensator,
    HeadFit,
    HeadMaps,
    HeadRig,
    Plates,
    Portrait,
)

Progress = Callable[[str, float], None]
_PIVOT = (0.0, -7.0, -1.0)
_SIGMA = 0.6  # texel steps; leaves about 1 % of light at yaw 20
_LID_SIGMA = 0.12  # more, down a lid: unfolding opens slits over the eyeball; much more rings
_TOP_OPACITY = 0.99
_BESIDE_CLOTH = 0.7  # reluctance of skin whose pixels border on a collar
_FIXED = 50.0  # more reluctance than any picture can outweigh


def build_maps(
    rig: HeadRig,
    fit: HeadFit,
    portrait: Portrait,
    open_view: OpenView,
    progress: Progress | None = None,
    *,
    compensator: Compensator | None = None,
) -> tuple[HeadMaps, Plates]:
    """Make a persona's maps and plates.

    Args:
        rig: The head model.
        fit: The portrait explained by it.
        portrait: The photo.
        open_view: Lets the renderer blend the source view.
        progress: Told the step and the share done in [0, 1].
        compensator: Adds what the photo does not show; None leaves it at mirror and fill.

    Returns:
        Maps (the head's 256 rows, and hair's), and plates at the portrait's size.
    """
    tell = progress or (lambda _step, _share: None)
    painted = paint_head(rig, fit, portrait, tell)
    completion = compensator.compensate(painted.seen_head()) if compensator else None
    if completion is not None:
        painted = with_completion(painted, completion)
    painted = replace(painted, color=_with_ears(painted))
    s, labels, color, opacity = painted.s, painted.labels, painted.color, painted.opacity
    folded, glasses = painted.folded, painted.glasses
    hair = _with_eye_light(s, hair_chart(s, labels, opacity))
    tell("painting what stands behind", 0.6)
    plates = make_plates(s, labels, painted.front, portrait, color, hair.mask)
    maps = _assembled(painted, hair)
    tell("matching the photo", 0.75)
    source = open_view(maps, s.view.camera)
    maps = trim_outline(s.view, maps, source)
    reluctance = np.r_[_reluctance(painted), 1 - hair.trust]
    maps = solve_colors(s, maps, plates, source, reluctance)
    sides = soft_sides(painted, maps.colors[: len(s.chart)])
    maps = replace(maps, colors=np.concatenate([sides, maps.colors[len(s.chart) :]]))
    closed = closed_lids(s, maps.colors[: len(s.chart)], folded, glasses)
    maps = relaxing(s, maps, folded, closed, labels.skin_tone)
    if completion is not None:
        maps = settled(s, with_corrections(maps, completion, glasses))
    maps = in_the_photos_tone(with_lashes(s, maps), s.view)
    tell("done", 1.0)
    return maps, plates


def _with_ears(painted: PaintedHead) -> NDArray[np.float64]:
    """Colours [N, 3] of a head whose painted ears have hollows, and the photo's light on them."""
    s, samples, found = painted.s, painted.samples, painted.ears_found
    hollow = shaded_ears(s, samples, found, painted.color)
    return ears_in_their_light(s, samples, found, hollow)


def _with_eye_light(s: Sculpture, hair: HairChart) -> HairChart:
    """Hair's rows, then those of the light on the eyes, which the solve leaves alone."""
    light = eye_light(s)
    trust = np.concatenate([hair.trust, light.pop("trust") - _FIXED])
    maps = {name: np.concatenate([hair.maps[name], light[name]]) for name in light}
    return replace(hair, maps=maps, trust=trust)


def _reluctance(painted: PaintedHead) -> NDArray[np.float64]:
    """[N] how unwillingly the solve may change each texel.

    Grazing skin would take the background's colour, the neck the collar's.
    """
    s, samples = painted.s, painted.samples
    seen = smoothstep(samples.facing, 0.05, 0.35) * samples.visible
    steep = smoothstep(samples.facing, 0.25, 0.55) * samples.visible
    side = smoothstep(s.rig.mean[:, 2], 8.0, 5.5) * (1 - s.regions.scalp)
    grazing = 1 - smoothstep(samples.facing, 0.3, 0.65) * samples.visible
    skin = 0.5 * (1 - seen) + 4 * side * grazing + 10 * s.regions.scalp * (1 - steep)
    skin += 8 * (1 - samples.allowed) + 0.15 * painted.folded
    skin += _BESIDE_CLOTH * (samples.allowed - samples.apart).clip(0)
    other = np.where(s.chart == Chart.EYE, 1 - painted.eyes_seen, 0)
    other = np.where(s.chart == Chart.TEETH, np.where(painted.teeth_seen, 1.5, 5.0), other)
    other = np.where(np.isin(s.chart, (Chart.GUM, Chart.TONGUE, Chart.CAVITY)), 20, other)
    return np.where(s.regions.skin, skin, other)


def _assembled(painted: PaintedHead, hair: HairChart) -> HeadMaps:
    s, chart = painted.s, painted.s.chart
    n = len(chart)
    upper, lower = lip_pairs(s)
    modes, scales, held = _quantised(s, painted.glasses)
    straight = s.straight_shape() + held
    head = dict[str, NDArray](
        positions=straight,
        head_weight=painted.follow,
        chart=chart,
        neighbours=grid_neighbours(surface_groups(s.rig.chart)).ravel(),
        colors=np.clip(painted.color, 0, 1),
        opacities=painted.opacity * _TOP_OPACITY,
        sigmas=np.stack([np.full(n, _SIGMA), _SIGMA + _LID_SIGMA * painted.folded], 1),
        tangent_caps=tangent_caps(s),
        winding=winding(s),
        depth_bias=depth_bias(chart) + lid_depth_bias(s),
    )
    whole: dict[str, Any] = {k: np.concatenate([v, hair.maps[k]]) for k, v in head.items()}
    kinds = {"chart": np.uint8, "neighbours": np.uint8, "winding": np.int8}
    whole = {k: v.astype(kinds.get(k, np.float32)) for k, v in whole.items()}
    return HeadMaps(
        modes=modes,
        mode_scales=scales,
        rest=s.rest.astype(np.float32),
        source=s.source.astype(np.float32),
        eye_centers=s.eye_centers.astype(np.float32),
        eye_radius=float(s.rig.eye_radius),
        eye_gaze=s.eye_gaze.astype(np.float32),
        lid_texels=lid_texels(s),
        lip_upper=upper,
        lip_lower=lower,
        placement=s.fit.placement.astype(np.float32),
        pivot=np.array(_PIVOT, np.float32),
        **whole,
    )


def _quantised(
    s: Sculpture, glasses: NDArray[np.float64]
) -> tuple[NDArray[np.int16], NDArray[np.float32], NDArray[np.float64]]:
    """The 52 modes and the source residual as int16 with a scale each; and what glasses, which no
    mode moves, must be moved by at expression zero.
    """
    modes = np.concatenate([s.rig.expression, s.residual[None].astype(np.float32)])
    for eye in (0, 1):
        modes[_blink_index(eye)] += s.blink[eye].astype(np.float32)
    held = hold_still(modes, glasses, s.rest, s.source)
    modes[TONGUE_OUT] = tongue_mode(s)
    lower_tongue(s, modes[ARKIT_INDEX["jawOpen"]])
    modes[:, s.chart == Chart.EYE] = 0  # eyeballs are joints, never linear
    return *in_steps(modes), held


def _blink_index(eye: int) -> int:
    return ARKIT_INDEX[("eyeBlinkLeft", "eyeBlinkRight")[eye]]
