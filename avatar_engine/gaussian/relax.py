"""What a face's colours become when it stops doing what it did in the photo.

A smile folds the cheeks and thins the lips; what the photo shows of it is colour, and must go and
come with the smile. Lids unfold: their skin was never seen. The renderer adds the difference.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import blur_atlas, fill, mean_atlas, smoothstep
from avatar_engine.types import ARKIT_INDEX, Chart, HeadMaps
from avatar_engine.types.maps import TintDriver

_SMILES = [ARKIT_INDEX["mouthSmileLeft"], ARKIT_INDEX["mouthSmileRight"]]
_LEAST_SMILE = 0.12
_FOLD_TEXELS = 15  # wider dark bands are no folds
_BRISTLING = (0.33, 0.5)  # contrast, of the light, that lies in no one direction: a beard's
_FOLD_SHARE = 0.85
_LIP_SHARE = 0.75
_APART = 14.0  # in Lab, lips from skin
_VERMILION = np.array([0.91, 0.67, 0.65])  # of the skin, where the photo shows no red
_EYE_SHADE = 0.2
LIPS_PARTED_CM = 0.12  # as the renderers say
_RIM = 0.33  # depth of the lips' inner rim, which carries no detail of the photo's open mouth
_STAINED = 0.8  # depth of the lips up to which the dark between them may have been sampled
_CORNER_CM = 0.55  # about a corner of an open mouth, where detail is of teeth and dark
_CONTACT = 0.55  # share of the light that lips which meet take from each other


def relaxing(
    s: Sculpture,
    maps: HeadMaps,
    lids: NDArray[np.float64],
    closed: NDArray[np.float64],
    skin: NDArray[np.float64],
) -> HeadMaps:
    """The same maps with tints that undo the photo's smile, and show closed lids.

    Args:
        s: The head.
        maps: With colours solved for the photo.
        lids: [N] of ``lids.folded_lids``.
        closed: [N, 3] colours of closed lids.
        skin: [3] the face's.
    """
    n = len(s.chart)
    color = maps.colors[:n].astype(np.float64)
    tints, drivers = np.zeros((n, 3)), np.zeros(n, np.uint8)
    if s.source[_SMILES].mean() > _LEAST_SMILE:
        neutral = _unfolded(s, color)
        neutral = _full_lips(s, neutral, skin)
        change = np.where(s.regions.skin[:, None], neutral - color, 0)
        moved = np.abs(change).max(1) > 0.004
        tints[moved], drivers[moved] = change[moved], TintDriver.RELAX
    _lips_that_part_or_meet(s, color, tints, drivers)
    colors = maps.colors.copy()
    colors[:n] = np.clip(color, 0, 1)
    # Under closing lids an eye lies in shadow, and nothing of the photo's detail of it shows.
    eyes = s.chart == Chart.EYE
    tints[eyes] = -_EYE_SHADE * color[eyes] - 0.01
    drivers[eyes] = np.where(s.regions.left[eyes], TintDriver.LEFT_LID, TintDriver.RIGHT_LID)
    shut = lids > 0.02
    tints[shut] = ((closed - color) * lids[:, None])[shut]
    drivers[shut] = np.where(s.regions.left[shut], TintDriver.LEFT_LID, TintDriver.RIGHT_LID)
    return replace(maps, colors=colors, tints=tints.astype(np.float32), tint_drivers=drivers)


def bearded(light: NDArray[np.float32], skin: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How surely hair grows on each texel [R * R] of a face: it bristles, where folds are lines.

    Args:
        light: [R, R] of the atlas, in [0, 1].
        skin: [R, R], where it says something.
    """
    weight = skin.astype(np.float32)
    fine = light - blur_atlas(light, 1.5)
    gx, gy = cv2.Sobel(fine, cv2.CV_32F, 1, 0), cv2.Sobel(fine, cv2.CV_32F, 0, 1)
    products = np.stack([gx * gx, gx * gy, gy * gy], -1)
    xx, xy, yy = np.moveaxis(mean_atlas(products, weight, 2.5), -1, 0)
    level = mean_atlas(light[..., None], weight, 4.0)[..., 0]
    contrast = np.sqrt(xx + yy) / np.maximum(level, 0.1)
    one_way = np.sqrt((xx - yy) ** 2 + 4 * xy**2) / np.maximum(xx + yy, 1e-9)
    bristling = smoothstep(contrast * (1 - one_way), *_BRISTLING)
    return np.clip(1.5 * blur_atlas(bristling, 1.5), 0, 1).ravel()


