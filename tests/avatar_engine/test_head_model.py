from dataclasses import replace

import numpy as np
import pytest

from avatar_engine.errors import WeightsError
from avatar_engine.head import load_head_rig
from avatar_engine.head.model import SHIPPED
from avatar_engine.head.packing import pack_rig, twin_name, unpack_rig
from avatar_engine.shapes import texel_triangles
from avatar_engine.types import ARKIT, ARKIT_INDEX, Chart, HeadRig, weights_of
from avatar_engine.weights import WeightFacts, load_weights, save_weights


@pytest.fixture(scope="module")
def rig() -> HeadRig:
    return load_head_rig()


def mirrored(maps: np.ndarray, R: int) -> np.ndarray:
    grid = maps.reshape(*maps.shape[:-2], R, R, 3)
    return (grid[..., ::-1, :] * [-1, 1, 1]).reshape(maps.shape)


def expressed(rig: HeadRig, **weights: float) -> np.ndarray:
    return rig.mean + np.tensordot(weights_of(**weights), rig.expression, 1)


def test_the_file_is_small_and_says_where_it_comes_from():
    facts = load_weights(SHIPPED).facts
    assert SHIPPED.stat().st_size <= 4_000_000
    assert facts.name == "head_model"
    assert "MIT" in facts.licence
    assert "avatar_engine.training.head_model" in facts.recipe


def test_shapes_and_types_are_those_of_the_contract(rig: HeadRig):
    R, N = rig.resolution, rig.resolution**2
    I = len(rig.identity)  # noqa: E741
    assert R == 256
    assert I >= 27
    shapes = {
        "chart": (R, R), "mean": (N, 3), "identity": (I, N, 3), "expression": (52, N, 3),
        "neck": (N,), "jaw": (N,), "eye_centers": (2, 3), "eye_identity": (I, 2, 3),
        "landmark_texels": (478, 4), "landmark_weights": (478, 4), "landmark_distance": (478,),
    }  # fmt: skip
    for name, shape in shapes.items():
        array = getattr(rig, name)
        assert array.shape == shape, name
        assert np.isfinite(array).all(), name
        if name not in ("chart", "landmark_texels"):
            assert array.dtype == np.float32, name


def test_everything_is_left_right_symmetric(rig: HeadRig):
    R = rig.resolution
    np.testing.assert_array_equal(rig.chart, rig.chart[:, ::-1])
    np.testing.assert_array_equal(rig.mean, mirrored(rig.mean, R))
    np.testing.assert_array_equal(rig.identity, mirrored(rig.identity, R))
    twins = [ARKIT_INDEX[twin_name(name)] for name in ARKIT]
    np.testing.assert_array_equal(rig.expression[twins], mirrored(rig.expression, R))
    for share in (rig.neck, rig.jaw):
        np.testing.assert_array_equal(share.reshape(R, R), share.reshape(R, R)[:, ::-1])
        assert 0 <= share.min() <= share.max() <= 1
    np.testing.assert_allclose(rig.eye_centers[1], rig.eye_centers[0] * [-1, 1, 1])


def test_columns_of_the_right_half_are_the_subjects_left(rig: HeadRig):
    used = (rig.chart > 0).reshape(-1)
    column = np.arange(used.size) % rig.resolution
    x = rig.mean[:, 0]
    assert (x[used & (column >= 128)] > -0.05).all()
    assert rig.eye_centers[0, 0] > 0


def test_all_surfaces_are_there_and_fill_the_atlas(rig: HeadRig):
    found = {Chart(c) for c in np.unique(rig.chart)}
    assert found == set(Chart) - {Chart.HAIR}
    assert (rig.chart > 0).mean() > 0.93
    assert len(np.unique(np.nonzero(rig.chart == Chart.TONGUE)[0])) > 12


def test_empty_texels_never_move(rig: HeadRig):
    empty = rig.chart.reshape(-1) == Chart.EMPTY
    assert not rig.mean[empty].any()
    assert not rig.identity[:, empty].any()
    assert not rig.expression[:, empty].any()


def test_the_face_has_no_fold_seen_from_the_front(rig: HeadRig):
    triangles = texel_triangles(rig.chart)
    a, b, c = (rig.mean[triangles[:, k]] for k in range(3))
    normal = np.cross(c - a, b - a)  # texels run right and down: outward is the other way round
    area = np.linalg.norm(normal, axis=1)
    middle = (a + b + c) / 3
    skin = rig.chart.reshape(-1)[triangles[:, 0]] == Chart.SKIN
    cheeks = skin & (middle[:, 2] > 8) & (np.abs(middle[:, 1] + 0.5) < 2) & (
        np.abs(np.abs(middle[:, 0]) - 3.5) < 1
    )  # fmt: skip
    assert cheeks.sum() > 200
    assert (normal[cheeks, 2] > 0).all()
    crown = skin & (middle[:, 1] > 11)
    assert (normal[crown, 1] > 0).all()
    assert (area[skin] > 0).all()


