"""Measurements on real clips: the first frame makes a persona, the others drive it."""
