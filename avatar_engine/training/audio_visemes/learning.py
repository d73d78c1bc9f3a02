"""Training with checkpoints: stop it any time, start it again, it goes on where it was."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from avatar_engine.training.audio_visemes.batches import Batch
from avatar_engine.training.audio_visemes.network import EarNetwork, loss_of
from avatar_engine.types import HEARD_SOUNDS

_HIGHEST_RATE, _LOWEST_RATE = 3e-3, 2e-5
_WARM_UP = 60
_KEEP_EVERY_S = 60.0
_URGENT = {"m": 2.2, "f": 2.2, "w": 1.5, "": 0.7}  # what a viewer misses first counts more

Report = Callable[[int, float, float], None]
"""Told the step, the share of the time that is over, and the loss lately."""


def learn(
    network: EarNetwork,
    batches: Iterable[Batch],
    checkpoint: Path,
    *,
    minutes: float,
    report: Report,
) -> EarNetwork:
    """Train for so many minutes in all, over however many runs.

    Args:
        network: Trained in place, unless the checkpoint holds a further one.
        batches: Endless.
        checkpoint: Read when it exists, written every minute and at the end.
        minutes: Time this stage may take, earlier runs included.
        report: Progress.
    """
    optimiser = torch.optim.AdamW(network.parameters(), lr=_HIGHEST_RATE, weight_decay=1e-3)
    step, spent_s, lately = 0, 0.0, 0.0
    if checkpoint.is_file():
        kept = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(kept["network"])
        optimiser.load_state_dict(kept["optimiser"])
        step, spent_s, lately = kept["step"], kept["spent_s"], kept["loss"]
    weights = torch.tensor([_URGENT.get(name, 1.0) for name in HEARD_SOUNDS])
    began, kept_at = time.monotonic() - spent_s, time.monotonic()
    total_s = minutes * 60.0
    if spent_s >= total_s:
        return network.eval()
    network.train()
    for batch in batches:
        share = min((time.monotonic() - began) / total_s, 1.0)
        for group in optimiser.param_groups:
            group["lr"] = _rate(step, share)
        logits = network(torch.from_numpy(batch.features))
        loss = loss_of(logits, torch.from_numpy(batch.labels), weights)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        step += 1
        lately = loss.item() if step == 1 else 0.98 * lately + 0.02 * loss.item()
        report(step, share, lately)
        is_over = share >= 1.0
        if is_over or time.monotonic() - kept_at > _KEEP_EVERY_S:
            kept_at = time.monotonic()
            _keep(checkpoint, network, optimiser, step, kept_at - began, lately)
        if is_over:
            break
    return network.eval()


def _rate(step: int, share: float) -> float:
    """Up quickly, then down evenly with the time that is over."""
    rising = min(1.0, (step + 1) / _WARM_UP)
    return rising * (_LOWEST_RATE + (_HIGHEST_RATE - _LOWEST_RATE) * (1.0 - share) ** 1.2)


def _keep(
    path: Path,
    network: EarNetwork,
    optimiser: torch.optim.Optimizer,
    step: int,
    spent_s: float,
    loss: float,
) -> None:
    content = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "spent_s": spent_s,
        "loss": loss,
    }
    part = path.with_suffix(".part")
    torch.save(content, part)
    part.replace(path)
