"""Eyeballs: iris and white as the photo shows them, completed under the lids; a stable catch-light.

Every eye is explained by a few rings about the iris's centre. What the photo shows of iris and
white is kept where it is clear; the rest follows the rings, so that an eye may look anywhere.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import blur_image, distance, smoothstep
from avatar_engine.gaussian.unwrap import LEFT_EYE, RIGHT_EYE, Samples
from avatar_engine.types import Chart

_IRIS_MARKS = ([473, 474, 475, 476, 477], [468, 469, 470, 471, 472])
_FARTHEST_GAZE = 0.75  # eyeball radii across the picture
_MISPLACED_CM = 0.14  # how far the head model's eyeballs may be off
_MEETING_SHARE = 0.5  # of what keeps the eyes from meeting; more would bare closed eyes
_USUAL_IRIS = 0.585  # cm, radius
_PUPIL = 0.40  # of the iris
_LIMBUS = 0.07  # of the iris, how softly it ends
_RINGS = 14
_LID_SHADE_PX = 3.0  # white this near to a lid lies in its shadow
_WHITE = np.array([0.80, 0.765, 0.745])


@dataclass(frozen=True, slots=True)
class _Eye:
    """One eye's texels, and what the photo tells about them.

    Attributes:
        texels: [n].
        across: [n] distance from the iris's centre in iris radii.
        seen: [n] the photo shows it, between the lids.
        color: [n, 3] what it shows.
        depth_px: [n] pixels inside the opening of the lids.
    """

    texels: NDArray[np.intp]
    across: NDArray[np.float64]
    seen: NDArray[np.bool_]
    color: NDArray[np.float64]
    depth_px: NDArray[np.float64]


def aim_eyes(s: Sculpture) -> None:
    """Let the eyeballs look where the photo's irises are, both at one point as far as the camera.

    An iris tells where its eyeball looks only if one knows where the ball is, and the head model
    knows that to a millimetre or two. Two eyes that would not meet are put right by moving the
    balls, so that the irises stay where the photo has them: the eyes converge in every direction.
    """
    gaze = np.array([_towards_iris(s, eye) for eye in (0, 1)])
    distance = np.mean([s.project(centre)[2] for centre in s.eye_centers])
    apart = s.eye_centers[0, 0] - s.eye_centers[1, 0]
    half = 0.5 * apart / distance
    meeting = gaze.mean(0) + np.array([[-half, 0], [half, 0]])
    wanted = gaze + _MEETING_SHARE * (meeting - gaze)
    shift = s.rig.eye_radius * (_direction(gaze) - _direction(wanted))
    shift[:, 2] = 0
    length = np.linalg.norm(shift, axis=1, keepdims=True)
    s.eye_centers += shift * np.minimum(1, _MISPLACED_CM / np.maximum(length, 1e-6))
    for eye in (0, 1):
        s.eye_gaze[eye] = _towards_iris(s, eye)


def paint_eyes(s: Sculpture, samples: Samples, color: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colour the eye charts in place [N, 3]; returns how far the photo shows each texel [N]."""
    shown = np.zeros(len(s.chart))
    eyes = [_read(s, samples, eye) for eye in (0, 1)]
    white = _white(eyes)
    rings = _iris_rings(eyes, white)
    for eye in eyes:
        plain = _plain(eye, white, rings)
        share = _share(s, eye, plain)[:, None]
        color[eye.texels] = eye.color * share + plain * (1 - share)
        shown[eye.texels] = share[:, 0]
    return shown


def _towards_iris(s: Sculpture, eye: int) -> NDArray[np.float64]:
    """Yaw and pitch [2] that turn an eyeball to the photo's iris."""
    camera, placement = s.view.camera, s.fit.placement
    x, y, depth = s.project(s.eye_centers[eye])
    off = (s.view.landmarks[_IRIS_MARKS[eye][0]] - [x, y]) * depth / np.diag(camera.K)[:2]
    off = off / s.rig.eye_radius
    off *= min(1.0, _FARTHEST_GAZE / max(float(np.linalg.norm(off)), 1e-6))
    towards = np.array([off[0], off[1], -np.sqrt(1 - off @ off)])
    ahead = towards @ camera.viewmat[:3, :3] @ placement[:, :3]
    return np.array([np.arctan2(ahead[0], ahead[2]), -np.arcsin(np.clip(ahead[1], -1, 1))])


