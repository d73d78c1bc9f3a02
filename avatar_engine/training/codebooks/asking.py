"""A codebook in torch: asked by attention, learnt by moving averages of what heads really lack."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from avatar_engine.codebook.plan import SCALES, CodebookPlan

_KEPT = 0.96  # of a code's running mean, per step
_TOO_SELDOM = 0.3  # of an even share; a code used less is put where one is needed
_CONSCIENCE, _MOST_HANDICAP = 0.5, 4.0  # the more tokens a code has, the nearer the next must be


@dataclass(frozen=True, slots=True)
class Found:
    """What a codebook adds, and how it came to it.

    Attributes:
        total: [B, 3, side, side].
        coarse: The sum after each scale, at its own size.
        tokens: [B, T, D] of each scale after asking.
        choices: [B, T, K] logits over the codes of each scale.
    """

    total: Tensor
    coarse: dict[int, Tensor]
    tokens: dict[int, Tensor]
    choices: dict[int, Tensor]

    def refined(self, fine: Tensor) -> "Found":
        """With what the decoder adds."""
        return replace(self, total=self.total + fine)

    def exact(self) -> "Found":
        """In single precision, for losses."""
        return Found(
            self.total.float(),
            *(
                {scale: x.float() for scale, x in parts.items()}
                for parts in (self.coarse, self.tokens, self.choices)
            ),
        )


class _Asking(nn.Module):
    """The transformer layer of one scale."""

    def __init__(self, plan: CodebookPlan, scale: int) -> None:
        super().__init__()
        d = plan.width
        self.place = nn.Parameter(0.02 * torch.randn(scale * scale, d))
        if scale in plan.attends:
            self.among = nn.LayerNorm(d)
            self.mixed, self.joined = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.asking, self.query = nn.LayerNorm(d), nn.Linear(d, d)
        self.key = nn.Linear(plan.code_size, d, bias=False)
        self.value = nn.Linear(plan.code_size, d, bias=False)
        self.after, self.inner, self.outer = (
            nn.LayerNorm(d),
            nn.Linear(d, 2 * d),
            nn.Linear(2 * d, d),
        )
        self.done = nn.LayerNorm(d)
        self.gate = nn.Linear(d, 1)
        self.attends = scale in plan.attends

    def forward(self, x: Tensor, codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens [B, T, D], logits over codes [B, T, K], gate logits [B, T, 1]."""
        x = x + self.place
        if self.attends:
            q, k, v = self.mixed(self.among(x)).chunk(3, -1)
            x = x + self.joined(functional.scaled_dot_product_attention(q, k, v))
        even = codes / codes.shape[-1] ** 0.5
        choice = self.query(self.asking(x)) @ self.key(even).T / x.shape[-1] ** 0.5
        x = x + choice.softmax(-1) @ self.value(even)
        x = x + self.outer(functional.gelu(self.inner(self.after(x)), approximate="tanh"))
        x = self.done(x)
        return x, choice, self.gate(x)


