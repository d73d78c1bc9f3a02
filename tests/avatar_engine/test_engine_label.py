import numpy as np
import pytest

from avatar_engine.engine.label import PresenterLabel


def _frame(pixel_format: str, width: int, height: int) -> np.ndarray:
    if pixel_format == "i420":
        return np.full(width * height * 3 // 2, 128, np.uint8)
    return np.full((height, width, 4 if pixel_format == "rgba" else 3), 128, np.uint8)


def _luma(frame: np.ndarray, pixel_format: str, width: int, height: int) -> np.ndarray:
    if pixel_format == "i420":
        return frame[: width * height].reshape(height, width)
    return frame[..., :3].mean(-1)


@pytest.mark.parametrize("size", [(512, 512), (720, 1280), (128, 128)])
@pytest.mark.parametrize("pixel_format", ["i420", "rgb", "rgba"])
def test_the_label_is_bright_text_on_a_dark_pill_at_the_top_centre(pixel_format, size):
    width, height = size
    frame = _frame(pixel_format, width, height)
    PresenterLabel(width, height, pixel_format).draw(frame)
    luma = _luma(frame, pixel_format, width, height)
    rows, cols = np.nonzero(np.abs(luma - 128) > 20)
    assert rows.max() < height * 0.15
    assert abs((cols.min() + cols.max()) / 2 - width / 2) < 4
    assert luma.max() > 220
    assert luma.min() < 90


def test_a_tall_crop_of_a_square_picture_keeps_the_whole_label():
    frame = _frame("rgb", 512, 512)
    PresenterLabel(512, 512, "rgb").draw(frame)
    cols = np.nonzero(np.abs(frame.mean(-1) - 128) > 10)[1]
    visible = 512 * 9 / 16
    assert cols.min() > 256 - visible / 2
    assert cols.max() < 256 + visible / 2


def test_a_transparent_picture_shows_the_label_too():
    frame = np.zeros((128, 128, 4), np.uint8)
    PresenterLabel(128, 128, "rgba").draw(frame)
    assert frame[..., 3].max() > 240