def _direction(gaze: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors [..., 3] in head space of yaw and pitch [..., 2]."""
    yaw, pitch = gaze[..., 0], gaze[..., 1]
    return np.stack([np.sin(yaw) * np.cos(pitch), -np.sin(pitch), np.cos(yaw) * np.cos(pitch)], -1)


def _read(s: Sculpture, samples: Samples, which: int) -> _Eye:
    side = s.regions.left if which == 0 else ~s.regions.left
    texels = np.nonzero((s.chart == Chart.EYE) & side)[0]
    arm = s.rig.mean[texels] - s.rig.eye_centers[which]
    marks = s.view.landmarks[_IRIS_MARKS[which]]
    radius_px = float(np.linalg.norm(marks[1:] - marks[0], axis=1).mean())
    px_per_cm = s.view.camera.K[0, 0] / s.project(s.eye_centers[which])[2]
    radius = float(np.clip(radius_px / px_per_cm, 0.85 * _USUAL_IRIS, 1.15 * _USUAL_IRIS))
    across = np.hypot(arm[:, 0], arm[:, 1]) / radius
    across = np.where(arm[:, 2] > 0, across, 9.0)
    lids = s.view.polygon(LEFT_EYE if which == 0 else RIGHT_EYE)
    depth = distance_inside(lids)
    row, col = (a[texels] for a in samples.pixels)
    deep = depth[row, col].astype(np.float64)
    seen = (deep > 0.8) & samples.visible[texels]
    return _Eye(texels, across, seen, samples.color[texels], deep)


def distance_inside(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Pixels to the nearest pixel outside a mask that may be empty."""
    return distance(mask) if mask.any() else np.zeros(mask.shape, np.float32)


def _white(eyes: list[_Eye]) -> NDArray[np.float64]:
    """The white's tone [3], of both eyes together."""
    tones = []
    for eye in eyes:
        ring = eye.seen & (eye.across > 1.25) & (eye.across < 2.8)
        clear = ring & (eye.depth_px > min(_LID_SHADE_PX, 0.5 * eye.depth_px.max()))
        tones.append(eye.color[clear])
    seen = np.concatenate(tones)
    if len(seen) < 12:
        around = np.concatenate([eye.color[eye.seen] for eye in eyes])
        light = np.percentile(around.mean(1), 90) if len(around) else 1.0
        return np.asarray(_WHITE * np.clip(1.35 * light / _WHITE.mean(), 0.4, 1.0))
    light = seen.mean(1)
    tone = np.median(seen[light >= np.percentile(light, 55)], 0)
    level = float(np.clip(tone.mean(), 0.45, 0.88))
    hue = tone / max(float(tone.mean()), 1e-3)
    # Pixels at the rim carry the lid's colour.
    return level * (0.55 * hue + 0.45 * _WHITE / _WHITE.mean())


def _iris_rings(eyes: list[_Eye], white: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tones [_RINGS, 3] from the pupil's centre to the iris's border."""
    across = np.concatenate([e.across[e.seen] for e in eyes])
    seen = np.concatenate([e.color[e.seen] for e in eyes])
    centres = (np.arange(_RINGS) + 0.5) / _RINGS
    known, tones = [], []
    for centre in centres:
        here = seen[np.abs(across - centre) < 0.75 / _RINGS]
        if len(here) >= 4:
            light = here.mean(1)  # the brightest are reflections
            known.append(centre)
            tones.append(np.median(here[light <= np.percentile(light, 50)], 0))
    if len(known) < 3:
        brown = white * [0.42, 0.30, 0.22]
        return np.linspace(0.5, 1, _RINGS)[:, None] * brown
    profile = np.stack([np.interp(centres, known, np.array(tones)[:, c]) for c in range(3)], 1)
    coloured = np.median(profile[centres > _PUPIL + 0.08], 0)
    pupil = np.minimum(np.percentile(profile, 10, axis=0) * 0.6, coloured * 0.55)
    inside = smoothstep(centres, _PUPIL + 0.06, _PUPIL - 0.08)[:, None]
    return np.asarray(profile * (1 - inside) + np.minimum(pupil, profile) * inside)


def _plain(
    eye: _Eye, white: NDArray[np.float64], rings: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Colours [n, 3] of an eye that shows all of itself."""
    centres = (np.arange(_RINGS) + 0.5) / _RINGS
    iris = np.stack([np.interp(eye.across, centres, rings[:, c]) for c in range(3)], 1)
    shade = 1 - 0.22 * smoothstep(eye.across, 1.5, 2.6)
    pink = np.array([1.0, 0.96, 0.95]) ** smoothstep(eye.across, 1.4, 2.6)[:, None]
    ball = white * shade[:, None] * pink
    outside = smoothstep(eye.across, 1 - _LIMBUS, 1 + _LIMBUS)[:, None]
    return np.clip(iris * (1 - outside) + ball * outside, 0, 1)


def _share(s: Sculpture, eye: _Eye, plain: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n] how far each texel keeps the photo: clear of the lids, and of reflections."""
    R = s.rig.resolution
    light = eye.color.mean(1)
    is_glint = (eye.across < 1.15) & (light > plain.mean(1) + 0.08)
    is_lid = (eye.across > 1.1) & (np.abs(eye.color - plain).max(1) > 0.28)
    clear = smoothstep(eye.depth_px, 0.8, 2.4) * eye.seen * ~is_glint * ~is_lid
    clear = clear * np.where(eye.across > 1.05, 0.7, 1.0)
    mask = np.zeros((R, R), np.float32)
    mask.flat[eye.texels] = clear
    return np.asarray(np.minimum(blur_image(mask, 0.7).ravel()[eye.texels], clear))
