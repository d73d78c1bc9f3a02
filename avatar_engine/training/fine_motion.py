"""``python -m avatar_engine.training.fine_motion --data DIR``: learn the modes of fine motion.

What the fitted linear rig leaves of the landmarks of some hundred portraits is taken apart into
principal components, every portrait with its mirror image. Faces differ from the rig in the same
smooth ways in which one face does over time, which no still photo could show.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from avatar_engine.codebook.fine_motion import NAME, SHIPPED, VERSION
from avatar_engine.errors import ShapeError
from avatar_engine.head import load_head_rig
from avatar_engine.training.portraits.cached import load_cached
from avatar_engine.training.portraits.coarse import COARSE
from avatar_engine.training.portraits.index import read_index
from avatar_engine.types import Chart, HeadRig
from avatar_engine.weights import WeightFacts, save_weights

MODES = 16
_FACE_POINTS = 468


def components(
    fields: NDArray[np.floating], rig: HeadRig, count: int = MODES
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Principal components of displacement fields, as landmarks see them.

    Args:
        fields: [P, 64, 64, 2] cm across and up, of P heads.
        rig: Knows where landmarks are.
        count: Of components.

    Returns:
        [count, 64, 64, 2] cm at one standard deviation, and each one's share of the variance.
    """
    mirrored = fields[:, :, ::-1] * [-1, 1]
    both = np.concatenate([fields, mirrored]).reshape(2 * len(fields), -1, 2).astype(np.float64)
    row, col = np.divmod(rig.landmark_texels[:_FACE_POINTS], rig.resolution)
    step = rig.resolution // COARSE
    cells = row // step * COARSE + col // step  # [468, 4]
    at_landmarks = np.einsum("plkd,lk->pld", both[:, cells], rig.landmark_weights[:_FACE_POINTS])
    scores, size, _ = np.linalg.svd(at_landmarks.reshape(len(both), -1), full_matrices=False)
    modes = np.tensordot(scores[:, :count].T, both, 1) / np.sqrt(len(both))
    share = size**2 / (size**2).sum()
    return modes.reshape(count, COARSE, COARSE, 2), share[:count]


def main(
    data: Annotated[Path, typer.Option(help="The folder that training.portraits has written.")],
    output: Annotated[Path, typer.Option(help="The weight file.")] = SHIPPED,
) -> None:
    """Learn the modes of fine motion from cached portraits that are not held out."""
    try:
        known = [e for e in read_index(data) if e.held_out == "no" and e.split != "synthetic"]
        files = [data / f"{entry.name}.npz" for entry in known]
        heads = [load_cached(file) for file in files if file.exists()]
    except (OSError, ShapeError) as error:
        raise typer.BadParameter(str(error)) from error
    if len(heads) < MODES:
        raise typer.BadParameter(f"{data} holds {len(heads)} portraits; {MODES} are needed")
    rig = load_head_rig()
    modes, share = components(np.stack([h.residual[..., :2] for h in heads]), rig)
    tensors = {
        "modes": modes.astype(np.float16),
        "skin": (rig.chart == Chart.SKIN).astype(np.uint8),
    }
    recipe = f"python -m avatar_engine.training.fine_motion, {len(heads)} portraits"
    save_weights(output, tensors, WeightFacts(NAME, VERSION, "Apache-2.0", recipe))
    typer.echo(f"{output.name}: {MODES} modes of {len(heads)} portraits, {share.sum():.0%} of all")


if __name__ == "__main__":
    typer.run(main)
