"""Earrings are found beside the jaw, lie flat, and are painted over beneath."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.gaussian.jewels import held_whole, jewel_pixels, painted_over
from avatar_engine.gaussian.view import View
from tests.avatar_engine.test_gaussian_segment import labelled, view


def pearled(across: float, up: float, size: float) -> tuple[View, NDArray[np.bool_]]:
    """The example's view with a white disc at a place of the face's frame, and the disc."""
    seen = view()
    yy, xx = np.mgrid[0 : seen.size, 0 : seen.size]
    frame = seen.face_frame(np.stack([xx, yy], -1) + 0.5)
    tall = seen.face_height / seen.face_width
    disc = np.hypot(frame[..., 0] - across, (frame[..., 1] - up) * tall) < size
    image = np.where(disc[..., None], np.float32(0.95), seen.image)
    return replace(seen, image=image, lab=cv2.cvtColor(image, cv2.COLOR_RGB2LAB)), disc


def test_a_pearl_beside_the_jaw_is_found_as_one() -> None:
    seen, disc = pearled(0.55, 0.25, 0.04)
    found = jewel_pixels(seen, labelled(by_network=True))
    numbers = np.unique(found[disc])
    assert len(numbers[numbers > 0]) == 1
    assert (found[disc] > 0).mean() > 0.9
    assert (found[~cv2.dilate(disc.astype(np.uint8), np.ones((7, 7))).astype(bool)] > 0).sum() < 300


def test_what_is_large_or_on_the_face_is_no_earring() -> None:
    for across, up, size in ((0.58, 0.2, 0.17), (0.1, 0.2, 0.04)):
        seen, disc = pearled(across, up, size)
        assert (jewel_pixels(seen, labelled(by_network=True))[disc] > 0).mean() < 0.15


def test_an_earring_lies_flat_and_leaves_no_colour_beneath() -> None:
    yy, xx = np.mgrid[0:64, 0:64]
    jewels = ((yy - 30) ** 2 + (xx - 34) ** 2 < 25).astype(np.int32)
    flat = held_whole(xx.astype(float), jewels, xx < 60)
    assert np.ptp(flat[jewels > 0]) == 0
    assert 33 <= flat[30, 34] <= 35
    np.testing.assert_array_equal(flat[jewels == 0], xx[jewels == 0])
    picture = np.full((64, 64, 3), 0.3, np.float32)
    picture[jewels > 0] = 1.0
    clean = painted_over(picture, jewels > 0, np.ones((64, 64), bool))
    np.testing.assert_allclose(clean, 0.3, atol=1e-3)
