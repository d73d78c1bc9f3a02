"""The generator's weights: half precision on disk, single in memory.

None ship yet: no training has run long enough to be measured. The recipe writes them where they
are looked for.
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from avatar_engine.codebook.screen.config import ScreenConfig
from avatar_engine.codebook.screen.generator import ScreenGenerator
from avatar_engine.errors import WeightsError
from avatar_engine.weights import WeightFacts, load_weights, save_weights

SHIPPED = Path(__file__).with_name("screen.safetensors")
VERSION = "1"

FACTS = WeightFacts(
    name="screen",
    version=VERSION,
    licence="Apache-2.0",
    recipe="python -m avatar_engine.training.screen --photos DIR --work DIR",
)
_TRAINING_ONLY = ("meant.", "said.", "book.mass", "book.use", "book.is_begun")
_SIZES = "config"


def save_generator(path: Path, net: ScreenGenerator) -> None:
    """Write what a picture needs of a generator; what only training asks is left out."""
    tensors = {
        name: value.detach().cpu().numpy().astype(np.float16)
        for name, value in net.state_dict().items()
        if not any(part in name for part in _TRAINING_ONLY)
    }
    config = asdict(net.config)
    widths = config.pop("widths")
    tensors[_SIZES] = np.array([*config.values(), *widths], np.int32)
    save_weights(path, tensors, FACTS)


def load_generator(path: Path = SHIPPED) -> ScreenGenerator:
    """A generator ready to draw.

    Raises:
        WeightsError: The file is missing, altered, of another version, or does not fit.
    """
    if not path.exists():
        raise WeightsError(
            f"{path.name}: quality high has no weights here; train them with "
            "python -m avatar_engine.training.screen, or ask for quality normal"
        )
    weights = load_weights(path, (FACTS.name, VERSION))
    tensors = dict(weights.tensors)
    try:
        side, grid, codes, motion, appearance, heads, layers, *widths = tensors.pop(_SIZES).tolist()
        a, b, c, d = widths
        config = ScreenConfig(side, grid, (a, b, c, d), codes, motion, appearance, heads, layers)
        net = ScreenGenerator(config)
        state = {
            name: torch.from_numpy(value.astype(np.float32)) for name, value in tensors.items()
        }
        missing, foreign = net.load_state_dict(state, strict=False)
    except (KeyError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path.name}: does not fit; reinstall livepitch") from error
    if foreign or not all(any(part in name for part in _TRAINING_ONLY) for name in missing):
        raise WeightsError(f"{path.name}: does not fit; reinstall livepitch")
    return net.eval()
