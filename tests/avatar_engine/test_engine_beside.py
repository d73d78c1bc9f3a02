"""Transparency beside the picture, for programs that read no alpha."""

from pathlib import Path

import av
import numpy as np

from avatar_engine.engine.beside import beside_alpha
from avatar_engine.engine.video_file import VideoFile
from avatar_engine.types import AvatarFrame

SIZE = 64


def _disc() -> np.ndarray:
    """An orange disc with a soft edge; what is transparent keeps an odd colour."""
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2 + 0.5
    alpha = np.clip(20 - np.hypot(x, y), 0, 4) / 4
    picture = np.full((SIZE, SIZE, 4), (230, 120, 40, 0), np.uint8)
    picture[..., 3] = np.round(255 * alpha)
    return picture


def test_colour_stands_left_of_its_alpha_and_comes_back_together() -> None:
    disc = _disc()
    both = beside_alpha(disc)
    assert both.shape == (SIZE, 2 * SIZE, 3)
    colour, matte = both[:, :SIZE], both[:, SIZE:]
    assert (matte == disc[..., 3:]).all()
    is_shown = disc[..., 3] > 0
    assert (colour[is_shown] == disc[is_shown, :3]).all()
    assert (colour[~is_shown] == 0).all()


def test_a_file_without_alpha_holds_both_halves(tmp_path: Path) -> None:
    disc, out = _disc(), tmp_path / "disc.mp4"
    with VideoFile(out, SIZE, SIZE, 25.0) as video:
        for index in range(3):
            video.write(AvatarFrame(index, disc, np.zeros(1920, np.int16), 0, None))
    with av.open(str(out)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 3
    assert frames[0].shape == (SIZE, 2 * SIZE, 3)
    difference = np.abs(frames[0].astype(float) - beside_alpha(disc))
    assert difference.mean() < 4  # H.264 with chroma at half size
    assert frames[0][SIZE // 2, SIZE + SIZE // 2].min() > 245
    assert frames[0][2, SIZE + 2].max() < 10
