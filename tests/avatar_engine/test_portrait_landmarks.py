"""Where things are in a face, and that the picture's place and size do not matter."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_engine.portrait import read_photo, read_portrait
from avatar_engine.portrait.detection import Detection, _anchors, _merged, detect_faces
from avatar_engine.portrait.landmarks import LEFT_LIDS, RIGHT_LIDS, find_landmarks
from avatar_engine.portrait.matte import person_matte
from avatar_engine.portrait.networks import default_networks
from avatar_engine.portrait.regions import Region, region_of
from avatar_engine.portrait.smoothing import LandmarkSmoother
from avatar_engine.types import Portrait

Picture = NDArray[np.uint8]

FACE = Path(__file__).parents[2] / "examples" / "face.png"


@pytest.fixture(scope="module")
def photo() -> Picture:
    return read_photo(FACE)


@pytest.fixture(scope="module")
def points(photo: Picture) -> NDArray[np.float64]:
    return look(photo)


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    return read_portrait(FACE)


def look(photo: Picture) -> NDArray[np.float64]:
    networks = default_networks()
    return find_landmarks(photo, detect_faces(photo, networks)[0], networks).points


def eyes_apart(points: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(points[33, :2] - points[263, :2]))


def test_the_face_is_laid_out_as_faces_are(points: NDArray[np.float64]) -> None:
    assert points.shape == (478, 3)
    assert points[33, 0] < points[133, 0] < points[362, 0] < points[263, 0]
    assert points[10, 1] < points[168, 1] < points[1, 1] < points[13, 1] < points[152, 1]
    assert points[1, 2] < points[234, 2], "the nose is nearer than the ear"


def test_irises_sit_between_the_lids(points: NDArray[np.float64]) -> None:
    for lids, iris in ((RIGHT_LIDS, points[468:473]), (LEFT_LIDS, points[473:478])):
        eye = points[list(lids), :2]
        assert (iris[0, :2] > eye.min(0) - 2).all()
        assert (iris[0, :2] < eye.max(0) + 2).all()
        centre, right, top, left, bottom = iris
        assert right[0] > centre[0] > left[0]
        assert top[1] < centre[1] < bottom[1]
        radius = np.linalg.norm(iris[1:, :2] - centre[:2], axis=1)
        assert radius.max() < 1.4 * radius.min()


@pytest.mark.parametrize(("turn_deg", "scale"), [(25, 1.0), (-40, 0.8), (0, 0.5), (10, 1.7)])
def test_landmarks_follow_the_picture(
    photo: Picture, points: NDArray[np.float64], turn_deg: float, scale: float
) -> None:
    size = round(640 * max(scale, 1) * 1.3)
    move = cv2.getRotationMatrix2D((320, 320), turn_deg, scale)
    move[:, 2] += size / 2 - 320
    moved = cv2.warpAffine(photo, move, (size, size), borderMode=cv2.BORDER_REPLICATE)
    expected = points[:, :2] @ move[:, :2].T + move[:, 2]
    difference = np.linalg.norm(look(moved)[:, :2] - expected, axis=1).mean()
    assert difference < 0.02 * scale * eyes_apart(points)


def test_a_mirrored_face_gives_mirrored_irises(photo: Picture, points: NDArray[np.float64]) -> None:
    mirrored = look(np.ascontiguousarray(photo[:, ::-1]))
    expected = np.array([photo.shape[1], 0]) + points[[473, 468], :2] * [-1, 1]
    assert np.abs(mirrored[[468, 473], :2] - expected).max() < 0.02 * eyes_apart(points)


def test_a_region_cuts_what_it_projects() -> None:
    y, x = np.mgrid[:300, :400]
    picture = np.stack([x / 2, y / 2, np.zeros_like(x)], -1).astype(np.uint8)
    for region in (Region(180, 140, 90, 0.6), Region(200, 150, 260, -0.3)):
        pixels = region.cut(picture, 32)
        v, u = (np.mgrid[:32, :32] + 0.5) / 32
        where = region.project(np.stack([u, v, np.zeros_like(u)], -1))
        inside = (where[..., :2] > 9).all(-1) & (where[..., :2] < [391, 291]).all(-1)
        # Each pixel tells its own place: x / 2 in red, y / 2 in green, half a pixel off centre.
        assert np.abs(pixels[..., :2] * 2 + 0.5 - where[..., :2])[inside].max() < 2.5


def test_a_region_turns_along_its_line_and_holds_its_points() -> None:
    cloud = np.array([[10.0, 20.0], [50.0, 30.0], [30.0, 70.0]])
    region = region_of(cloud, (np.array([0.0, 0.0]), np.array([1.0, 1.0])), margin=1.5)
    assert region.angle == pytest.approx(np.pi / 4)
    assert (region.x, region.y, region.size) == pytest.approx((30, 45, 75))


def test_anchors_cover_both_grids() -> None:
    anchors = _anchors()
    assert anchors.shape == (896, 2)
    assert np.allclose(
        anchors[:4], [[1 / 32] * 2, [1 / 32] * 2, [3 / 32, 1 / 32], [3 / 32, 1 / 32]]
    )
    assert np.allclose(anchors[512:518], 1 / 16)
    assert np.allclose(anchors.mean(0), 0.5)


def test_overlapping_detections_become_their_weighted_mean() -> None:
    def at(x: float, score: float) -> Detection:
        return Detection(score, np.array([x, 0, x + 10, 10.0]), np.full((6, 2), x))

    far, near, strong = at(50, 0.7), at(1, 0.5), at(0, 1.0)
    first, second = _merged([far, near, strong])
    assert first.score == 1.0
    assert first.box[0] == pytest.approx(1 / 3)
    assert first.points[0, 0] == pytest.approx(1 / 3)
    assert second is not None
    assert second.box[0] == 50


def test_the_portrait_is_a_square_about_the_head(portrait: Portrait) -> None:
    size = portrait.image.shape[0]
    assert portrait.image.shape == (size, size, 3)
    assert portrait.matte.shape == (size, size)
    assert size % 8 == 0
    assert 512 <= size <= 1024
    assert portrait.landmarks.dtype == np.float32
    face = portrait.landmarks[:468, :2]
    assert (face > 0.1 * size).all()
    assert (face < 0.9 * size).all()


def test_the_crop_says_where_the_portrait_was(portrait: Portrait) -> None:
    x0, y0, side = portrait.crop
    in_photo = portrait.landmarks[:, :2] * side / len(portrait.image) + [x0, y0]
    direct = look(read_photo(FACE))[:, :2]
    assert np.abs(in_photo - direct).max() < 0.01


def test_where_the_crop_leaves_the_photo_the_edge_is_repeated(photo: Picture) -> None:
    points = look(photo)[:468, :2]
    low, high = points.min(0).astype(int), points.max(0).astype(int)
    tight = photo[low[1] - 6 : high[1] + 6, low[0] - 6 : high[0] + 6].copy()
    portrait = read_portrait(tight)
    x0, y0, side = portrait.crop
    assert min(x0, y0) < 0
    pixels = len(portrait.image) / side
    above = int(-y0 * pixels) - 3
    assert np.array_equal(portrait.image[0], portrait.image[above // 2])
    assert np.array_equal(portrait.matte[0], portrait.matte[above // 2])
    in_photo = portrait.landmarks[:468, :2] / pixels + [x0, y0]
    error = np.linalg.norm(in_photo - (points - low + 6), axis=1).mean()
    assert error < 0.06 * np.linalg.norm(points[33] - points[263])


def test_the_matte_knows_the_person_from_the_wall(portrait: Portrait) -> None:
    matte, size = portrait.matte, len(portrait.matte)
    assert matte.dtype == np.float32
    assert matte.min() >= 0
    assert matte.max() <= 1
    face = np.round(portrait.landmarks[:468, :2]).astype(int)
    assert matte[face[:, 1], face[:, 0]].mean() > 0.97
    assert matte[: size // 5, : size // 5].max() < 0.02
    assert matte[: size // 5, -size // 5 :].max() < 0.02
    assert 0.002 < ((matte > 0.1) & (matte < 0.9)).mean() < 0.1, "edges are soft, and only edges"


def test_the_matte_is_the_same_every_time(photo: Picture) -> None:
    first, second = (person_matte(photo, default_networks()) for _ in range(2))
    assert np.array_equal(first, second)


def test_smoothing_calms_a_still_face_and_keeps_up_with_a_moving_one() -> None:
    rng = np.random.default_rng(4)
    face = rng.uniform(0, 200, (478, 2))
    calm, follow = LandmarkSmoother(), LandmarkSmoother()
    still = np.array([calm.smooth(face + rng.normal(0, 1, face.shape), k / 25) for k in range(100)])
    assert still[50:].std(0).mean() < 0.5
    for k in range(50):
        target = np.add(face, (k * 8.0, 0))
        seen = follow.smooth(target, k / 25)
    assert np.abs(seen - target).mean() < 8, "less than a frame behind"
    follow.reset()
    assert np.array_equal(follow.smooth(face, 9.0), face)


def test_importing_the_eye_loads_nothing_heavy() -> None:
    program = (
        "import sys, avatar_engine.portrait as eye\n"
        "heavy = {'cv2', 'PIL', 'ai_edge_litert', 'torch'}\n"
        "print(sorted(heavy & set(sys.modules)), len(eye.__all__))"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["[]", "2"]