class Codebook(nn.Module):
    """Twin of ``codebook.retrieval.Codebook``; see :meth:`learn` for how codes come about.

    Attributes:
        codes: [K, 3 P P] patches in units of ``spread``.
        spread: [3] size of what is lacking at each scale.
    """

    codes: Tensor
    counts: Tensor
    spread: Tensor
    known: Tensor

    def __init__(self, plan: CodebookPlan) -> None:
        super().__init__()
        self.plan = plan
        self.register_buffer("codes", torch.randn(plan.prefixes[-1], plan.code_size))
        self.register_buffer("counts", torch.ones(plan.prefixes[-1]))
        self.register_buffer("spread", torch.ones(len(SCALES)))
        self.register_buffer("known", torch.zeros(len(SCALES)))
        for scale in SCALES:
            setattr(self, f"scale{scale}", _Asking(plan, scale))
            if scale > SCALES[0]:
                setattr(self, f"pass{scale}", nn.Linear(plan.width, plan.width))

    def forward(self, asking: Mapping[int, Tensor]) -> Found:
        """Ask at every scale, coarse to fine, with tokens [B, S S, D] of each scale S."""
        x = asking[SCALES[0]]
        total = logits = x.new_zeros(1)
        coarse, tokens, choices = {}, {}, {}
        for k, (scale, count) in enumerate(zip(SCALES, self.plan.prefixes, strict=True)):
            if scale > SCALES[0]:
                handed = as_picture(getattr(self, f"pass{scale}")(x))
                x = asking[scale] + as_tokens(doubled(handed))
                total, logits = doubled(total), doubled(logits)
            # Copies: the codes move before the gradient has come back through them.
            codes, spread = self.codes[:count].clone(), self.spread[k].clone()
            x, choice, gate = getattr(self, f"scale{scale}")(x, codes)
            patches = choice.softmax(-1) @ (codes * spread)
            logits = logits + as_picture(gate)
            share = logits
            while share.shape[-1] < scale * self.plan.patch:
                share = doubled(share)
            total = total + share.sigmoid() * self._painted(patches)
            coarse[scale], tokens[scale], choices[scale] = total, x, choice
        return Found(total, coarse, tokens, choices)

    def _painted(self, patches: Tensor) -> Tensor:
        return functional.pixel_shuffle(as_picture(patches), self.plan.patch)

    @torch.no_grad()
    def learn(self, lacking: Tensor, known: Tensor, rng: torch.Generator) -> dict[int, Tensor]:
        """Move the codes toward what heads lack; put unused ones where they are needed.

        Args:
            lacking: [B, 3, side, side], the truth less what is there before compensation.
            known: [B, 1, side, side] in [0, 1], where the truth is known.
            rng: Decides which tokens seldom used codes become.

        Returns:
            [B, T] of each scale, the code next to each token, or -1 where the truth is unknown.
        """
        nearest: dict[int, Tensor] = {}
        sums, hits = torch.zeros_like(self.codes), torch.zeros_like(self.counts)
        pool = []
        for k, (scale, tokens) in enumerate(self._bands(lacking, known).items()):
            patches, is_known = tokens
            used = patches[is_known]
            if len(used) < 8:
                nearest[scale] = torch.full(is_known.shape, -1, device=used.device)
                continue
            spread = used.pow(2).mean().sqrt().clamp(min=1e-5)
            count, before = self.plan.prefixes[k], self.plan.prefixes[k - 1] if k else 0
            if self.known[k] == 0:
                self.known[k] = 1
                self.spread[k] = spread
                start = torch.randint(len(used), (count - before,), generator=rng)
                self.codes[before:count] = used[start] / spread
            self.spread[k].lerp_(spread, 0.02)
            patches = patches / self.spread[k]
            apart = torch.cdist(patches, self.codes[:count].expand(len(patches), -1, -1))
            nearest[scale] = torch.where(is_known, apart.argmin(-1), -1)
            handicap = self.counts[:count].clamp(1 / _MOST_HANDICAP, _MOST_HANDICAP)
            winner = (apart * handicap**_CONSCIENCE).argmin(-1)
            at, seen = winner[is_known], patches[is_known]
            # Every scale counts alike, however many tokens it has.
            share = 1.0 / len(at)
            sums.index_add_(0, at, seen * share)
            hits.index_add_(0, at, torch.full_like(at, share, dtype=hits.dtype))
            pool.append((count, seen[torch.randperm(len(seen), generator=rng)[:256]]))
        self._moved(sums, hits, pool, rng)
        return nearest

    def _moved(
        self,
        sums: Tensor,
        hits: Tensor,
        pool: list[tuple[int, Tensor]],
        rng: torch.Generator,
    ) -> None:
        """Running means, and restarts of what hardly any token wants."""
        even = torch.zeros_like(hits)
        for count, _ in pool:
            even[:count] += 1 / count
        gained = (1 - _KEPT) * hits / even.clamp(min=1e-9)
        self.counts.mul_(_KEPT).add_(gained)
        step = (gained / self.counts.clamp(min=1e-6)).clamp(max=1)
        mean = sums / hits.clamp(min=1e-12)[:, None]
        self.codes.lerp_(torch.where(hits[:, None] > 0, mean, self.codes), step[:, None])
        for k in torch.nonzero(self.counts < _TOO_SELDOM).flatten().tolist():
            fitting = [tokens for count, tokens in pool if k < count and len(tokens)]
            if fitting:
                tokens = fitting[int(torch.randint(len(fitting), (1,), generator=rng))]
                self.codes[k] = tokens[int(torch.randint(len(tokens), (1,), generator=rng))]
                self.counts[k] = 1.0

    def _bands(self, lacking: Tensor, known: Tensor) -> dict[int, tuple[Tensor, Tensor]]:
        """Patches [B, T, 3 P P] of each scale's band of a pyramid, and which are known [B, T]."""
        patch = self.plan.patch
        levels = [(lacking * known, known)]
        for _ in SCALES[1:]:
            levels.append((halved(levels[-1][0]), halved(levels[-1][1])))
        bands: dict[int, tuple[Tensor, Tensor]] = {}
        below: Tensor | None = None
        for scale, (v, w) in zip(SCALES, reversed(levels), strict=True):
            whole = v / w.clamp(min=1e-4)
            band = whole if below is None else whole - doubled(below)
            below = whole
            band = torch.where(w > 0.05, band, 0)
            share = as_tokens(functional.avg_pool2d(w, patch))[..., 0]
            bands[scale] = as_tokens(functional.pixel_unshuffle(band, patch)), share > 0.4
        return bands


def perplexity(nearest: Tensor, count: int) -> float:
    """Codes that tokens [...] (-1: none) use evenly: 1 where all use one, ``count`` at best."""
    used = nearest[nearest >= 0].flatten()
    share = torch.bincount(used, minlength=count).float() / max(1, len(used))
    return float(torch.exp(-(share * share.clamp(min=1e-12).log()).sum()))


def as_tokens(picture: Tensor) -> Tensor:
    """[B, C, H, W] as [B, H W, C]."""
    return picture.flatten(2).transpose(1, 2)


def as_picture(tokens: Tensor) -> Tensor:
    """[B, S S, C] as [B, C, S, S]."""
    side = round(tokens.shape[1] ** 0.5)
    return tokens.transpose(1, 2).unflatten(2, (side, side))


def doubled(x: Tensor) -> Tensor:
    """Twice the size, bilinearly."""
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def halved(x: Tensor) -> Tensor:
    """Means of 2 x 2 texels."""
    return functional.avg_pool2d(x, 2)
