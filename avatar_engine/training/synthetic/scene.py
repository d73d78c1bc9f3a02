"""A synthetic head before a camera: its picture by our own renderer, and all that is true of it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.caps import tangent_caps
from avatar_engine.gaussian.facing import depth_bias, lid_texels, winding
from avatar_engine.gaussian.lids import lid_depth_bias
from avatar_engine.gaussian.mouth import lip_pairs, teeth_opacity
from avatar_engine.gaussian.sculpture import Sculpture
from avatar_engine.gaussian.smooth import blur_image, smoothstep
from avatar_engine.gaussian.zbuffer import nearest
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.shapes import grid_neighbours, surface_groups
from avatar_engine.training.portraits.cached import as_bytes
from avatar_engine.training.synthetic.heads import SyntheticHead, neck_opacity
from avatar_engine.types import FaceState, HeadMaps, LabelKind, Plates, Portrait

Floats = NDArray[np.float64]

_SIGMA = 0.6
_LABELS_PX = 128
_PIVOT = (0.0, -7.0, -1.0)
_HAIR_LABEL, _EAR_LABEL = 0.5, 0.5


def stage(s: Sculpture, rng: np.random.Generator) -> Plates:
    """A plain wall with a slant of light, and a coat with a collar round the neck."""
    size = s.view.size
    yy, xx = np.mgrid[0:size, 0:size] / size
    wall = rng.uniform(0.1, 0.85) + rng.normal(0, 0.08, 3)
    slope = rng.normal(0, 0.12, 2)
    shade = (1 + slope[0] * (xx - 0.5) + slope[1] * (yy - 0.5))[..., None]
    background = np.clip(wall * shade, 0, 1)
    neck = s.project(s.rest_shape())[(s.rig.neck > 0.08) & (s.rig.neck < 0.3) & s.regions.skin]
    middle, half, top = neck[:, 0].mean(), np.ptp(neck[:, 0]) / 2, neck[:, 1].mean()
    away = np.abs(xx * size - middle) / half
    edge = top - 0.25 * half * np.sqrt(np.clip(1 - away**2, 0, 1)) + 0.5 * half * (away - 1).clip(0)
    cover = smoothstep(yy * size - edge, -2, 2) * smoothstep(away, 3.0, 2.9)
    cloth = rng.uniform(0.04, 0.8) + rng.normal(0, 0.1, 3)
    folds = 1 + 0.15 * blur_image(rng.normal(size=(size, size)), 14) * 25
    body = np.clip(cloth * folds[..., None], 0, 1)
    seen = np.concatenate([body, cover[..., None]], -1)
    return Plates(as_bytes(background), as_bytes(seen))


def scene_maps(head: SyntheticHead, weights: Floats, color: Floats) -> HeadMaps:
    """Maps that show a head in one expression, exactly: nothing in them moves any more."""
    s = head.s
    n = len(s.chart)
    upper, lower = lip_pairs(s)
    zero = np.zeros(52, np.float32)
    opacity = np.where(s.chart > 0, 0.99, 0.0) * teeth_opacity(s)
    opacity *= np.where(s.regions.skin, neck_opacity(s.rig), 1)
    f32 = lambda a: np.asarray(a, np.float32)  # noqa: E731
    return HeadMaps(
        positions=f32(head.surface(weights)),
        modes=np.zeros((53, n, 3), np.int16),
        mode_scales=np.ones(53, np.float32),
        rest=zero,
        source=zero,
        head_weight=f32(s.rig.neck),
        chart=s.chart,
        neighbours=grid_neighbours(surface_groups(s.rig.chart)).ravel(),
        colors=f32(color),
        opacities=f32(opacity),
        sigmas=np.full((n, 2), _SIGMA, np.float32),
        tangent_caps=f32(tangent_caps(s)),
        winding=winding(s),
        depth_bias=f32(depth_bias(s.chart) + lid_depth_bias(s)),
        eye_centers=f32(s.eye_centers),
        eye_radius=float(s.rig.eye_radius),
        eye_gaze=f32(s.eye_gaze),
        lid_texels=lid_texels(s),
        lip_upper=upper,
        lip_lower=lower,
        placement=f32(s.fit.placement),
        pivot=f32(_PIVOT),
    )


def picture(
    head: SyntheticHead,
    behind: Plates,
    *,
    weights: Floats | None = None,
    color: Floats | None = None,
    size: int | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The head's picture [S, S, 3], and its coverage [S, S], in the view of ``head.s``.

    Args:
        head: Whom.
        behind: What stands behind.
        weights: [52] expression; the photo's own if None.
        color: [N, 3]; the head's own if None.
        size: Pixels; the view's if None.
    """
    made = head.s.source if weights is None else weights
    maps = scene_maps(head, made, head.color if color is None else color)
    side = size or head.s.view.size
    config = RenderConfig(side, side, "rgb")
    camera = open_renderer("cpu", maps, behind, head.s.view.camera, config)
    try:
        image = camera.render(FaceState()).copy()
        return image, camera.coverage(FaceState()).reshape(side, side)
    finally:
        camera.close()


def portrait_of(head: SyntheticHead, behind: Plates) -> Portrait:
    """The head as a photo that was read without any mistake: exact landmarks, matte and labels."""
    s = head.s
    image, cover = picture(head, behind)
    x = head.surface(s.source)
    p = s.project(x)
    marks = s.rig.landmarks(p)
    scale = s.view.camera.K[0, 0] / float(np.median(p[:, 2]))
    marks[:, 2] = (marks[:, 2] - np.median(p[:, 2])) * scale
    body = behind.body[..., 3] / 255
    return Portrait(
        image=image,
        landmarks=marks.astype(np.float32),
        matte=np.maximum(cover, body).astype(np.float32),
        crop=(0.0, 0.0, float(len(image))),
        photo_size=(len(image), len(image)),
        eye_openness=(0.3, 0.3),
        labels=_labels(head, p, cover, body),
    )


def _labels(
    head: SyntheticHead, p: Floats, cover: NDArray[np.float32], body: Floats
) -> NDArray[np.float32]:
    s, size = head.s, len(cover)
    front = nearest(p, s.regions.triangles, width=size, height=size)
    of = lambda values: front.gather(s.regions.triangles, values)  # noqa: E731
    hair = of(head.hair.share) > _HAIR_LABEL
    ear = (of(s.regions.ear.astype(np.float32)) > _EAR_LABEL) & ~hair
    on_head = cover > 0.5
    kind = np.where(body > 0.5, LabelKind.CLOTH, LabelKind.BACKGROUND)
    kind = np.where(on_head, LabelKind.SKIN, kind)
    kind = np.where(on_head & ear, LabelKind.EAR, kind)
    kind = np.where(on_head & hair, LabelKind.HAIR, kind)
    whole = np.eye(len(LabelKind), dtype=np.float32)[kind]
    return np.asarray(cv2.resize(whole, (_LABELS_PX, _LABELS_PX), interpolation=cv2.INTER_AREA))
