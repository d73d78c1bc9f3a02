"""The skull: a parametric full head in UV space, and its fit to one portrait."""

from avatar_engine.head.model import load_head_rig

__all__ = ["load_head_rig"]
