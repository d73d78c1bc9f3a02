"""The skin: one portrait and its fitted head become Gaussians in the atlas, and plates behind them."""

from avatar_engine.gaussian.build import build_maps

__all__ = ["build_maps"]
