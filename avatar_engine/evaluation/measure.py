"""One clip measured: ours and two baselines against the real frames."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avatar_engine.errors import AvatarEngineError
from avatar_engine.evaluation.clips import Clip, Skipped
from avatar_engine.evaluation.identity import face_texture, same_face
from avatar_engine.evaluation.image_metrics import Comparison
from avatar_engine.evaluation.lip_sync import lip_sync
from avatar_engine.evaluation.regions import REGIONS, regions_of
from avatar_engine.evaluation.subject import SelfDriven, landmark_distance
from avatar_engine.evaluation.warp import PiecewiseWarp
from avatar_engine.persona import Persona, build_persona
from avatar_engine.tracking import FaceTracker, Observation
from avatar_engine.tracking.retarget import angles_of
from avatar_engine.tracking.trust import LIP_OUTLINE

METHODS = ("ours", "static", "warp2d")

Progress = Callable[[float], None]
_SHEET_COLUMNS = 8


@dataclass
class ClipResult:
    """What was measured on one clip.

    Attributes:
        clip: Its name.
        person: Who is in it.
        frames: Pictures compared.
        lost: Pictures in which a method's face could not be found again, by method.
        figures: Mean over the pictures, by method and name of the figure.
        build_s: CPU seconds from picture to persona.
        tracking_ms: CPU milliseconds per driving picture, a look at the drawn one included.
        rendering_ms: CPU milliseconds per rendered picture.
        lips: Lip-sync of audio-driven motion, for clips with speech.
        sheet: Pictures for the contact sheet: (original, ours).
    """

    clip: str
    person: str
    frames: int
    lost: dict[str, int]
    figures: dict[str, dict[str, float]]
    build_s: float
    tracking_ms: float
    rendering_ms: float
    lips: dict[str, float] = field(default_factory=dict)
    sheet: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]] = field(default_factory=list)


def measure_clip(
    clip: Clip, *, every: int, progress: Progress, has_compensation: bool = True
) -> "ClipResult | Skipped":
    """Measure one clip.

    Args:
        clip: Read by ``read_clip``.
        every: Pictures are compared at every so many; all are tracked.
        progress: Told the share done.
        has_compensation: Whether the codebooks take part.
    """
    begin = time.process_time()
    try:
        persona = build_persona(_png(clip.first), has_compensation=has_compensation)
    except AvatarEngineError as refusal:
        return Skipped(clip.name, f"no persona from its first frame: {refusal}")
    build_s = time.process_time() - begin
    # The very square and size the persona was made from, so that view and camera agree.
    tracker = FaceTracker(identity_frames=1)
    begin = time.process_time()
    seen = [tracker.track(p, k / clip.fps) for k, p in enumerate(clip.pictures)]
    tracking_s = time.process_time() - begin
    if seen[0] is None:
        return Skipped(clip.name, "the tracker finds no face in its first frame")
    result = _Bench(clip, persona, seen).run(every, progress, build_s, tracking_s)
    if isinstance(result, ClipResult) and clip.has_sound:
        result.lips = lip_sync(clip, seen, persona.maps)
    return result


class _Bench:
    """One clip's three methods side by side."""

    def __init__(self, clip: Clip, persona: Persona, seen: list[Observation | None]) -> None:
        self._clip, self._seen = clip, seen
        first = seen[0]
        assert first is not None
        self._first = first
        self._ours = SelfDriven(persona, clip.size, first)
        self._warp = PiecewiseWarp(clip.pictures[0], first.landmarks)
        self._texture = face_texture(clip.pictures[0], first.landmarks)
        # One tracker per method that knows the real person's bones.
        self._eyes = {name: FaceTracker(identity_frames=1) for name in METHODS}
        for eye in self._eyes.values():
            eye.track(clip.pictures[0], 0.0)

    def run(
        self, every: int, progress: Progress, build_s: float, tracking_s: float
    ) -> "ClipResult | Skipped":
        sums: dict[str, dict[str, list[float]]] = {name: {} for name in METHODS}
        paths: dict[str, list[NDArray[np.float64] | None]] = {name: [] for name in METHODS}
        real: list[NDArray[np.float64] | None] = []
        lost = dict.fromkeys(METHODS, 0)
        sheet: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]] = []
        count = len(self._clip.pictures)
        shown = set(np.linspace(every, count - 1, _SHEET_COLUMNS).astype(int) // every * every)
        compared = 0
        for index in range(1, count):
            truth, seen = self._clip.pictures[index], self._seen[index]
            progress(index / count)
            if seen is None:
                real.append(None)
                for path in paths.values():
                    path.append(None)
                continue
            real.append(seen.landmarks)
            is_compared = index % every == 0
            compared += is_compared
            for name in METHODS:
                picture = self._picture(name, seen)
                found = self._eyes[name].track(picture, index / self._clip.fps)
                paths[name].append(None if found is None else found.landmarks)
                lost[name] += found is None
                if not is_compared:
                    continue
                for key, value in self._figures(truth, picture, seen, found).items():
                    sums[name].setdefault(key, []).append(value)
                if name == "ours" and index in shown:
                    sheet.append((truth, picture))
        self._ours.close()
        if compared == 0:
            return Skipped(self._clip.name, "no later frame shows the face")
        figures = {
            name: {key: float(np.mean(values)) for key, values in sorted(sums[name].items())}
            | _jitter(real, paths[name])
            for name in METHODS
        }
        return ClipResult(
            clip=self._clip.name,
            person=self._clip.person,
            frames=compared,
            lost=lost,
            figures=figures,
            build_s=build_s,
            tracking_ms=1000
            * (tracking_s / count + self._ours.following_s / max(1, self._ours.rendered)),
            rendering_ms=1000 * self._ours.rendering_s / max(1, self._ours.rendered),
            sheet=sheet,
        )

    def _picture(self, name: str, seen: Observation) -> NDArray[np.uint8]:
        if name == "ours":
            return self._ours.draw(seen)
        if name == "warp2d":
            return self._warp.to(seen.landmarks)
        return self._clip.pictures[0]

    def _figures(
        self,
        truth: NDArray[np.uint8],
        picture: NDArray[np.uint8],
        seen: Observation,
        found: Observation | None,
    ) -> dict[str, float]:
        figures: dict[str, float] = {}
        comparison = Comparison(truth, picture)
        masks = regions_of(seen.landmarks, self._clip.size)
        for region in REGIONS:
            likeness = comparison.over(masks[region])
            figures[f"psnr_{region}"] = likeness.psnr
            figures[f"ssim_{region}"] = likeness.ssim
            if likeness.ms_ssim is not None:
                figures[f"ms_ssim_{region}"] = likeness.ms_ssim
        if found is not None:
            figures["landmarks"] = landmark_distance(found.landmarks, seen.landmarks)
            figures["landmarks_mouth"] = landmark_distance(
                found.landmarks, seen.landmarks, list(LIP_OUTLINE)
            )
            turn = angles_of(found.view.turn @ seen.view.turn.T)
            figures["pose_deg"] = float(np.degrees(np.linalg.norm(turn)))
            figures["expression"] = float(np.abs(found.expression - seen.expression).mean())
            figures["identity"] = same_face(face_texture(picture, found.landmarks), self._texture)
        return figures


def _jitter(
    real: list[NDArray[np.float64] | None], ours: list[NDArray[np.float64] | None]
) -> dict[str, float]:
    """Mean second difference of landmarks over the original's own (1 is as lively as life)."""
    theirs, mine = [], []
    for k in range(2, len(real)):
        a = [p[:468, :2] for p in real[k - 2 : k + 1] if p is not None]
        b = [p[:468, :2] for p in ours[k - 2 : k + 1] if p is not None]
        if len(a) == len(b) == 3:
            theirs.append(float(np.abs(a[2] - 2 * a[1] + a[0]).mean()))
            mine.append(float(np.abs(b[2] - 2 * b[1] + b[0]).mean()))
    if not theirs:
        return {}
    return {"jitter": float(np.mean(mine)) / max(float(np.mean(theirs)), 1e-6)}


def _png(picture: NDArray[np.uint8]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG", compress_level=1)
    return content.getvalue()
