"""A codebook that does not collapse, and the transformer that asks it.

Codes follow the running means of what is assigned to them; codes that nothing chooses start again
at something that was seen. Retrieval is cross-attention to them, as in the paper: their keys and
values do not depend on the picture, so at run time they are computed once.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

_KEPT = 0.98  # of the running means per step
_DEAD = 0.02  # share of an even use below which a code starts again


class Codebook(nn.Module):
    """Codes [K, D] with a shared prefix per scale.

    Args:
        codes: K.
        width: D.
        scales: How many users count their use separately.
    """

    def __init__(self, codes: int, width: int, scales: int) -> None:
        super().__init__()
        self.codes: Tensor
        self.mass: Tensor
        self.use: Tensor
        self.is_begun: Tensor
        self.register_buffer("codes", torch.randn(codes, width) / math.sqrt(width))
        self.register_buffer("mass", torch.ones(codes))
        self.register_buffer("use", torch.zeros(scales, codes))
        self.register_buffer("is_begun", torch.zeros(()))

    def nearest(self, tokens: Tensor, open_codes: int) -> Tensor:
        """Which of the first codes is nearest [T] to tokens [T, D]."""
        codes = self.codes[:open_codes]
        distance = codes.square().sum(1) - 2 * tokens @ codes.T
        return distance.argmin(1)

    @torch.no_grad()
    def follow(
        self, scales: list[tuple[Tensor, int]], generator: torch.Generator | None = None
    ) -> None:
        """Move codes toward what was assigned to them, and restart idle ones.

        Args:
            scales: Tokens [T, D] of each scale, coarse to fine, and how many codes are open to it.
            generator: Decides what idle codes restart at.
        """
        if not self.is_begun:
            self._begin(scales, generator)
        total, mass = torch.zeros_like(self.codes), torch.zeros_like(self.mass)
        for scale, (tokens, open_codes) in enumerate(scales):
            chosen = self.nearest(tokens, open_codes)
            use = torch.bincount(chosen, minlength=len(mass)).to(mass)
            # Scales of equal weight, whatever number of tokens each has.
            total.index_add_(0, chosen, tokens / len(tokens))
            mass += use / len(tokens)
            self.use[scale].lerp_(use / len(tokens), 1 - _KEPT)
        mean = total / mass.clamp_min(1e-9)[:, None]
        pull = (1 - _KEPT) * mass / ((1 - _KEPT) * mass + _KEPT * self.mass + 1e-9)
        self.codes.lerp_(torch.where(mass[:, None] > 0, mean, self.codes), pull[:, None])
        self.mass.lerp_(mass, 1 - _KEPT)
        self._restart(scales, generator)

    def _begin(self, scales: list[tuple[Tensor, int]], generator: torch.Generator | None) -> None:
        """Start at tokens that were seen; each code at one of a scale that may use it."""
        start = 0
        for tokens, open_codes in scales:
            picked = torch.randint(len(tokens), (open_codes - start,), generator=generator)
            self.codes[start:open_codes] = tokens[picked.to(tokens.device)]
            start = open_codes
        self.mass.fill_(len(scales) / len(self.mass))
        self.is_begun.fill_(1)

    def _restart(self, scales: list[tuple[Tensor, int]], generator: torch.Generator | None) -> None:
        even = len(scales) / len(self.mass)
        dead = torch.nonzero(self.mass < _DEAD * even)[:, 0]
        start = 0
        for tokens, open_codes in scales:
            idle = dead[(dead >= start) & (dead < open_codes)]
            picked = torch.randint(len(tokens), (len(idle),), generator=generator)
            self.codes[idle] = tokens[picked.to(tokens.device)]
            start = open_codes
        self.mass[dead] = even

    def used(self, open_codes: list[int]) -> list[float]:
        """Perplexity over open codes of each scale, in [0, 1]: 1 is an even use of them all."""
        shares = []
        for use, count in zip(self.use, open_codes, strict=True):
            p = use[:count] / use[:count].sum().clamp_min(1e-9)
            entropy = -(p * p.clamp_min(1e-12).log()).sum()
            shares.append(float(entropy.exp()) / count)
        return shares


class Retrieval(nn.Module):
    """A small transformer over a grid of tokens that asks a codebook.

    Args:
        width: D.
        heads: Of attention.
        layers: Blocks of self-attention, retrieval and a convolutional step.
        grid: G, side of the grid.
    """

    def __init__(self, width: int, heads: int, layers: int, grid: int) -> None:
        super().__init__()
        self.place = nn.Parameter(0.02 * torch.randn(1, width, grid, grid))
        self.blocks = nn.ModuleList(_Block(width, heads) for _ in range(layers))

    def constants(self, codes: Tensor) -> list[Tensor]:
        """Keys and values [K, 2 D] of codes [K, D], block by block: no picture changes them."""
        return [block.constant(codes) for block in self._blocks()]

    def forward(self, tokens: Tensor, constants: list[Tensor]) -> Tensor:
        """What tokens [B, D, G, G] recall, given ``constants`` of the open codes: [B, D, G, G]."""
        recalled = tokens + self.place
        for block, constant in zip(self._blocks(), constants, strict=True):
            recalled = block(recalled, constant)
        return recalled

    def _blocks(self) -> "list[_Block]":
        return [block for block in self.blocks if isinstance(block, _Block)]


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_self, self.before_recall = nn.LayerNorm(width), nn.LayerNorm(width)
        self.self_in, self.self_out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.ask, self.answer = nn.Linear(width, width), nn.Linear(width, width)
        self.keys = nn.Linear(width, 2 * width)
        self.before_step = nn.GroupNorm(1, width)
        self.widen = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.narrow = nn.Conv2d(2 * width, width, 3, padding=1)

    def constant(self, codes: Tensor) -> Tensor:
        return self.keys(codes)

    def forward(self, grid: Tensor, constant: Tensor) -> Tensor:
        shape = grid.shape
        tokens = grid.flatten(2).transpose(1, 2)  # [B, T, D]
        q, k, v = self.self_in(self.before_self(tokens)).chunk(3, -1)
        tokens = tokens + self.self_out(self._attended(q, k, v))
        q = self.ask(self.before_recall(tokens))
        k, v = constant.expand(len(q), -1, -1).chunk(2, -1)
        tokens = tokens + self.answer(self._attended(q, k, v))
        grid = tokens.transpose(1, 2).reshape(shape)
        return grid + self.narrow(functional.gelu(self.widen(self.before_step(grid))))

    def _attended(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        split = [t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in (q, k, v)]
        found = functional.scaled_dot_product_attention(*split)  # [B, heads, T, D / heads]
        return found.transpose(1, 2).flatten(2)
