"""What it costs to look at a photo: CPU milliseconds per step, and memory.

    python benchmarks/bench_portrait.py [PHOTO ...]

Without photos the example face is read, as it is and as a 12 megapixel JPEG. Writes
benchmarks/results/portrait.json.
"""

import io
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from report import write_result

from avatar_engine.errors import PhotoError
from avatar_engine.portrait import read_photo, read_portrait
from avatar_engine.portrait.detection import detect_faces
from avatar_engine.portrait.landmarks import find_landmarks
from avatar_engine.portrait.matte import person_matte
from avatar_engine.portrait.networks import default_networks

FACE = Path(__file__).parent.parent / "examples" / "face.png"
REPEATS = 15


def cpu_ms(step: Callable[[], Any]) -> float:
    """Median CPU milliseconds of a step, warm."""
    step()
    spent = []
    for _ in range(REPEATS):
        started = time.process_time()
        step()
        spent.append(1000 * (time.process_time() - started))
    return round(statistics.median(spent), 2)


def refused(photo: np.ndarray) -> None:
    try:
        read_portrait(photo)
    except PhotoError:
        return
    raise AssertionError("this photo should have been refused")


def steps(photo: np.ndarray) -> dict[str, float]:
    """Each step by itself."""
    networks = default_networks()
    seen = detect_faces(photo, networks)[0]
    small = {n: np.zeros((n, n, 3), np.float32) for n in (64, 128, 192, 256)}
    return {
        "network_detect": cpu_ms(lambda: networks.detect(small[128])),
        "network_mesh": cpu_ms(lambda: networks.mesh(small[192])),
        "network_iris_one_eye": cpu_ms(lambda: networks.iris(small[64])),
        "network_matte": cpu_ms(lambda: networks.segment(small[256])),
        "detect_all_tiles": cpu_ms(lambda: detect_faces(photo, networks)),
        "landmarks_478": cpu_ms(lambda: find_landmarks(photo, seen, networks)),
        "matte_refined": cpu_ms(lambda: person_matte(photo, networks)),
        "read_portrait": cpu_ms(lambda: read_portrait(photo)),
        "refuse_blurred": cpu_ms(lambda: refused(cv2.GaussianBlur(photo, (0, 0), 10))),
        "refuse_no_face": cpu_ms(lambda: refused(np.zeros_like(photo))),
    }


def main() -> None:
    photos = [Path(name) for name in sys.argv[1:]]
    started = time.process_time()
    read_portrait(FACE)
    cold = 1000 * (time.process_time() - started)
    example = read_photo(FACE)
    buffer = io.BytesIO()
    Image.fromarray(example).resize((3464, 3464)).save(buffer, "JPEG", quality=90)
    result: dict[str, Any] = {
        "cpu_ms": steps(example),
        "cpu_ms_first_portrait_with_loading": round(cold, 1),
        "cpu_ms_12_megapixel_jpeg": cpu_ms(lambda: read_portrait(buffer.getvalue())),
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    if photos:
        result["cpu_ms_photos"] = {p.name: cpu_ms(lambda p=p: read_portrait(p)) for p in photos}
    for name, value in result["cpu_ms"].items():
        print(f"{name:24} {value:8.2f} CPU ms")
    write_result("portrait", result, method=f"median CPU time of {REPEATS} warm runs, one thread")


if __name__ == "__main__":
    main()
