"""The label recipe: hand notes, first labels, augmentation, and a loss that falls."""

from pathlib import Path

import numpy as np
import pytest
import torch

from avatar_engine.gaussian.regions import regions_of
from avatar_engine.head import load_head_rig
from avatar_engine.portrait.labels import SIDE
from avatar_engine.training.labels.augment import augmented
from avatar_engine.training.labels.crops import read_crop
from avatar_engine.training.labels.examples import UNKNOWN, Example, example_of
from avatar_engine.training.labels.hand import KEPT_APART, Notes, read_notes
from avatar_engine.training.labels.learning import Learner, Schedule
from avatar_engine.training.labels.pseudo import pseudo_labels
from avatar_engine.training.labels.scoring import overlaps, read_drawn
from avatar_engine.training.labels.worn import put_on_glasses, put_on_headwear
from avatar_engine.types import LabelKind

FACE = Path(__file__).parents[2] / "examples" / "face.png"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    rig = load_head_rig()
    cache = tmp_path_factory.mktemp("crops")
    crop = read_crop(FACE, rig, regions_of(rig), cache)
    again = read_crop(FACE, rig, regions_of(rig), cache)
    np.testing.assert_array_equal(crop.image, again.image)
    np.testing.assert_allclose(crop.matte, again.matte, atol=0.003)
    drawn = Notes(strokes={LabelKind.OTHER: [[2, 2, 40, 2, 40, 40, 2, 2]]})
    plain = pseudo_labels(crop, Notes())
    marked = pseudo_labels(crop, drawn)
    assert marked.share[6, 30].argmax() == LabelKind.OTHER
    assert plain.share[6, 30].argmax() == LabelKind.BACKGROUND
    return example_of(crop, plain)


def test_first_labels_find_the_parts_of_a_face(example: Example) -> None:
    kinds = example.kind & ~np.uint8(UNKNOWN)
    shares = np.bincount(kinds.ravel(), minlength=len(LabelKind)) / kinds.size
    assert shares[LabelKind.SKIN] > 0.06
    assert shares[LabelKind.HAIR] > 0.03
    assert shares[LabelKind.CLOTH] > 0.06
    assert shares[LabelKind.BACKGROUND] > 0.3
    x, y = example.marks[4].astype(int)
    assert example.kind[y, x] == LabelKind.SKIN


def test_a_view_is_decided_by_its_generator_alone(example: Example) -> None:
    one, same = (augmented(example, example, np.random.default_rng(5)) for _ in range(2))
    other = augmented(example, example, np.random.default_rng(6))
    np.testing.assert_array_equal(one.image, same.image)
    np.testing.assert_array_equal(one.kind, same.kind)
    assert (one.image != other.image).any()
    assert one.image.shape == (SIDE, SIDE, 3)


def test_drawn_things_are_labelled_where_they_are_drawn(example: Example) -> None:
    glasses = put_on_glasses(example, np.random.default_rng(2))
    changed = (glasses.kind & 127) == LabelKind.GLASSES
    rows = np.nonzero(changed)[0]
    brow, nose = example.marks[9, 1], example.marks[164, 1]
    assert 30 < changed.sum() < 0.1 * changed.size
    assert brow - 25 < rows.mean() < nose
    hat = put_on_headwear(example, np.random.default_rng(3))
    worn = (hat.kind & 127) == LabelKind.HEADWEAR
    assert worn.sum() > 400
    assert hat.matte[worn].mean() > 0.8


def test_the_loss_falls_and_training_goes_on_where_it_stopped(
    example: Example, tmp_path: Path
) -> None:
    schedule = Schedule(steps=14, batch=3, rate=4e-3)
    losses: list[float] = []
    whole = Learner([example], np.ones(1), schedule)
    whole.run(told=lambda _step, loss: losses.append(loss))
    assert np.mean(losses[-3:]) < 0.8 * losses[0]

    file = tmp_path / "checkpoint.pt"
    first = Learner([example], np.ones(1), schedule)
    while first.step < 9:
        first.one_step()
    first.save(file)
    second = Learner([example], np.ones(1), schedule)
    second.resume(file)
    assert second.step == 9
    second.run(file=file)
    for name, value in whole.mean.state_dict().items():
        assert torch.allclose(value, second.mean.state_dict()[name], atol=1e-5), name


def test_hand_notes_and_people_kept_apart_are_apart() -> None:
    notes, drawn, apart = read_notes(), read_drawn(), read_notes(KEPT_APART)
    assert len(notes) > 200
    assert len(drawn) >= 12
    assert len(apart) > 90
    assert set(drawn) <= set(apart)
    assert not set(notes) & set(apart)
    everybody = (*notes.values(), *apart.values())
    strokes = [line for note in everybody for lines in note.strokes.values() for line in lines]
    assert all(0 <= value < 256 for line in strokes for value in line)


def test_overlap_counts_what_is_worn_on_the_face_as_skin() -> None:
    drawn = np.zeros((8, 8), np.uint8)
    drawn[2:6, 2:8] = LabelKind.SKIN
    found = drawn.copy()
    found[2:4] = np.where(drawn[2:4] > 0, LabelKind.GLASSES, 0)
    found[5, 2:8] = LabelKind.CLOTH
    scores = overlaps(found, drawn, np.ones((8, 8), bool))
    assert scores["skin"] == pytest.approx(18 / 24)
    assert "hair" not in scores