def test_each_expression_does_what_its_name_says(rig: HeadRig):
    def moved(name: str, landmark: int) -> np.ndarray:
        return rig.landmarks(rig.expression[ARKIT_INDEX[name]])[landmark]

    assert moved("jawOpen", 152)[1] < -1  # the chin drops
    assert moved("jawLeft", 152)[0] > 0.3
    assert moved("mouthSmileLeft", 291)[1] > 0.3
    assert abs(moved("mouthSmileLeft", 61)[1]) < 0.1
    assert moved("eyeBlinkLeft", 386)[1] < -0.5
    assert moved("eyeBlinkRight", 159)[1] < -0.5
    assert abs(moved("eyeBlinkLeft", 159)[1]) < 0.05
    assert moved("browInnerUp", 107)[1] > 0.2
    assert moved("mouthPucker", 61)[0] > 0.3  # the right corner goes toward the middle
    for name, deltas in zip(ARKIT, rig.expression, strict=True):
        assert np.abs(deltas).max() > 0.1, name


def test_the_tongue_leaves_the_mouth(rig: HeadRig):
    tongue = rig.chart.reshape(-1) == Chart.TONGUE
    lips = rig.landmarks(rig.mean)[[13, 14], 2].max()
    assert rig.mean[tongue, 2].max() < lips
    out = expressed(rig, jawOpen=0.5, tongueOut=1.0)
    assert out[tongue, 2].max() > lips + 1.2
    others = ~tongue
    assert not rig.expression[ARKIT_INDEX["tongueOut"]][others].any()


def test_eyeballs_are_spheres_that_expressions_leave_alone(rig: HeadRig):
    eye = rig.chart == Chart.EYE
    for center, half in zip(rig.eye_centers, (np.s_[:, 128:], np.s_[:, :128]), strict=True):
        mask = np.zeros_like(eye)
        mask[half] = eye[half]
        radius = np.linalg.norm(rig.mean[mask.reshape(-1)] - center, axis=1)
        np.testing.assert_allclose(radius, rig.eye_radius, atol=2e-3)
    assert not rig.expression[:, eye.reshape(-1)].any()
    moved = rig.identity[:, eye.reshape(-1)]
    left = eye.nonzero()[1] >= 128
    np.testing.assert_allclose(
        moved[:, left], np.broadcast_to(rig.eye_identity[:, :1], moved[:, left].shape), atol=2e-3
    )


def test_joints_hold_the_skull_and_the_shoulders(rig: HeadRig):
    skin = rig.chart.reshape(-1) == Chart.SKIN
    y = rig.mean[:, 1]
    assert (rig.neck[skin & (y > 0)] > 0.99).all()
    assert (rig.neck[skin & (y < -14.3)] < 0.1).all()
    chin = rig.landmark_texels[152, 0]
    forehead = rig.landmark_texels[10, 0]
    assert rig.jaw[chin] > 0.6
    assert rig.jaw[forehead] < 0.02


def test_landmarks_lie_where_they_are_called(rig: HeadRig):
    points = rig.landmarks(rig.mean)
    np.testing.assert_allclose(rig.landmark_weights.sum(1), 1, atol=1e-5)
    assert (rig.landmark_weights >= 0).all()
    chart = rig.chart.reshape(-1)[rig.landmark_texels]
    used = rig.landmark_weights > 0
    assert (chart[:468][used[:468]] == Chart.SKIN).all()
    assert (chart[468:][used[468:]] == Chart.EYE).all()
    assert points[1, 2] > 12  # nose tip: the foremost
    assert points[1, 2] == pytest.approx(points[:468, 2].max(), abs=0.35)
    assert points[152, 1] < -6  # chin
    assert points[10, 1] > 7  # hair line
    assert points[263, 0] > points[362, 0] > 0 > points[133, 0] > points[33, 0]  # eye corners
    assert points[291, 0] == pytest.approx(-points[61, 0], abs=0.05)
    assert 2 < points[291, 0] < 3
    assert 0 < points[13, 1] - points[14, 1] < 0.3  # lips just apart
    np.testing.assert_allclose(
        points[[473, 468], :2], rig.eye_centers[:, :2], atol=0.05
    )  # looking ahead


def test_identity_modes_are_uncorrelated_and_ordered(rig: HeadRig):
    skin = rig.chart.reshape(-1) == Chart.SKIN
    modes = rig.identity[:, skin].reshape(len(rig.identity), -1).astype(np.float64)
    size = np.linalg.norm(modes, axis=1)
    assert size[0] > 3 * size[5] > 0
    unit = modes / size[:, None]
    # Texels weigh by area when the modes are made, so plain products only come close to zero.
    assert np.abs(unit[:8] @ unit[:8].T - np.eye(8)).max() < 0.5


def test_packing_loses_less_than_a_fiftieth_of_a_millimetre(rig: HeadRig):
    rig = replace(rig, identity=rig.identity[:4], eye_identity=rig.eye_identity[:4])
    again = unpack_rig(pack_rig(rig))
    for name in ("mean", "identity", "expression"):
        assert np.abs(getattr(again, name) - getattr(rig, name)).max() < 0.002
    np.testing.assert_array_equal(again.chart, rig.chart)
    np.testing.assert_allclose(again.neck, rig.neck, atol=1e-3)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_weights(path, {"x": np.zeros(1)}, WeightFacts("voice", "1", "MIT", "by hand"))
    with pytest.raises(WeightsError, match="voice 1"):
        load_head_rig(path)


def test_a_file_that_lacks_a_map_is_refused(tmp_path):
    path = tmp_path / "head_model.safetensors"
    weights = load_weights(SHIPPED)
    tensors = {name: t for name, t in weights.tensors.items() if name != "mean"}
    save_weights(path, tensors, weights.facts)
    with pytest.raises(WeightsError, match="mean"):
        load_head_rig(path)
