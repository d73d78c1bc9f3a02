"""How large a screen-space generator is."""

from dataclasses import dataclass

LEVELS = 4
"""Scales: the full picture, a half, a quarter and an eighth of it."""


@dataclass(frozen=True, slots=True)
class ScreenConfig:
    """Sizes of a generator.

    Attributes:
        side: R, of the square picture, pixels; a multiple of 32.
        grid: G, side of the square of tokens at every scale; divides R / 8.
        widths: Channels of features at R, R/2, R/4 and R/8.
        codes: Rows of each codebook; scale by scale, coarse to fine, a quarter more of them is
            open to retrieval.
        motion_width, appearance_width: Of a code and a token.
        heads: Of attention; divides both widths.
        layers: Of each transformer.
    """

    side: int = 128
    grid: int = 16
    widths: tuple[int, int, int, int] = (16, 16, 32, 48)
    codes: int = 128
    motion_width: int = 32
    appearance_width: int = 48
    heads: int = 4
    layers: int = 1

    def side_of(self, level: int) -> int:
        """Pixels along a side at a level; 0 is the finest."""
        return self.side >> level

    def patch_of(self, level: int) -> int:
        """Pixels along a side of what becomes one token at a level."""
        return self.side_of(level) // self.grid

    def open_codes(self, level: int) -> int:
        """How many codes, from the first on, a level may use: the coarse share theirs."""
        return self.codes * (LEVELS - level) // LEVELS


COMPACT = ScreenConfig()
"""Trains on a CPU within minutes; what ships."""

FULL = ScreenConfig(
    side=512,
    grid=32,
    widths=(64, 128, 128, 256),
    codes=1024,
    motion_width=32,
    appearance_width=256,
    heads=8,
    layers=2,
)
"""The paper's sizes at 512 x 512, for a GPU."""
