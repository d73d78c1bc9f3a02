"""A small box of brushes for flat pictures with soft light, drawn large and scaled down once."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

SIZE = 1600
Point = tuple[float, float]
Colour = tuple[int, int, int]


def colour(text: str) -> Colour:
    """``"#a1b2c3"`` as red, green, blue."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """A colour between two."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


# Masks: where a colour goes. -------------------------------------------------------------------


def blank() -> Image.Image:
    """An empty mask."""
    return Image.new("L", (SIZE, SIZE), 0)


def ellipse(x: float, y: float, rx: float, ry: float, turn_deg: float = 0.0) -> Image.Image:
    """An ellipse round a centre."""
    steps = [2 * math.pi * i / 180 for i in range(180)]
    return polygon(
        turned([(x + rx * math.cos(t), y + ry * math.sin(t)) for t in steps], x, y, turn_deg)
    )


def rounded(left: float, top: float, right: float, bottom: float, radius: float) -> Image.Image:
    """A rectangle with round corners."""
    mask = blank()
    ImageDraw.Draw(mask).rounded_rectangle((left, top, right, bottom), radius, fill=255)
    return mask


def polygon(points: Iterable[Point]) -> Image.Image:
    """A filled outline."""
    mask = blank()
    ImageDraw.Draw(mask).polygon(list(points), fill=255)
    return mask


def blob(points: Sequence[Point]) -> Image.Image:
    """A filled outline that bends smoothly through its points."""
    return polygon(smooth(points, is_closed=True))


def stroke(points: Sequence[Point], width: float) -> Image.Image:
    """A line of round ends and round joints through points."""
    mask = blank()
    draw = ImageDraw.Draw(mask)
    r = width / 2
    for (x0, y0), (x1, y1) in pairwise(points):
        # Pillow's own joints leave notches on a wide bend, so the line is stamped.
        stamps = max(1, math.ceil(math.hypot(x1 - x0, y1 - y0) / max(1.0, r / 6)))
        for step in range(stamps + 1):
            x, y = x0 + (x1 - x0) * step / stamps, y0 + (y1 - y0) * step / stamps
            draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
    return mask


def smooth(points: Sequence[Point], *, is_closed: bool = False, steps: int = 24) -> list[Point]:
    """A Catmull-Rom curve through points."""
    count = len(points)
    found: list[Point] = []
    for i in range(count if is_closed else count - 1):
        p0, p1, p2, p3 = (
            points[(i + k) % count] if is_closed else points[min(max(i + k, 0), count - 1)]
            for k in (-1, 0, 1, 2)
        )
        for step in range(steps):
            t = step / steps
            found.append(
                tuple(_spline(a, b, c, d, t) for a, b, c, d in zip(p0, p1, p2, p3, strict=True))
            )
    if not is_closed:
        found.append(points[-1])
    return found


def turned(points: Iterable[Point], x: float, y: float, turn_deg: float) -> list[Point]:
    """Points turned clockwise about a centre."""
    c, s = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    return [(x + (px - x) * c - (py - y) * s, y + (px - x) * s + (py - y) * c) for px, py in points]


def both(*masks: Image.Image) -> Image.Image:
    """Everything that any mask covers."""
    result = masks[0]
    for mask in masks[1:]:
        result = ImageChops.lighter(result, mask)
    return result


def within(mask: Image.Image, other: Image.Image) -> Image.Image:
    """What two masks share."""
    return ImageChops.darker(mask, other)


def without(mask: Image.Image, other: Image.Image) -> Image.Image:
    """A mask with a hole."""
    return ImageChops.subtract(mask, other)


def _spline(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )


