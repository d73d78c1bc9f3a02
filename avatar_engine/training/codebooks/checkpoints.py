"""A checkpoint as a compensator, whatever its variant, so that all are measured alike."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from avatar_engine.codebook import CodebookCompensator
from avatar_engine.codebook.arithmetic import Floats
from avatar_engine.codebook.file import drivers_of
from avatar_engine.codebook.retrieval import Tokens
from avatar_engine.head import load_head_rig
from avatar_engine.training.codebooks.export import exported
from avatar_engine.training.codebooks.ground import ground_of
from avatar_engine.training.codebooks.learning import Halves
from avatar_engine.training.codebooks.network import AppearanceNet, MotionNet


@dataclass(frozen=True, slots=True)
class _Motion:
    net: MotionNet

    @torch.no_grad()
    def compensate(self, fields: Floats, person: Floats) -> tuple[Floats, Tokens]:
        """As ``codebook.motion.MotionCodebook``."""
        found = self.net(torch.from_numpy(fields), torch.from_numpy(person))
        return found.total.numpy(), {scale: x.numpy() for scale, x in found.tokens.items()}


@dataclass(frozen=True, slots=True)
class _Appearance:
    net: AppearanceNet

    @torch.no_grad()
    def compensate(self, planes: Floats, motion: Tokens) -> Floats:
        """As ``codebook.appearance.AppearanceCodebook``."""
        heard = {scale: torch.from_numpy(x) for scale, x in motion.items()}
        whole: Floats = self.net(torch.from_numpy(planes), heard).total.numpy()
        return whole


def compensator_of(checkpoint: Path, trust: Floats | None = None) -> CodebookCompensator:
    """The running mean of a checkpoint, ready to complete heads.

    Args:
        checkpoint: ``checkpoint.pt`` of a work folder; any variant.
        trust: [128, 128] how far completed colours are believed; None: everywhere.
    """
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    variant = state["variant"]
    halves = Halves(variant).eval()
    halves.load_state_dict(state["mean"])
    rig = load_head_rig()
    ground = ground_of(rig)
    has_motion = variant in ("motion", "both", "unet", "paper")
    has_appearance = variant in ("appearance", "both", "unet", "paper")
    tensors = exported(
        halves,
        ground,
        rig,
        trust=ground.skin if trust is None else trust,
        motion=has_motion,
        appearance=has_appearance,
    )
    layers = {name: np.asarray(value, np.float32) for name, value in tensors.items()}
    asked = _Motion(halves.motion), _Appearance(halves.appearance)
    return CodebookCompensator(layers, *asked, drivers_of(layers))
