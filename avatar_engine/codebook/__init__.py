"""The memory: what one photo does not show, and what a linear rig does not do, from many heads.

Two codebooks, learnt together, are asked by small transformers (Synergizing Motion and
Appearance, CVPR 2025, in the atlas instead of the picture): the motion codebook adds displacement
that no straight line of expression weights gives, the appearance codebook the colours that
neither side of one photo shows. Both are asked once, while a persona is made; the live picture
runs on what they left in its maps.
"""

from avatar_engine.codebook.compensation import CodebookCompensator
from avatar_engine.codebook.file import NAME, SHIPPED, VERSION, load_compensator

__all__ = ["NAME", "SHIPPED", "VERSION", "CodebookCompensator", "load_compensator"]
