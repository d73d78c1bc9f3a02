"""The sizes that the networks, their recipe and their weight file agree upon."""

from dataclasses import dataclass

SCALES = (8, 16, 32)
"""Tokens along a side of the atlas, coarse to fine."""

PROTOTYPES: tuple[dict[str, float], ...] = (
    {"jawOpen": 0.7},
    {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9, "cheekSquintLeft": 0.5,
     "cheekSquintRight": 0.5},
    {"jawOpen": 0.4, "mouthSmileLeft": 0.8, "mouthSmileRight": 0.8},
    {"mouthPucker": 0.9},
    {"mouthFunnel": 0.8, "jawOpen": 0.3},
    {"mouthRollLower": 0.7, "mouthRollUpper": 0.7, "mouthPressLeft": 0.5, "mouthPressRight": 0.5},
    {"mouthUpperUpLeft": 0.7, "mouthUpperUpRight": 0.7},
    {"mouthLowerDownLeft": 0.7, "mouthLowerDownRight": 0.7},
    {"mouthFrownLeft": 0.8, "mouthFrownRight": 0.8, "mouthShrugLower": 0.5},
    {"mouthStretchLeft": 0.8, "mouthStretchRight": 0.8, "jawOpen": 0.2},
    {"mouthLeft": 0.8, "jawLeft": 0.5},
    {"mouthRight": 0.8, "jawRight": 0.5},
    {"eyeBlinkLeft": 0.9},
    {"eyeBlinkRight": 0.9},
    {"browInnerUp": 0.8, "browOuterUpLeft": 0.7, "browOuterUpRight": 0.7, "eyeWideLeft": 0.5,
     "eyeWideRight": 0.5},
    {"browDownLeft": 0.8, "browDownRight": 0.8, "noseSneerLeft": 0.5, "noseSneerRight": 0.5,
     "eyeSquintLeft": 0.6, "eyeSquintRight": 0.6},
)  # fmt: skip
"""Expressions whose linear displacement asks the motion codebook for one corrective mode each."""


@dataclass(frozen=True, slots=True)
class CodebookPlan:
    """One codebook and the transformer that asks it.

    Attributes:
        side: Texels along a side of what it compensates.
        patch: Texels along a side of a code.
        width: Channels of a token.
        prefixes: Codes that each scale may use: the first so many, coarse scales the fewest.
        unit: What 1 means in the networks: cm, or sRGB.
        attends: Scales at which tokens look at each other.
    """

    side: int
    patch: int
    width: int
    prefixes: tuple[int, int, int]
    unit: float
    attends: tuple[int, ...] = (8, 16)

    @property
    def code_size(self) -> int:
        """Numbers in a code: three channels of a patch."""
        return 3 * self.patch * self.patch


MOTION = CodebookPlan(side=64, patch=2, width=32, prefixes=(16, 24, 48), unit=0.1)
APPEARANCE = CodebookPlan(side=128, patch=4, width=64, prefixes=(24, 48, 96), unit=0.25)
APPEARANCE_WIDTHS = (24, 48, 64, 64)
"""Channels at 64, 32, 16 and 8 tokens a side."""

APPEARANCE_PLANES = 6
"""Fused colours (3), seen, the twin seen, hair."""
PLACE_PLANES = 5
"""Constant: skin or not, distance from the mid-line, height, depth, ears and neck (curvature)."""
PERSON_PLANES = 6
"""Shape against the mean head (3), what the linear rig leaves at the photo's expression (3)."""
