"""The background goes on behind a person, as sharp as it is beside them."""

import numpy as np

from avatar_engine.gaussian.background import without_person

SIZE = 256


def behind(photo: np.ndarray, centre: tuple[int, int] = (110, 128), radius: int = 60) -> np.ndarray:
    yy, xx = np.mgrid[0:SIZE, 0:SIZE]
    person = (yy - centre[0]) ** 2 + (xx - centre[1]) ** 2 < radius**2
    shown = np.where(person[..., None], np.float32([1, 0, 0]), photo).astype(np.float32)
    return without_person(shown, person.astype(np.float32), chin=0.9)


def test_an_even_wall_is_whole_and_nothing_of_the_person_stays() -> None:
    wall = np.full((SIZE, SIZE, 3), 0.4, np.float32)
    np.testing.assert_allclose(behind(wall), wall, atol=0.01)


def test_beside_the_outline_folds_stay_upright_and_sharp() -> None:
    folds = 0.5 + 0.2 * np.sin(np.arange(SIZE) / 2.0)
    curtain = np.repeat(np.repeat(folds[None, :, None], SIZE, 0), 3, 2).astype(np.float32)
    found = behind(curtain)
    assert np.isfinite(found).all()
    beside = found[100:120, 76:90, 0]  # 8 to 22 pixels inside the outline
    assert np.ptp(beside, axis=1).min() > 0.3
    assert beside.std(0).mean() < 0.08
    assert np.abs(np.diff(found[110, 40:90, 0])).max() < 0.2  # no seam


def test_a_bright_wall_beside_a_dark_one_makes_no_halo() -> None:
    walls = np.full((SIZE, SIZE, 3), 0.2, np.float32)
    walls[:, :50] = 0.95
    found = behind(walls)  # the dark wall between the bright one and the person is 18 pixels wide
    assert found[100:120, 90:110].mean() < 0.45


def test_a_person_who_fills_the_picture_leaves_one_tone() -> None:
    photo = np.random.default_rng(0).uniform(0, 1, (SIZE, SIZE, 3)).astype(np.float32)
    found = without_person(photo, np.ones((SIZE, SIZE), np.float32), chin=0.9)
    np.testing.assert_allclose(found, np.broadcast_to(photo.mean((0, 1)), found.shape), atol=1e-6)


def test_a_bar_that_the_head_hides_goes_on_behind_it() -> None:
    bars = np.full((SIZE, SIZE, 3), 0.3, np.float32)
    bars[:, 52:60] = bars[:, 84:92] = (0.9, 0.5, 0.1)  # upright, at the head's side and behind it
    found = behind(bars, radius=70)
    orange = found[..., 0] - found[..., 2] > 0.4
    hidden = np.r_[58:72, 148:162]  # of the second one, rows 53 to 167 are
    assert orange[hidden, 84:92].mean() > 0.7
    assert orange[60:160, 64:80].mean() < 0.1


def test_a_line_across_goes_on_at_its_height() -> None:
    sill = np.full((SIZE, SIZE, 3), 0.2, np.float32)
    sill[110:] = 0.8
    found = behind(sill)[..., 0]
    beside = slice(72, 84)
    assert found[85:100, beside].mean() < 0.3
    assert found[120:135, beside].mean() > 0.7
