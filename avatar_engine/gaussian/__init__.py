"""The skin: a portrait and its fitted head become Gaussians in the atlas, and plates behind."""

from avatar_engine.gaussian.build import build_maps

__all__ = ["build_maps"]
