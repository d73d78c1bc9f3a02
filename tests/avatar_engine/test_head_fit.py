import os
from pathlib import Path

import numpy as np
import pytest

from avatar_engine.errors import ShapeError
from avatar_engine.head import LandmarkModel, fit_head, fit_landmarks, load_head_rig
from avatar_engine.head.fit import NOT_FITTED
from avatar_engine.head.view import FACE_MIDDLE, View
from avatar_engine.types import ARKIT, HeadFit, HeadRig, Portrait, weights_of

SIZE = 512


@pytest.fixture(scope="module")
def rig() -> HeadRig:
    return load_head_rig()


def portrait_of(landmarks: np.ndarray) -> Portrait:
    return Portrait(
        image=np.zeros((SIZE, SIZE, 3), np.uint8),
        landmarks=landmarks.astype(np.float32),
        matte=np.ones((SIZE, SIZE), np.float32),
        crop=(0.0, 0.0, float(SIZE)),
        photo_size=(SIZE, SIZE),
        eye_openness=(0.3, 0.3),
    )


def turn(yaw: float, pitch: float, roll: float) -> np.ndarray:
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in (yaw, pitch, roll))
    Ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    Rx = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    Rz = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return Ry @ Rx @ Rz


def seen_by(rig: HeadRig, identity: np.ndarray, expression: np.ndarray, view: View) -> np.ndarray:
    """Landmarks as a pinhole sees them, written out once more by hand."""
    surface = rig.mean + np.tensordot(identity, rig.identity, 1)
    surface = surface + np.tensordot(expression, rig.expression, 1)
    seen = []
    for point in rig.landmarks(surface):
        x, y, z = view.turn @ (point - FACE_MIDDLE)
        zoom = view.scale * 130 / (130 - z)
        seen.append(
            [
                view.centre[0] + zoom * x,
                view.centre[1] - zoom * y,
                view.centre[2] - view.scale * z,
            ]
        )
    return np.array(seen)


def fitted(rig: HeadRig, fit: HeadFit) -> np.ndarray:
    """Landmarks of a fit in pixels, through the public types alone."""
    surface = rig.mean + np.tensordot(fit.identity, rig.identity, 1)
    surface = surface + np.tensordot(fit.expression, rig.expression, 1)
    world = rig.landmarks(surface) @ fit.placement[:, :3].T + fit.placement[:, 3]
    return fit.camera.project(world)[:, :2]


@pytest.mark.parametrize(
    ("angles", "expression"),
    [
        ((0.0, 0.0, 0.0), {}),
        ((0.35, 0.1, -0.1), {"mouthSmile": 0.6, "cheekSquint": 0.3}),
        ((-0.5, -0.15, 0.2), {"jawOpen": 0.5, "browInnerUp": 0.7, "eyeBlinkLeft": 0.8}),
    ],
)
def test_a_known_head_is_found_again(rig: HeadRig, angles, expression):
    random = np.random.default_rng(3)
    identity = np.clip(random.normal(size=len(rig.identity)) * 0.8, -2.5, 2.5)
    identity[20:] = 0
    view = View(turn(*angles), 11.0, np.array([230.0, 270.0, 5.0]))
    seen = seen_by(rig, identity, weights_of(**expression), view)
    fit = fit_head(rig, portrait_of(seen))
    error = np.linalg.norm(fitted(rig, fit) - seen[:, :2], axis=1)[:468]
    assert error.mean() < 0.3
    assert fit.residual_px == pytest.approx(error.mean(), abs=0.01)
    between = fit.placement[:, :3] @ view.turn.T
    degrees = np.degrees(np.arccos(np.clip((np.trace(between) - 1) / 2, -1, 1)))
    assert degrees < 1.0
    found = fit.expression[[ARKIT.index(n) for n in ("jawOpen", "mouthSmileLeft")]]
    wanted = [expression.get("jawOpen", 0.0), expression.get("mouthSmile", 0.0)]
    np.testing.assert_allclose(found, wanted, atol=0.15)


def test_the_camera_stands_where_the_conventions_say(rig: HeadRig):
    view = View(turn(0.3, 0.1, 0), 10.0, np.array([200.0, 300.0, 0.0]))
    seen = seen_by(rig, np.zeros(len(rig.identity)), np.zeros(52), view)
    fit = fit_head(rig, portrait_of(seen))
    assert (fit.camera.width, fit.camera.height) == (SIZE, SIZE)
    face = fit.placement[:, :3] @ FACE_MIDDLE
    px = fit.camera.project(face)
    assert px[2] == pytest.approx(130.0)
    np.testing.assert_allclose(px[:2], [200, 300], atol=1.0)
    np.testing.assert_allclose(fit.camera.viewmat[:3, :3], np.diag([1, -1, -1]))
    # World origin is the head's own; only the turn is in the placement.
    np.testing.assert_array_equal(fit.placement[:, 3], 0)
    np.testing.assert_allclose(fit.placement[:, :3] @ fit.placement[:, :3].T, np.eye(3), atol=1e-9)


