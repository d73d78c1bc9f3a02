"""From charts to the rig: mean, modes and joints as maps, left-right symmetric by construction."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from avatar_engine.head.packing import twin_name
from avatar_engine.training.head_model.charts import Patch, sampler
from avatar_engine.training.head_model.eyes import Eye
from avatar_engine.training.head_model.landmarks import Regressor
from avatar_engine.training.head_model.layout import LOWER_TEETH, R, twin_texel
from avatar_engine.training.head_model.mesh import Floats
from avatar_engine.training.head_model.rigs import FaceKit
from avatar_engine.training.head_model.tongue import tongue_out
from avatar_engine.types import ARKIT, ARKIT_INDEX, Chart, HeadRig

N = R * R
_TEETH_DOWN_CM = 0.13  # the kit's upper teeth hide behind its lip; people show theirs
_KIT_NAMES = {"Left": "_L", "Right": "_R"}


def chart_map(patches: list[Patch], eye: Eye) -> NDArray[np.uint8]:
    """What each texel [R, R] belongs to."""
    chart = np.zeros(N, np.uint8)
    for texels, labels in [(p.texels, p.labels) for p in patches] + [(eye.texels, Chart.EYE)]:
        chart[texels] = labels
        chart[twin_texel(texels)] = labels
    return chart.reshape(R, R)


def build_rig(
    kit: FaceKit, patches: list[Patch], eye: Eye, regressor: Regressor, *, modes: int
) -> tuple[HeadRig, Floats]:
    """Resample the kit into the atlas.

    Args:
        kit: Positions and deltas.
        patches: Left halves of the charts.
        eye: The left eyeball.
        regressor: Landmarks over texels.
        modes: Identity modes to keep.

    Returns:
        The rig, and the variance [I] of all identity modes in cm² (mean over the skin).
    """
    sample = sampler(kit, patches)
    chart = chart_map(patches, eye)
    flat = chart.ravel()
    mean = sample @ kit.vertices
    mean[eye.texels] = eye.positions
    mean[twin_texel(eye.texels)] = eye.positions * [-1, 1, 1]
    upper = np.isin(flat, [Chart.TEETH, Chart.GUM]) & (np.arange(N) // R < LOWER_TEETH.row - 1)
    mean[upper, 1] -= _TEETH_DOWN_CM
    mean = (mean + mirrored(mean)) / 2
    identity = np.stack([sample @ mode for mode in kit.identity])
    eye_identity = np.stack([eye.identity, eye.identity * [-1, 1, 1]], 1)  # [I, 2, 3]
    identity[:, eye.texels] = eye_identity[:, :1]
    identity[:, twin_texel(eye.texels)] = eye_identity[:, 1:]
    identity = (identity + mirrored(identity)) / 2
    turn, variance = principal_modes(identity, _skin_area(mean, flat))
    expression = _expression(kit, sample, mean, flat)
    neck, jaw = _joints(mean, expression, flat)
    f32 = np.float32
    rig = HeadRig(
        resolution=R,
        chart=chart,
        mean=mean.astype(f32),
        identity=np.tensordot(turn[:modes], identity, 1).astype(f32),
        expression=expression.astype(f32),
        neck=neck.astype(f32),
        jaw=jaw.astype(f32),
        eye_centers=np.stack([eye.center, eye.center * [-1, 1, 1]]).astype(f32),
        eye_identity=np.tensordot(turn[:modes], eye_identity, 1).astype(f32),
        eye_radius=eye.radius,
        landmark_texels=regressor.texels,
        landmark_weights=regressor.weights,
        landmark_distance=regressor.distance,
    )
    return rig, variance


def mirrored(maps: Floats) -> Floats:
    """Vector maps [..., N, 3] seen in a mirror."""
    grid = maps.reshape(*maps.shape[:-2], R, R, 3)
    return (grid[..., ::-1, :] * [-1, 1, 1]).reshape(maps.shape)


def principal_modes(modes: Floats, area: Floats) -> tuple[Floats, Floats]:
    """Turn modes with unit-normal coefficients into as many that are uncorrelated, largest first.

    Works on the Gram matrix (modes x modes), so no covariance of texels is ever formed.

    Args:
        modes: [I, N, 3].
        area: [N] weight of each texel; sums to one.

    Returns:
        Rotation [I, I] (new modes by old) and the variance [I] of each new mode.
    """
    weighted = (modes * np.sqrt(area)[:, None]).reshape(len(modes), -1)
    variance, vectors = np.linalg.eigh(weighted @ weighted.T)
    turn = vectors[:, ::-1].T
    # An eigenvector's sign is the solver's whim; fixed, the file reproduces.
    largest = np.take_along_axis(turn, np.abs(turn).argmax(1)[:, None], 1)
    return turn * np.sign(largest), variance[::-1]


def _skin_area(mean: Floats, flat: NDArray[np.uint8]) -> Floats:
    grid = mean.reshape(R, R, 3)
    across, down = np.gradient(grid, axis=1), np.gradient(grid, axis=0)
    area = np.linalg.norm(np.cross(across, down), axis=-1).ravel()
    skin = flat == Chart.SKIN
    area = np.where(skin, np.minimum(area, np.percentile(area[skin], 99)), 0)
    return area / area.sum()


def _expression(
    kit: FaceKit, sample: sparse.csr_matrix, mean: Floats, flat: NDArray[np.uint8]
) -> Floats:
    """The 52 expressions [52, N, 3]; the kit's halves of an unsided one are added up."""
    deltas = np.zeros((len(ARKIT), N, 3))
    for k, name in enumerate(ARKIT):
        for source in _kit_names(kit, name):
            deltas[k] += sample @ kit.expression[source]
    tongue = np.flatnonzero(flat == Chart.TONGUE)
    deltas[ARKIT_INDEX["tongueOut"], tongue] = tongue_out(mean[tongue])
    twins = [ARKIT_INDEX[twin_name(name)] for name in ARKIT]
    return (deltas + mirrored(deltas[twins])) / 2


def _kit_names(kit: FaceKit, name: str) -> list[str]:
    """The kit's expressions that make up one of ARKit's.

    Raises:
        KeyError: The kit has none.
    """
    if name == "tongueOut":
        return []
    if name in kit.expression:
        return [name]
    for side, suffix in _KIT_NAMES.items():
        if name.endswith(side) and name.removesuffix(side) + suffix in kit.expression:
            return [name.removesuffix(side) + suffix]
    both = [name + suffix for suffix in _KIT_NAMES.values()]
    if not all(n in kit.expression for n in both):
        raise KeyError(f"ICT-FaceKit has no expression for {name}")
    return both


def _joints(mean: Floats, expression: Floats, flat: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Share [N] of the head's turn and of the jaw's drop."""
    _, y, z = mean.T
    climb = np.clip((y + 13.5 + 0.15 * (1 - z)) / 7.0, 0, 1)  # a smooth step over 7 cm of neck
    neck = climb**2 * (3 - 2 * climb)
    neck[np.isin(flat, [Chart.EYE, Chart.TEETH, Chart.GUM, Chart.TONGUE, Chart.CAVITY])] = 1
    neck[flat == Chart.EMPTY] = 0
    drop = np.linalg.norm(expression[ARKIT_INDEX["jawOpen"]], axis=1)
    return neck, np.clip(drop / np.percentile(drop[flat == Chart.TEETH], 97), 0, 1)
