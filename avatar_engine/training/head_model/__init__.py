"""Builds the parametric head from openly licensed rigs: one atlas, one set of modes, one file."""
