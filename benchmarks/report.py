"""Writes a benchmark's figures with everything needed to judge them.

    from benchmarks.report import write_result
    write_result("render", {"cpu_ms_per_frame": 5.1}, method="median of 200 frames, process time")

Committed results live in ``benchmarks/results``; compare figures of one machine only.
"""

import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_ROOT = Path(__file__).parent.parent
_PACKAGES = ("numpy", "scipy", "numba", "av", "aiortc", "fastapi", "sqlalchemy", "torch")


def write_result(
    name: str, payload: Mapping[str, Any], *, method: str = "", path: Path | None = None
) -> Path:
    """Write ``benchmarks/results/NAME.json`` and print where.

    Args:
        name: Of the file; one benchmark, one name.
        payload: The figures, JSON-ready, units in their names.
        method: How they were measured, one or two sentences.
        path: Another file to write to.
    """
    document = {
        "name": name,
        "method": method,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": machine(),
        "versions": _versions(),
        "result": dict(payload),
    }
    target = path or RESULTS / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    print(f"wrote {target}", file=sys.stderr)
    return target


def machine() -> dict[str, Any]:
    """The processor, its cores, the memory and the system; no name, no path."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(_memory_bytes() / 2**30, 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _commit() -> str:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],
            cwd=_ROOT, capture_output=True, text=True, timeout=5, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
