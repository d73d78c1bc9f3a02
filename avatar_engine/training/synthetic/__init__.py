"""Heads that nobody has, with everything about them known: texture, motion, flow, occlusion."""
