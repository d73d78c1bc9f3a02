"""``python -m avatar_engine``: build, draw and measure personas. Heavy imports wait."""

from avatar_engine.cli import bench, evaluate, machine, persona, render
from avatar_engine.cli.console import OneLineErrors, app

# Each module adds its commands to ``app`` when it is imported.
__all__ = ["OneLineErrors", "app", "bench", "evaluate", "machine", "persona", "render"]
