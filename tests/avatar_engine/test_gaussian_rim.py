"""What is not the person's own at the outline: background within the matte, notches of the body."""

import numpy as np

from avatar_engine.gaussian.plates import _closed
from avatar_engine.gaussian.view import _spilled


def half_person() -> tuple[np.ndarray, np.ndarray]:
    """Blue wall on the left, skin from column 60 on; and the matte's inside."""
    image = np.zeros((128, 128, 3), np.float32)
    image[:] = [0.1, 0.2, 0.5]
    image[:, 60:] = [0.8, 0.6, 0.5]
    inside = np.zeros((128, 128), bool)
    inside[:, 60:] = True
    return image, inside


def test_a_star_that_crosses_the_outline_is_background_within_the_matte() -> None:
    image, inside = half_person()
    image[60:68, 48:64] = 0.95
    spilled = _spilled(image, inside)
    assert spilled[62:66, 60:63].all()
    assert spilled[:50, 66:].sum() == 0


def test_a_bright_spot_on_the_skin_alone_is_the_persons_own() -> None:
    image, inside = half_person()
    image[60:68, 62:66] = 0.95
    assert _spilled(image, inside)[62:66, 62:66].sum() == 0


def test_a_notch_is_closed_and_a_bay_stays() -> None:
    body = np.zeros((100, 100), bool)
    body[50:] = True
    body[50:60, 20:26] = False
    body[50:90, 50:90] = False
    shut = _closed(body, 4)
    assert shut[52:60, 20:26].all()
    assert not shut[52:80, 60:80].any()
    assert shut[body].all()