class Picture:
    """A square picture on a pastel ground that is lit from the upper left."""

    def __init__(self, ground: str, glow: str = "#ffffff") -> None:
        base = np.array(colour(ground), float)
        rows, columns = np.mgrid[0:SIZE, 0:SIZE] / SIZE
        light = np.exp(-((columns - 0.42) ** 2 + (rows - 0.36) ** 2) / 0.18)[..., None]
        shade = 1 - 0.07 * rows[..., None]
        pixels = base * shade + (np.array(colour(glow), float) - base) * 0.45 * light
        self._image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))

    def shadow(self, x: float, y: float, rx: float, ry: float, strength: float = 0.34) -> None:
        """A soft shadow on the ground."""
        wide = ellipse(x + 25, y, rx * 1.12, ry).filter(ImageFilter.GaussianBlur(38))
        close = ellipse(x, y, rx * 0.92, ry * 0.5).filter(ImageFilter.GaussianBlur(14))
        self.fill(wide, "#2b2440", strength * 0.6)
        self.fill(close, "#2b2440", strength * 0.7)

    def fill(self, mask: Image.Image, paint: str, opacity: float = 1.0) -> None:
        """One colour."""
        if opacity < 1:
            mask = mask.point(lambda value: int(value * opacity))
        self._image.paste(colour(paint), (0, 0), mask)

    def blend(self, mask: Image.Image, first: str, second: str, turn_deg: float = 90.0) -> None:
        """From one colour to another across the mask: 0 degrees runs right, 90 down."""
        box = mask.getbbox()
        if box is None:
            return
        t = _ramp(box, turn_deg)[..., None]
        pixels = np.array(colour(first), float) * (1 - t) + np.array(colour(second), float) * t
        self._image.paste(Image.fromarray(pixels.astype(np.uint8)), box[:2], mask.crop(box))

    def cylinder(self, mask: Image.Image, paint: str, turn_deg: float = 0.0) -> None:
        """A colour rounded like a cylinder: 0 degrees is upright, lit from the left; 90 lies."""
        box = mask.getbbox()
        if box is not None:
            t = _ramp(box, turn_deg)
            self._multiply(mask, box, paint, 1.1 - 0.84 * np.abs(t - 0.34) ** 1.5)

    def ball(self, mask: Image.Image, paint: str, depth: float = 0.5) -> None:
        """A colour rounded like a ball, lit from the upper left."""
        box = mask.getbbox()
        if box is None:
            return
        rows, columns = _grid(box)
        distance = np.sqrt((columns - 0.35) ** 2 + (rows - 0.3) ** 2)
        self._multiply(mask, box, paint, 1.1 - depth * distance**1.6)

    def gloss(self, mask: Image.Image, strength: float = 0.35, blur: float = 16.0) -> None:
        """A highlight with soft edges."""
        self.fill(mask.filter(ImageFilter.GaussianBlur(blur)), "#ffffff", strength)

    def dusk(self, mask: Image.Image, strength: float = 0.25, blur: float = 18.0) -> None:
        """A shade with soft edges."""
        self.fill(mask.filter(ImageFilter.GaussianBlur(blur)), "#241d35", strength)

    def write(self, text: str, x: float, y: float, size: float, paint: str) -> None:
        """Small lettering, centred."""
        mask = blank()
        font = ImageFont.load_default(size)
        ImageDraw.Draw(mask).text((x, y), text, 255, font, anchor="mm")
        self.fill(mask, paint)

    def save(self, path: Path) -> None:
        """Scale down and write as WebP."""
        small = self._image.resize((SIZE // 2, SIZE // 2), Image.Resampling.LANCZOS)
        small.save(path, quality=90, method=6)

    def _multiply(
        self, mask: Image.Image, box: tuple[int, int, int, int], paint: str, light: np.ndarray
    ) -> None:
        base = np.array(colour(paint), float)
        # Shadows lean to violet and lights to white, as on a cloudy day.
        dark = base * np.clip(light, 0, 1)[..., None] + np.array((14.0, 6.0, 26.0)) * (
            1 - np.clip(light, 0, 1)[..., None]
        )
        lit = dark + (255 - dark) * np.clip(light - 1, 0, 1)[..., None] * 1.6
        pixels = Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))
        self._image.paste(pixels, box[:2], mask.crop(box))


def _grid(box: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    width, height = box[2] - box[0], box[3] - box[1]
    rows, columns = np.mgrid[0:height, 0:width]
    return rows / max(1, height - 1), columns / max(1, width - 1)


def _ramp(box: tuple[int, int, int, int], turn_deg: float) -> np.ndarray:
    rows, columns = _grid(box)
    c, s = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    across = columns * c + rows * s
    return (across - across.min()) / max(1e-9, float(across.max() - across.min()))
