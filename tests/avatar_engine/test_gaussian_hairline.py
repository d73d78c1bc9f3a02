"""Unseen sides of a head are hair or skin, and no mean of both."""

import numpy as np

from avatar_engine.gaussian.hairline import hair_beside
from avatar_engine.gaussian.segment import Labels

R = 128
HAIR, SKIN = np.array([0.15, 0.1, 0.08]), np.array([0.8, 0.6, 0.5])
LABELS = Labels(np.zeros((R, R, 4), np.float32), False, False, SKIN, HAIR)


def half_seen(hair_rows: int = 64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hair above and skin below, both seen in the middle columns only."""
    hairy = np.zeros((R, R))
    hairy[:hair_rows] = 1
    color = np.where(hairy[..., None] > 0, HAIR, SKIN)
    weight = np.zeros((R, R), np.float32)
    weight[:, 40:88] = 1
    return color, weight, np.where(weight > 0, hairy, 0)


def test_hair_goes_on_as_hair_and_ends_in_a_line() -> None:
    color, weight, hairy = half_seen()
    found = hair_beside(color, weight, hairy.ravel(), LABELS)
    share, grown = found.share.reshape(R, R), found.color.reshape(R, R, 3)
    unseen = slice(24, 36)
    assert share[20:50, unseen].min() > 0.9
    assert share[78:110, unseen].max() < 0.1
    np.testing.assert_allclose(grown[20:50, unseen].mean((0, 1)), HAIR, atol=0.03)


def test_hair_whose_colour_is_not_trusted_is_hair_all_the_same() -> None:
    color, weight, hairy = half_seen()
    hairy[:64, 88:] = 1  # seen at a grazing angle: the label is known, the colour is not
    color[:64, 88:] = 0.5
    found = hair_beside(color, weight, hairy.ravel(), LABELS)
    assert found.share.reshape(R, R)[10:54, 92:].min() > 0.95
    np.testing.assert_allclose(
        found.color.reshape(R, R, 3)[10:54, 92:120].mean((0, 1)), HAIR, atol=0.03
    )


def test_a_head_without_hair_to_go_by_has_none_beside() -> None:
    color, weight, hairy = half_seen(hair_rows=2)
    assert hair_beside(color, weight, hairy.ravel(), LABELS).share.max() == 0
