"""What the recipe reached: folds, fill, errors, modes and size, as a table."""

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from avatar_engine.head.model import load_head_rig
from avatar_engine.training.head_model.atlas import HalfChart
from avatar_engine.training.head_model.eyes import Eye
from avatar_engine.training.head_model.layout import HALF, SKIN_ROWS, R
from avatar_engine.training.head_model.mesh import Floats, areas, normals, signed_areas
from avatar_engine.training.head_model.rigs import FaceKit
from avatar_engine.types import Chart, HeadRig


def report(
    console: Console,
    path: Path,
    kit: FaceKit,
    chart: HalfChart,
    eye: Eye,
    rig: HeadRig,
    variance: Floats,
    misfits: list[float],
) -> None:
    """Print the figures of a model just written to ``path``."""
    read = load_head_rig(path)
    used = rig.chart > 0
    table = Table(title=path.name, show_header=False)
    flipped = int((signed_areas(chart.uv, chart.triangles) <= 0).sum())
    table.add_row("flipped triangles", f"{flipped} of {len(chart.triangles)}")
    table.add_row("Dirichlet energy", f"{chart.energy:.2f} (4 is perfect)")
    table.add_row("texels used", f"{used.mean():.3f} of the atlas")
    counts = {c.name.lower(): int((rig.chart == c).sum()) for c in Chart if (rig.chart == c).any()}
    table.add_row("texels", ", ".join(f"{name} {n}" for name, n in counts.items()))
    for region, error in normal_error(kit, chart, rig).items():
        mean, p95, worst = error.mean(), np.percentile(error, 95), error.max()
        table.add_row(
            f"normal error, {region}", f"mean {mean:.3f}, p95 {p95:.3f}, max {worst:.2f} mm"
        )
    table.add_row("eyeball", f"radius {eye.radius:.3f} cm, misfit {eye.misfit * 10:.2f} mm")
    distance = rig.landmark_distance[:468]
    table.add_row(
        "landmark registration", f"mean {distance.mean():.3f}, max {distance.max():.3f} cm"
    )
    if misfits:
        rounds = " → ".join(f"{m:.2f}" for m in misfits)
        table.add_row("landmark misfit over people", f"{rounds} mm")
    kept = len(rig.identity)
    share = np.cumsum(variance) / variance.sum()
    rest = 10 * np.sqrt(max(variance[kept:].sum(), 0))
    table.add_row("identity modes", f"{kept}: {share[kept - 1]:.4f} of the variance, "
                  f"{rest:.2f} mm rms left; 12 hold {share[11]:.3f}")  # fmt: skip
    for name in ("mean", "identity", "expression"):
        loss = (getattr(read, name) - getattr(rig, name)).reshape(-1, R * R, 3)[:, used.ravel()]
        rms = 10 * np.sqrt((loss**2).sum(-1).sum(0).mean())
        table.add_row(f"rounding, {name}", f"{rms:.3f} mm rms, all modes at 1")
    table.add_row("file", f"{path.stat().st_size / 1e6:.2f} MB")
    console.print(table)


def normal_error(kit: FaceKit, chart: HalfChart, rig: HeadRig) -> dict[str, Floats]:
    """Distance in mm, along the normal, of the bilinear map from random points of the skin."""
    random = np.random.default_rng(1)
    points = kit.vertices[chart.vertices]
    size = areas(points, chart.triangles)
    chosen = chart.triangles[random.choice(len(size), 60_000, p=size / size.sum())]
    weights = random.dirichlet([1, 1, 1], len(chosen))
    true = np.einsum("nk,nkd->nd", weights, points[chosen])
    place = np.einsum("nk,nkd->nd", weights, chart.uv[chosen]) + np.array([HALF - 0.5, -0.5])
    origin = np.floor(place).astype(int)
    inside = (origin >= 0).all(1) & (origin[:, 0] < R - 1) & (origin[:, 1] < SKIN_ROWS - 1)
    origin = np.clip(origin, 0, R - 2)
    part = place - origin
    grid, read = rig.mean.reshape(R, R, 3), np.zeros_like(true)
    for down in (0, 1):
        for right in (0, 1):
            row, column = origin[:, 1] + down, origin[:, 0] + right
            weight = np.abs(1 - right - part[:, 0]) * np.abs(1 - down - part[:, 1])
            read += weight[:, None] * grid[row, column]
            inside &= rig.chart[row, column] == Chart.SKIN
    error = np.abs(((read - true) * normals(points, chosen)).sum(1)) * 10
    x, y, z = true.T
    face = (z > 5) & (y > -9) & (y < 10)
    lips = (z > 9) & (np.abs(y + 3.4) < 1.3) & (x < 2.8)
    ears = (x > 7.3) & (y > -2) & (y < 6) & (z < 3)
    regions = {"all": inside, "face": face, "lips": lips, "ears": ears}
    return {name: error[inside & region] for name, region in regions.items()}
