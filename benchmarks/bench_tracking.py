"""What following a driving face costs, landmarks included, and how well it reads a known face.

    python benchmarks/bench_tracking.py [VIDEO ...]

Without videos the example face is driven through known states, rendered, and tracked: the only
face whose truth is exact. With videos (such as those of $LIVEPITCH_SHARED/data/clips) their cost
is measured too. Writes benchmarks/results/tracking.json.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from report import write_result

from avatar_engine.persona import build_persona
from avatar_engine.render import RenderConfig, open_renderer
from avatar_engine.tracking import Driver, DrivingVideo, FaceTracker
from avatar_engine.tracking.retarget import angles_of
from avatar_engine.types import FaceState, weights_of

EXAMPLE = Path(__file__).parents[1] / "examples" / "face.png"
METHOD = (
    "process CPU time per picture of FaceTracker.track, median after the 12 pictures in which "
    "bones are learned; truth: the example's persona rendered at known states, yaw and opening "
    "compared after calibration on the first picture"
)


def spoken(t: int) -> FaceState:
    """Frame t of a face that turns, talks and blinks."""
    weights = weights_of(
        jawOpen=0.25 * max(0.0, np.sin(t / 2.3)),
        mouthSmile=0.3 * max(0.0, np.sin(t / 11)),
        eyeBlink=1.0 if t % 40 in (20, 21) else 0.0,
    )
    pose = np.array([0.2 * np.sin(t / 13), 0.08 * np.sin(t / 9), 0.05 * np.sin(t / 17)])
    return FaceState(weights, pose.astype(np.float32))


def known_face(frames: int) -> dict[str, Any]:
    """Cost and truth on the example."""
    persona = build_persona(EXAMPLE)
    renderer = open_renderer(
        "cpu", persona.maps, persona.plates, persona.camera, RenderConfig(512, 512)
    )
    tracker, spent, yaw, opened, blinks = FaceTracker(), [], [], [], []
    first = None
    for t in range(frames):
        state = spoken(t)
        picture = renderer.render(state).copy()
        begin = time.process_time()
        seen = tracker.track(picture, t / 25)
        spent.append(time.process_time() - begin)
        if seen is None:
            continue
        first = first or seen
        found = angles_of(seen.view.turn @ first.view.turn.T)[0]
        yaw.append((state.head_pose[0] - spoken(0).head_pose[0], found))
        gap = np.linalg.norm(seen.landmarks[13, :2] - seen.landmarks[14, :2]) / seen.view.scale
        opened.append((state.blendshapes[24], gap))
        blinks.append((t % 40 in (20, 21), seen.openness.mean()))
    truth, read = np.array(yaw).T
    jaw, gap = np.array(opened).T
    shut = np.array([o for is_shut, o in blinks if is_shut])
    open_ = np.array([o for is_shut, o in blinks if not is_shut])
    return {
        "frames": frames,
        "followed": len(yaw),
        "cpu_ms_median": round(1000 * float(np.median(spent[12:])), 2),
        "yaw_error_deg_mean": round(float(np.degrees(np.abs(truth - read).mean())), 2),
        "opening_correlation": round(float(np.corrcoef(jaw, gap)[0, 1]), 3),
        "blink_gap_over_open_gap": round(float(np.median(shut) / np.median(open_)), 3),
    }


def video_cost(path: Path) -> dict[str, Any]:
    """Cost of tracking, and of tracking with retargeting, on a real video."""
    persona = build_persona(EXAMPLE)
    figures: dict[str, Any] = {"video": path.name}
    with DrivingVideo(path) as video:
        pictures = list(video.pictures())
    tracker, spent, found = FaceTracker(), [], 0
    for time_s, picture in pictures:
        begin = time.process_time()
        found += tracker.track(picture, time_s) is not None
        spent.append(time.process_time() - begin)
    driver, driven = Driver(persona.maps), []
    for time_s, picture in pictures:
        begin = time.process_time()
        driver.drive(picture, time_s)
        driven.append(time.process_time() - begin)
    figures["pictures"], figures["followed"] = len(pictures), found
    figures["tracking_cpu_ms"] = round(1000 * float(np.median(spent[12:])), 2)
    figures["driving_cpu_ms"] = round(1000 * float(np.median(driven[12:])), 2)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="*", type=Path)
    parser.add_argument("--frames", type=int, default=200)
    options = parser.parse_args()
    shared = os.environ.get("LIVEPITCH_SHARED", "")
    clips = Path(shared) / "data" / "clips"
    videos = options.videos or sorted(clips.glob("lp_*.mp4"))[:3] if shared else options.videos
    known = known_face(options.frames)
    real = [video_cost(path) for path in videos]
    cost = float(np.median([known["cpu_ms_median"], *(r["tracking_cpu_ms"] for r in real)]))
    figures = {
        "known_face": known,
        "videos": real,
        "pictures_per_second_and_core": round(1000 / cost),
    }
    write_result("tracking", figures, method=METHOD)


if __name__ == "__main__":
    main()
