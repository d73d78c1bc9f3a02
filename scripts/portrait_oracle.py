"""Compare our landmarks with MediaPipe's own, in two halves that need not share an environment.

    python scripts/portrait_oracle.py dump PORTRAITS oracle.npz      # where mediapipe is installed
    python scripts/portrait_oracle.py compare PORTRAITS oracle.npz   # where livepitch is

``dump`` runs FaceMesh on every photo of a folder, with and without refined landmarks. ``compare``
writes ``benchmarks/results/portrait_oracle.json``: mean distance over landmarks, in percent of the
distance between the outer eye corners.
"""

import argparse
import datetime
import importlib.metadata
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESULT = Path(__file__).parent.parent / "benchmarks" / "results" / "portrait_oracle.json"
WANTED_PERCENT = 2.5
METHOD = (
    "FaceMesh(static_image_mode=True) on the whole photo against ours on the whole photo; mean "
    "distance in the picture plane over landmarks / distance of the outer eye corners. 'refined' "
    "is the attention model (468 points, and 10 of the irises by themselves), 'plain' the model "
    "that we run too: its figure is the cost of our regions and of the second look."
)


def main() -> None:
    """Run one half."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("half", choices=["dump", "compare"])
    parser.add_argument("portraits", type=Path)
    parser.add_argument("oracle", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=RESULT)
    args = parser.parse_args()
    photos = sorted(args.portraits.glob("*.jpg"))
    if args.half == "dump":
        dump(photos, args.oracle)
    else:
        compare(photos, args.oracle, args.output)


def dump(photos: list[Path], oracle: Path) -> None:
    """MediaPipe's landmarks of every photo, in pixels."""
    import mediapipe
    from PIL import Image

    found: dict[str, Any] = {"mediapipe": mediapipe.__version__}
    for kind, refine in (("refined", True), ("plain", False)):
        mesh = mediapipe.solutions.face_mesh.FaceMesh(
            static_image_mode=True, refine_landmarks=refine
        )
        for photo in photos:
            picture = np.array(Image.open(photo).convert("RGB"))
            height, width = picture.shape[:2]
            points = mesh.process(picture).multi_face_landmarks[0].landmark
            found[f"{photo.stem}/{kind}"] = np.array(
                [(p.x * width, p.y * height, p.z * width) for p in points]
            )
    np.savez_compressed(oracle, **found)
    print(f"{oracle}: {len(photos)} photos, mediapipe {mediapipe.__version__}")


def compare(photos: list[Path], oracle: Path, output: Path) -> None:
    """Our landmarks against the dumped ones."""
    from avatar_engine.portrait.detection import detect_faces
    from avatar_engine.portrait.landmarks import find_landmarks
    from avatar_engine.portrait.networks import default_networks
    from avatar_engine.portrait.photo import read_photo

    theirs = np.load(oracle)
    networks = default_networks()
    rows = {}
    for photo in photos:
        picture = read_photo(photo)
        ours = find_landmarks(picture, detect_faces(picture, networks)[0], networks).points
        refined, plain = theirs[f"{photo.stem}/refined"], theirs[f"{photo.stem}/plain"]
        eyes = float(np.linalg.norm(refined[33, :2] - refined[263, :2]))
        depth = 100 * np.abs(ours[:468, 2] - plain[:, 2]).mean() / eyes
        rows[photo.stem] = {
            "refined_percent": _difference(ours[:468], refined[:468], eyes),
            "plain_percent": _difference(ours[:468], plain, eyes),
            "iris_percent": _difference(ours[468:], refined[468:], eyes),
            "refined_against_plain_percent": _difference(refined[:468], plain, eyes),
            "depth_percent": round(float(depth), 3),
        }
    mean = {
        key: round(float(np.mean([row[key] for row in rows.values()])), 3)
        for key in next(iter(rows.values()))
    }
    document = {
        "name": "portrait_oracle",
        "method": METHOD,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "versions": {
            "mediapipe": str(theirs["mediapipe"]),
            "ai-edge-litert": importlib.metadata.version("ai-edge-litert"),
            "numpy": np.__version__,
        },
        "wanted_percent": WANTED_PERCENT,
        "mean": mean,
        "portraits": rows,
    }
    output.write_text(json.dumps(document, indent=1) + "\n")
    print(f"{output}: {mean}")


def _difference(ours: NDArray[np.floating], theirs: NDArray[np.floating], eyes: float) -> float:
    distance = np.linalg.norm(ours[:, :2] - theirs[:, :2], axis=1).mean()
    return round(float(100 * distance / eyes), 3)


def _commit() -> str:
    answer = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
