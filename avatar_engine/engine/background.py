"""What stands behind the presenter: the photo's own background, or another."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps, UnidentifiedImageError

from avatar_engine.errors import AvatarEngineError
from avatar_engine.render import RenderConfig
from avatar_engine.types import Drawable, Plates

_BLUR = 0.03  # of the plate's side
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Background:
    """A choice of what stands behind head and body; it costs nothing per frame.

    Attributes:
        kind: ``photo`` and ``blur`` show the photo's background, ``colour`` and ``picture``
            another; ``transparent`` gives RGBA frames with straight alpha.
        colour: sRGB of a ``colour``.
        picture: [H, W, 3] uint8 of a ``picture``; scaled to cover the frame.
    """

    kind: Literal["photo", "blur", "colour", "picture", "transparent"] = "photo"
    colour: tuple[int, int, int] | None = None
    picture: NDArray[np.uint8] | None = None

    @classmethod
    def named(cls, text: str) -> "Background":
        """``photo``, ``blur``, ``transparent``, a colour such as ``#00b140``, or a picture file.

        Raises:
            AvatarEngineError: It is none of them, or the file is no picture.
        """
        if text == "photo":
            return cls()
        if text == "blur":
            return cls("blur")
        if text == "transparent":
            return cls("transparent")
        if text.startswith("#"):
            if not _COLOUR.fullmatch(text):
                raise AvatarEngineError(f"background {text!r}: write a colour as #00b140")
            return cls("colour", colour=tuple(bytes.fromhex(text[1:])))  # type: ignore[arg-type]
        return cls("picture", picture=_read(Path(text)))

    @property
    def is_transparent(self) -> bool:
        """Whether frames carry alpha."""
        return self.kind == "transparent"

    def staged(self, persona: Drawable, config: RenderConfig) -> tuple[Plates, RenderConfig]:
        """A persona's plates and the renderer's options with this background.

        Args:
            persona: Who stands before it.
            config: Of the output, before the photo's background.
        """
        plates = persona.plates
        if self.kind == "transparent":
            return plates, replace(config, pixel_format="rgba")
        if self.kind == "colour":
            return plates, replace(config, background=self.colour)
        if self.kind == "blur":
            radius = _BLUR * len(plates.background)
            soft = Image.fromarray(plates.background).filter(ImageFilter.GaussianBlur(radius))
            return replace(plates, background=np.asarray(soft)), config
        if self.picture is not None:
            return replace(plates, background=_covering(self.picture, plates, config)), config
        return plates, config


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as picture:
            return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        choices = "photo, blur, transparent, a colour such as #00b140, or a picture file"
        raise AvatarEngineError(
            f"background {str(path)!r} cannot be read: use {choices}"
        ) from error


def _covering(
    picture: NDArray[np.uint8], plates: Plates, config: RenderConfig
) -> NDArray[np.uint8]:
    """The picture on a plate, filling the part of the plate that the output shows."""
    side = len(plates.background)
    longest = max(config.width, config.height)
    shown = (round(side * config.width / longest), round(side * config.height / longest))
    fitted = ImageOps.fit(Image.fromarray(picture), shown, Image.Resampling.LANCZOS)
    plate = Image.fromarray(picture).resize((side, side))
    plate.paste(fitted, ((side - shown[0]) // 2, (side - shown[1]) // 2))
    return np.asarray(plate)
