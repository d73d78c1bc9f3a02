"""Teach the eye to notice glasses: portraits of which a person noted who wears some.

    python scripts/train_glasses_check.py PORTRAITS_DIR [--work DIR]

Reads ``train`` and ``train225`` of the portraits folder, writes
``avatar_engine/portrait/models/glasses_check.safetensors`` and prints how the people kept apart
(``dev`` and some of the others) fare. Crops are kept in the work folder, so a second call is quick.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from avatar_engine.errors import PhotoError
from avatar_engine.gaussian.regions import regions_of
from avatar_engine.head import load_head_rig
from avatar_engine.portrait.glasses import SURE, WEIGHTS, glasses_features
from avatar_engine.training.labels.crops import read_crop
from avatar_engine.training.labels.gathering import photos_in
from avatar_engine.training.labels.hand import HAND, KEPT_APART, Notes, read_notes
from avatar_engine.weights import WeightFacts, save_weights

STEPS, RATE, DECAY, NOISE, RARE = 400, 3e-3, 0.3, 0.8, 3.0

_PARTS = 5

Floats = NDArray[np.float32]


def main() -> None:
    """Train, save, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("portraits", type=Path)
    parser.add_argument("--work", type=Path, default=Path("build/labels"))
    args = parser.parse_args()
    notes, apart = read_notes(HAND), read_notes(KEPT_APART)
    names, seen = _features(args.portraits, args.work / "crops")
    learned = [k for k, n in enumerate(names) if n not in apart and not _misleads(notes, n)]
    worn = np.array(["glasses" in (apart | notes).get(n, Notes()).kinds for n in names])
    tensors = _train(seen[learned], worn[learned])
    facts = WeightFacts(
        name="glasses_check",
        version="1",
        licence="Apache-2.0",
        recipe="scripts/train_glasses_check.py on public-domain portraits with notes by hand",
    )
    save_weights(WEIGHTS, tensors, facts)
    logit = seen @ tensors["w"] + tensors["b"][0]
    print(f"learned from {len(learned)} people, {worn[learned].sum()} with glasses")
    held = [k for k, n in enumerate(names) if n in apart]
    wrong = [names[k] for k in held if (logit[k] > SURE) != worn[k]]
    print(f"kept apart: {len(held)} people, {worn[held].sum()} with glasses, wrong about {wrong}")
    parts = [learned[first::_PARTS] for first in range(_PARTS)]
    wrong = []
    for part in parts:
        others = sorted(set(learned) - set(part))
        line = _train(seen[others], worn[others])
        told = seen[part] @ line["w"] + line["b"][0] > SURE
        wrong += [names[k] for k, yes in zip(part, told, strict=True) if yes != worn[k]]
    print(f"a fifth left out in turn: wrong about {wrong}")


def _features(portraits: Path, crops: Path) -> tuple[list[str], Floats]:
    """Names, and what the check sees of each [N, D]."""
    rig = load_head_rig()
    regions = regions_of(rig)
    crops.mkdir(parents=True, exist_ok=True)
    names, seen = [], []
    for photo in photos_in([portraits / part for part in ("train", "train225", "dev")]):
        try:
            crop = read_crop(photo, rig, regions, crops)
        except PhotoError:
            continue
        names.append(photo.stem)
        seen.append(glasses_features(crop.image, crop.landmarks))
    return names, np.stack(seen)


def _misleads(notes: dict[str, Notes], name: str) -> bool:
    return name in notes and "drop" in notes[name].kinds


def _train(seen: Floats, worn: NDArray[np.bool_]) -> dict[str, Floats]:
    """Logistic regression, kept simple by weight decay and by noise on what is seen."""
    torch.manual_seed(0)
    mean, spread = seen.mean(0), seen.std(0) + 0.1
    x = torch.from_numpy((seen - mean) / spread)
    y = torch.from_numpy(worn.astype(np.float32))
    line = torch.nn.Linear(x.shape[1], 1)
    optimiser = torch.optim.AdamW(line.parameters(), lr=RATE, weight_decay=DECAY)
    for _ in range(STEPS):
        logit = line(x + NOISE * torch.randn_like(x))[:, 0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            logit, y, pos_weight=torch.tensor(RARE)
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    w = line.weight.detach().numpy()[0] / spread
    b = line.bias.detach().numpy() - w @ mean
    return {"w": w.astype(np.float32), "b": b.astype(np.float32)}


if __name__ == "__main__":
    main()