def test_perspective_is_part_of_the_fit(rig: HeadRig):
    # A near camera shows a slimmer jaw and ears; the same landmarks through the fit's own pinhole
    # are explained without bending the identity.
    view = View(np.eye(3), 11.0, np.array([256.0, 256.0, 0.0]))
    seen = seen_by(rig, np.zeros(len(rig.identity)), np.zeros(52), view)
    fit = fit_head(rig, portrait_of(seen))
    assert np.abs(fit.identity).max() < 0.1
    assert fit.camera.K[0, 0] == pytest.approx(11.0 * 130, rel=0.01)


def test_bounds_hold_for_a_face_that_is_none(rig: HeadRig):
    random = np.random.default_rng(0)
    view = View(np.eye(3), 11.0, np.array([256.0, 256.0, 0.0]))
    seen = seen_by(rig, np.zeros(len(rig.identity)), np.zeros(52), view)
    seen[:, :2] += random.normal(size=(478, 2)) * 25
    seen[:, 0] = 256 + (seen[:, 0] - 256) * 1.8
    fit = fit_head(rig, portrait_of(seen))
    assert np.abs(fit.identity).max() <= 3
    assert fit.expression.min() >= 0
    assert fit.expression.max() <= 1
    for name, weight in zip(ARKIT, fit.expression, strict=True):
        if name.startswith(NOT_FITTED):
            assert weight == 0, name


def test_a_mirrored_face_gives_the_mirrored_fit(rig: HeadRig):
    view = View(turn(0.25, 0.05, 0.1), 11.0, np.array([240.0, 260.0, 0.0]))
    mirrored_view = View(turn(-0.25, 0.05, -0.1), 11.0, np.array([SIZE - 240.0, 260.0, 0.0]))
    identity = np.zeros(len(rig.identity))
    identity[:4] = [1.0, -0.5, 0.7, 0.3]
    one = fit_head(rig, portrait_of(seen_by(rig, identity, weights_of(mouthSmileLeft=0.6), view)))
    other = fit_head(
        rig, portrait_of(seen_by(rig, identity, weights_of(mouthSmileRight=0.6), mirrored_view))
    )
    flip = np.diag([-1, 1, 1])
    np.testing.assert_allclose(
        other.placement[:, :3], flip @ one.placement[:, :3] @ flip, atol=0.01
    )
    np.testing.assert_allclose(other.identity, one.identity, atol=0.15)
    left, right = ARKIT.index("mouthSmileLeft"), ARKIT.index("mouthSmileRight")
    assert one.expression[left] == pytest.approx(other.expression[right], abs=0.05)


def test_a_warm_start_ends_where_a_cold_one_does(rig: HeadRig):
    model = LandmarkModel.of(rig)
    identity = np.zeros(len(rig.identity))
    identity[0] = 1.0
    views = [View(turn(a, 0, 0), 11.0, np.array([256.0, 256.0, 0.0])) for a in (0.10, 0.14)]
    expressions = [weights_of(jawOpen=w) for w in (0.2, 0.3)]
    first, second = (seen_by(rig, identity, e, v) for e, v in zip(expressions, views, strict=True))
    warm = fit_landmarks(model, second, fit_landmarks(model, first))
    cold = fit_landmarks(model, second)
    np.testing.assert_allclose(warm.coefficients, cold.coefficients, atol=0.02)
    np.testing.assert_allclose(warm.view.turn, cold.view.turn, atol=1e-3)


def test_landmarks_of_another_shape_are_refused(rig: HeadRig):
    with pytest.raises(ShapeError, match=r"\[68, 3\]"):
        fit_head(rig, portrait_of(np.zeros((68, 3))))


@pytest.mark.shared
def test_real_portraits_are_explained_to_within_two_and_a_half_pixels(rig: HeadRig):
    from avatar_engine.portrait import read_portrait

    shared = os.environ.get("LIVEPITCH_SHARED")
    if not shared:
        pytest.skip("LIVEPITCH_SHARED is unset: no portraits to fit")
    photos = sorted((Path(shared) / "data/portraits/dev").glob("*.jpg"))[::5]
    assert photos
    for photo in photos:
        portrait = read_portrait(photo)
        fit = fit_head(rig, portrait)
        at_512 = fit.residual_px * 512 / portrait.image.shape[0]
        assert at_512 < 2.5, photo.name
        # Official portraits are taken from the front, by people who stand upright.
        yaw = np.degrees(np.arctan2(fit.placement[0, 2], fit.placement[2, 2]))
        assert abs(yaw) < 40, photo.name
        assert np.sqrt((fit.identity**2).mean()) < 1.2, photo.name
