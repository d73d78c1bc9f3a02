"""What each pixel shows, and the network's arithmetic."""

import os
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from avatar_engine.errors import WeightsError
from avatar_engine.portrait import labels as labels_file
from avatar_engine.portrait import read_portrait
from avatar_engine.portrait.convolution import run_network
from avatar_engine.portrait.labels import CHANNELS, SIDE, Alignment, find_labels
from avatar_engine.training.labels.network import LabelNet
from avatar_engine.training.labels.scoring import score_folder
from avatar_engine.types import LabelKind, Portrait

FACE = Path(__file__).parents[2] / "examples" / "face.png"
SHARED = os.environ.get("LIVEPITCH_SHARED")


@cache
def example() -> Portrait:
    return read_portrait(FACE)


def kinds_of(portrait: Portrait) -> NDArray[np.intp]:
    assert portrait.labels is not None
    return portrait.labels.argmax(-1)


def at(portrait: Portrait, landmark: int, shift: tuple[float, float] = (0, 0)) -> LabelKind:
    """The likeliest class at a landmark, shifted by shares of the face's height."""
    labels = portrait.labels
    assert labels is not None
    points = portrait.landmarks[:, :2]
    height = np.linalg.norm(points[10] - points[152])
    x, y = (points[landmark] + np.array(shift) * height) * len(labels) / len(portrait.image)
    return LabelKind(int(labels[int(y), int(x)].argmax()))


def test_the_arithmetic_is_the_trained_networks() -> None:
    torch.manual_seed(1)
    net = LabelNet()
    with torch.no_grad():
        for _ in range(2):  # gives the normalisation something to fold
            net(torch.randn(2, CHANNELS, 64, 64))
    net.eval()
    seen = torch.randn(1, CHANNELS, 64, 96)
    with torch.no_grad():
        slow = net(seen)[0].numpy()
    layers = {name: array.astype(np.float32) for name, array in net.folded().items()}
    fast = run_network(layers, seen[0].numpy())
    assert fast.shape == (len(LabelKind), 64, 96)
    np.testing.assert_allclose(fast, slow, atol=0.02 * float(np.abs(slow).max()))


def test_places_on_the_example_face_have_their_class() -> None:
    portrait = example()
    assert portrait.labels is not None
    np.testing.assert_allclose(portrait.labels.sum(-1), 1, atol=1e-3)
    for landmark in (4, 50, 280, 9):  # nose, cheeks, between the brows
        assert at(portrait, landmark) == LabelKind.SKIN
    assert at(portrait, 10, (0, -0.22)) == LabelKind.HAIR
    assert at(portrait, 152, (0.6, 0.3)) == LabelKind.CLOTH
    assert at(portrait, 10, (-0.9, -0.4)) == LabelKind.BACKGROUND


@pytest.mark.parametrize("degrees", [-25, 25])
def test_a_tilted_head_is_labelled_like_an_upright_one(degrees: float) -> None:
    portrait = example()
    size = len(portrait.image)
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), degrees, 1.0)
    image = cv2.warpAffine(portrait.image, turn, (size, size), borderMode=cv2.BORDER_REPLICATE)
    matte = cv2.warpAffine(portrait.matte, turn, (size, size), borderMode=cv2.BORDER_REPLICATE)
    marks = portrait.landmarks.copy()
    marks[:, :2] = marks[:, :2] @ turn[:, :2].T + turn[:, 2]
    tilted = find_labels(image, matte, marks)
    assert tilted is not None
    small = cv2.getRotationMatrix2D((SIDE / 2 - 0.5,) * 2, degrees, 1.0)
    upright = cv2.warpAffine(
        kinds_of(portrait).astype(np.uint8), small, (SIDE, SIDE), flags=cv2.INTER_NEAREST
    )
    yy, xx = np.mgrid[0:SIDE, 0:SIDE] - SIDE / 2
    middle = np.hypot(xx, yy) < SIDE * 0.4
    assert (tilted.argmax(-1) == upright)[middle].mean() > 0.93


def test_a_grey_photo_keeps_its_labels() -> None:
    portrait = example()
    grey = np.repeat(portrait.image.mean(-1, keepdims=True), 3, -1).astype(np.uint8)
    found = find_labels(grey, portrait.matte, portrait.landmarks)
    assert found is not None
    assert (found.argmax(-1) == kinds_of(portrait)).mean() > 0.93


def test_what_makes_no_sense_is_left_to_colour_rules() -> None:
    portrait = example()
    noise = np.random.default_rng(0).integers(0, 255, portrait.image.shape).astype(np.uint8)
    nobody = np.zeros_like(portrait.matte)
    assert find_labels(noise, nobody, portrait.landmarks) is None


def test_the_crop_and_its_way_back_agree() -> None:
    portrait = example()
    where = Alignment.of(portrait.landmarks)
    marks = where.points(portrait.landmarks)
    up = marks[10] - marks[152]
    assert abs(up[0]) < 0.05
    assert up[1] == pytest.approx(-SIDE / 2.5, rel=0.01)
    spot = np.zeros((SIDE, SIDE, 1), np.float32)
    x, y = (marks[4] - 0.5).round().astype(int)
    spot[y - 1 : y + 2, x - 1 : x + 2] = 1
    back = where.pasted(spot, SIDE, len(portrait.image))[..., 0]
    row, column = np.unravel_index(back.argmax(), back.shape)
    nose = portrait.landmarks[4, :2] * SIDE / len(portrait.image)
    assert np.hypot(column + 0.5 - nose[0], row + 0.5 - nose[1]) < 2


def test_altered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "labels.safetensors"
    content = bytearray(labels_file.WEIGHTS.read_bytes())
    content[-1] ^= 1
    broken.write_bytes(content)
    monkeypatch.setattr(labels_file, "WEIGHTS", broken)
    labels_file._layers.cache_clear()
    portrait = example()
    with pytest.raises(WeightsError, match=r"labels\.safetensors: altered"):
        find_labels(portrait.image, portrait.matte, portrait.landmarks)
    labels_file._layers.cache_clear()


@pytest.mark.shared
@pytest.mark.skipif(SHARED is None, reason="LIVEPITCH_SHARED is unset: no portraits")
def test_people_kept_apart_are_labelled_as_drawn() -> None:
    scores = score_folder(Path(SHARED or "") / "data" / "portraits" / "dev", labels_file._layers())
    least = {"background": 0.9, "skin": 0.84, "ear": 0.33, "hair": 0.7, "cloth": 0.74}
    found = {kind: mean for kind, (mean, _) in scores.items()}
    assert {k: v for k, v in found.items() if v < least[k]} == {}