def _unfolded(s: Sculpture, color: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours [N, 3] without the dark lines from the nostrils to the corners of the mouth."""
    R = s.rig.resolution
    light = color.reshape(R, R, 3).mean(-1).astype(np.float32)
    # The slit of the mouth and the empty texels beyond must not count as dark.
    skin = (s.regions.skin & (s.regions.lip_depth > 1.0)).reshape(R, R)
    mass = np.maximum(blur_atlas(skin.astype(np.float32), 1.2), 1e-3)
    known = np.where(skin, blur_atlas(np.where(skin, light, 0), 1.2) / mass, 0).astype(np.float32)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_FOLD_TEXELS, _FOLD_TEXELS))
    swollen = cv2.dilate(known, disc)
    level = cv2.erode(np.where(skin, swollen, 1.0).astype(np.float32), disc)
    level = blur_atlas(np.maximum(np.minimum(level, swollen), known), 1.5)
    depth = np.where(skin, np.clip(level - known, 0, None) / np.maximum(level, 0.05), 0)
    x, y, z = np.abs(s.rig.mean[:, 0]), s.rig.mean[:, 1], s.rig.mean[:, 2]
    place = smoothstep(x, 1.5, 2.2) * smoothstep(x, 6.6, 5.6) * (z > 4)
    place *= smoothstep(y, -7.2, -6.0) * smoothstep(y, 1.0, -0.2)
    depth = depth.ravel() * place
    clear = skin * (1 - smoothstep(depth, 0.01, 0.05)).reshape(R, R)
    smooth = fill(color.reshape(R, R, 3), clear, sigmas=(2, 4, 7, 12)).reshape(-1, 3)
    corners = s.rig.landmarks(s.rig.mean)[[61, 291]]
    at_corner = np.linalg.norm(s.rig.mean[:, None] - corners, axis=-1).min(1)
    is_beard = smoothstep(at_corner, 0.5, 1.0) * bearded(light, skin)
    share = _FOLD_SHARE * smoothstep(depth, 0.02, 0.10) * (1 - is_beard)
    soft = blur_atlas(share.reshape(R, R), 1.0).ravel()[:, None]
    return np.asarray(color * (1 - soft) + smooth * soft, np.float64)


def _full_lips(
    s: Sculpture, color: NDArray[np.float64], skin: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Colours [N, 3] with lips that are red to their borders again."""
    depth = s.regions.lip_depth
    lab = _lab(color)
    lip = (depth > 0.1) & (depth < 0.9) & s.regions.skin
    if lip.sum() < 60:
        return color
    red = lab[lip, 1]
    tone = np.median(color[lip][red >= np.percentile(red, 65)], 0)
    apart = float(np.linalg.norm((_lab(tone[None]) - _lab(skin[None]))[0] * [0.6, 1, 1]))
    pale = np.clip(1.5 - apart / _APART, 0, 1)  # lips hardly redder than the skin
    tone = tone * (1 - pale) + np.minimum(tone, skin) * _VERMILION * pale
    wanted = float(_lab(tone[None])[0, 1])
    out = color.copy()
    for side in (s.regions.above_mouth, ~s.regions.above_mouth):
        here = (depth > -0.5) & (depth < 1.1) & s.regions.skin & side
        lacks = smoothstep(wanted - lab[here, 1], 2.5, 9.0)
        light = color[here].mean(1, keepdims=True) / max(tone.mean(), 0.05)
        lacks = np.maximum(lacks, smoothstep(light[:, 0], 0.72, 0.55))  # the dark of the corners
        share = (_LIP_SHARE * (1 - 0.1 * pale) * lacks * smoothstep(depth[here], 1.1, 0.75))[
            :, None
        ]
        light = np.clip(light, 0.78, 1.12)
        out[here] = color[here] * (1 - share) + tone * light * share
    return out


def _lips_that_part_or_meet(
    s: Sculpture,
    color: NDArray[np.float64],
    tints: NDArray[np.float64],
    drivers: NDArray[np.uint8],
) -> None:
    """Colours and tints, in place, of the inner lips: the line where they meet goes and comes.

    Where the photo shows closed lips, the line in it is taken out as they part; where it shows
    them apart, never a line, one comes as they meet, and what the photo shows of the dark and the
    teeth between them is taken off the lips for good: the photo's detail still has it.
    """
    depth = s.regions.lip_depth
    inner = s.regions.skin & (depth > -2.5) & (depth < 0.45)
    if _parted_cm(s) > 0.5 * LIPS_PARTED_CM:
        neutral = color + np.where(drivers[:, None] > 0, tints, 0)
        wanted = _inner_lips(s, neutral, s.regions.skin & (depth > -2.5) & (depth < _STAINED))
        stained = _stain(neutral, wanted) * smoothstep(depth, _STAINED, _STAINED - 0.15)
        rim = inner & (depth < _RIM) | (stained > 0.1) | _beside_corners(s)
        color[rim] += ((neutral - color) + (wanted - neutral) * stained[:, None])[rim]
        # Little of the lower lip: of that an open mouth shows what the smile has tinted. Yet where
        # it rolls over the upper one, the line would be hidden without it.
        reach = np.where(s.regions.above_mouth, 0.28, 0.20)[rim]
        dark = _CONTACT * smoothstep(np.abs(depth[rim]) / reach, 1.0, 0.2)[:, None]
        tints[rim] = -color[rim] * np.maximum(dark, 0.01)
        drivers[rim] = TintDriver.LIPS
        return
    lighter = (
        np.maximum(_inner_lips(s, color, inner) - color, 0) * smoothstep(depth, 0.45, 0.25)[:, None]
    )
    moved = inner & (lighter.max(1) > 0.01)
    tints[moved], drivers[moved] = lighter[moved], TintDriver.LIPS


def _inner_lips(
    s: Sculpture, color: NDArray[np.float64], inner: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Colours [N, 3] in which the red of each lip goes on to its inward side, wet and unlit."""
    R = s.rig.resolution
    depth, light, reds = s.regions.lip_depth, color.mean(1), _lab(color)[:, 1]
    out = color.copy()
    for side in (s.regions.above_mouth, ~s.regions.above_mouth):
        lip = s.regions.skin & side & (depth > 0.3) & (depth < 0.9)
        if not lip.any():
            continue
        usual, red = float(np.median(light[lip])), float(np.median(reds[lip]))
        clear = lip * smoothstep(light, 0.7 * usual, usual)
        clear *= smoothstep(light, 1.4 * usual, 1.2 * usual) * smoothstep(reds, red - 8, red - 3)
        weight = clear.astype(np.float32).reshape(R, R)
        smooth = fill(color.reshape(R, R, 3), weight, sigmas=(2.5, 5, 10, 20)).reshape(-1, 3)
        here = inner & side
        wet = np.interp(depth[here], [-2, -0.5, 0.3], [0.62, 0.88, 0.97])
        out[here] = smooth[here] * wet[:, None]
    return out


def _stain(color: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N] how surely a colour is not the lip's own: much darker than wanted, or pale as teeth."""
    is_dark = smoothstep(color.mean(1) / np.maximum(wanted.mean(1), 0.05), 0.88, 0.68)
    paler = _lab(wanted)[:, 1] - _lab(color)[:, 1]
    return np.maximum(is_dark, smoothstep(paler, 5.0, 11.0))


def _beside_corners(s: Sculpture) -> NDArray[np.bool_]:
    """[N] skin that the photo shows beside a corner of its open mouth.

    Its detail is of teeth and of the dark behind them, and would be specks on another mouth.
    """
    at = s.project(s.source_shape())
    corners = s.view.landmarks[[78, 308]]
    apart = np.linalg.norm(at[:, None, :2] - corners, axis=-1).min(1)
    px_per_cm = s.view.camera.K[0, 0] / at[:, 2]
    return s.regions.skin & (s.rig.mean[:, 2] > 5) & (apart < _CORNER_CM * px_per_cm)


def _parted_cm(s: Sculpture) -> float:
    """How far the middle of the lips is apart in the photo."""
    marks = s.rig.landmarks(s.source_shape())
    return float(marks[13, 1] - marks[14, 1])


def _lab(color: NDArray[np.floating]) -> NDArray[np.float32]:
    return cv2.cvtColor(np.clip(color, 0, 1).astype(np.float32)[None], cv2.COLOR_RGB2LAB)[0]
