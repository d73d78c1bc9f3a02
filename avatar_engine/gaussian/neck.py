"""Where the moving head ends and the still body begins."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import blur_atlas, smoothstep
from avatar_engine.gaussian.unwrap import Samples

_BARE_CM = -12.5  # where a neck ends that no collar covers
_TWIST_CM = (0.0, 4.0)  # above the collar
_LEAST_TEXELS = 4
_COLLAR_RANK = 0.92  # of cloth's texels in a column lie below its edge
_HIDDEN_RISE_CM = 1.0  # collars stand higher behind
_SIDE_COLUMNS = 50
_REACH_COLUMNS = 6
_WRAP = 32


def neck_opacity(s: Sculpture, samples: Samples) -> NDArray[np.float64]:
    """[N] opacity of the skin chart towards the collar.

    The body plate shows clothing and the lowest neck; the head must not carry them along. Above
    the collar the neck stays whole all the way round, also where the photo does not show it: a
    turning jaw bares it.
    """
    R = s.rig.resolution
    zone, height = s.regions.neck_zone, s.rig.mean[:, 1].astype(np.float64)
    soft = lambda a, sigma: blur_atlas(a.reshape(R, R), sigma).ravel()  # noqa: E731
    clothed = soft(np.where(zone, samples.clothed, 0), 1.5)
    collar = collar_line(s, samples)[np.arange(R * R) % R]
    above = smoothstep(height - collar, -0.5, 0.7)
    seen = smoothstep(soft(samples.weight * s.regions.skin, 1.0), 0.15, 0.4)
    fade = np.where(zone, (1 - smoothstep(clothed, 0.3, 0.6)) * np.maximum(above, seen), 1)
    fade = fade * smoothstep(s.rig.neck, 0.02, 0.18)
    around = soft(fade * s.regions.skin, 2.0)
    islands = s.regions.skin & (height < -4)
    return np.where(islands, fade * smoothstep(around, 0.4, 0.7), fade)


def neck_follow(s: Sculpture, samples: Samples) -> NDArray[np.float64]:
    """[N] how far each texel follows the head: at the collar not at all, where the still neck goes
    on below it, so that a turned neck leaves no step.
    """
    R = s.rig.resolution
    collar = collar_line(s, samples)[np.arange(R * R) % R]
    above = smoothstep(s.rig.mean[:, 1] - collar, *_TWIST_CM)
    inside = s.regions.neck_zone.astype(np.float32)
    zone = blur_atlas(inside.reshape(R, R), 2.0).ravel() * inside
    held = np.where(s.regions.skin, zone * (1 - above), 0)
    return np.asarray(s.rig.neck * (1 - held), np.float64)


def _high(height: NDArray[np.float64], shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Per column the height [R] that few of those shown exceed; any where none is."""
    ordered = np.sort(np.where(shown, height, np.inf), 0)
    at = _COLLAR_RANK * np.maximum(shown.sum(0) - 1, 0)
    low = at.astype(int)
    columns = np.arange(len(at))
    next_one = np.where(at > low, ordered[np.minimum(low + 1, len(height) - 1), columns], 0)
    return (low + 1 - at) * ordered[low, columns] + (at - low) * next_one


def collar_line(s: Sculpture, samples: Samples) -> NDArray[np.float64]:
    """Height [R] in cm at which clothing begins, for each column of the atlas (a way round)."""
    R = s.rig.resolution
    grid = lambda a: a.reshape(R, R)  # noqa: E731
    zone, height = grid(s.regions.neck_zone), grid(s.rig.mean[:, 1].astype(np.float64))
    shown = grid(samples.visible & (samples.facing > 0.1)) & zone
    cloth = shown & (grid(samples.clothed) > 0.6)
    skin = shown & (grid(samples.weight) > 0.3)
    lowest = np.where(skin, height, np.inf).min(0)
    line = np.where(skin.sum(0) >= _LEAST_TEXELS, np.minimum(lowest - 0.5, _BARE_CM), np.nan)
    line = np.where(cloth.sum(0) >= _LEAST_TEXELS, _high(height, cloth), line)
    line = np.fmax(line, line[::-1])  # a collar hidden on one side stands as on the other
    known = np.nonzero(np.isfinite(line))[0]
    if len(known) < 8:
        return np.full(R, _BARE_CM)
    rise = _HIDDEN_RISE_CM * smoothstep(np.abs(np.arange(R) - (R - 1) / 2), 60, 120)
    # The columns close behind the head, where both ends are equally far from what is known.
    whole = np.interp(np.arange(R), known, line[known]) + np.where(np.isfinite(line), 0, rise)
    for side in (slice(R // 2, None), slice(R // 2 - 1, None, -1)):
        behind = slice(_SIDE_COLUMNS, None)  # from the ears backwards a collar does not fall
        whole[side][behind] = np.maximum.accumulate(whole[side][behind])
    # The highest near by: a hidden neck shows as the plate's own, a torn one as a spike.
    padded = np.r_[whole[-_WRAP:], whole, whole[:_WRAP]]
    high = maximum_filter1d(padded, 2 * _REACH_COLUMNS + 1)
    return np.asarray(gaussian_filter1d(high, 4.0)[_WRAP : _WRAP + R])
