"""Backgrounds: each kind is staged as it says, and transparency survives the file."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from avatar_engine.engine import Background
from avatar_engine.engine.video_file import VideoFile
from avatar_engine.errors import AvatarEngineError
from avatar_engine.persona import open_persona
from avatar_engine.render import RenderConfig
from avatar_engine.types import AvatarFrame

EXAMPLE = Path(__file__).parents[2] / "examples" / "face.png"


@pytest.fixture(scope="module")
def persona():
    return open_persona(EXAMPLE)


def test_names_become_backgrounds(tmp_path):
    Image.new("RGB", (20, 10), (10, 200, 30)).save(tmp_path / "wall.png")
    assert Background.named("photo").kind == "photo"
    assert Background.named("#00b140").colour == (0, 177, 64)
    assert Background.named("transparent").is_transparent
    picture = Background.named(str(tmp_path / "wall.png")).picture
    assert picture is not None
    assert picture.shape == (10, 20, 3)


@pytest.mark.parametrize("text", ["#00b1", "#gggggg", "no-such-file.png"])
def test_what_is_no_background_is_refused_in_one_line(text):
    with pytest.raises(AvatarEngineError) as refusal:
        Background.named(text)
    assert text in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_plates_carry_blur_and_picture(persona):
    config = RenderConfig(128, 256, "i420")
    before = persona.plates.background
    assert Background().staged(persona, config) == (persona.plates, config)
    blurred, _ = Background("blur").staged(persona, config)
    assert blurred.background.shape == before.shape
    roughness = lambda a: np.abs(np.diff(a.astype(float), axis=1)).mean()  # noqa: E731
    assert roughness(blurred.background) < roughness(before)
    halves = np.zeros((40, 40, 3), np.uint8)
    halves[:, 20:] = 255
    plates, _ = Background("picture", picture=halves).staged(persona, config)
    side = len(before)
    # A tall frame shows the plate's middle half: the picture is cut to it, not the plate.
    assert plates.background[side // 2, round(0.30 * side)].max() < 60
    assert plates.background[side // 2, round(0.70 * side)].min() > 195


def test_colour_and_transparency_are_the_renderers_own(persona):
    config = RenderConfig(128, 128, "i420")
    assert Background.named("#00b140").staged(persona, config)[1].background == (0, 177, 64)
    assert Background("transparent").staged(persona, config)[1].pixel_format == "rgba"


def test_alpha_survives_a_webm(tmp_path):
    picture = np.zeros((64, 64, 4), np.uint8)
    picture[16:48, 16:48] = (200, 40, 40, 255)
    frames = [AvatarFrame(k, picture, np.zeros(1920, np.int16), 0, None) for k in range(5)]
    with VideoFile(tmp_path / "a.webm", 64, 64, 25) as video:
        for frame in frames:
            video.write(frame)
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    with av.open(str(tmp_path / "a.webm")) as container:
        shown = [f for packet in container.demux(video=0) for f in decoder.decode(packet)]
    assert len(shown) == 5
    alpha = shown[-1].to_ndarray(format="rgba")[..., 3]
    assert alpha[32, 32] > 240
    assert alpha[4, 4] < 15
