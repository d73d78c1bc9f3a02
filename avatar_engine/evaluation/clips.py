"""A folder of clips: which can be measured, who is in them, and why the others cannot."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import PhotoError, VideoError
from avatar_engine.portrait import read_portrait
from avatar_engine.tracking import DrivingVideo
from avatar_engine.types import Portrait

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v")

_PATIENCE = 50  # pictures within which a good first frame must come
_LEAST = 8  # pictures that must follow it
_LARGEST = 512


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip, cut to the square around its face.

    Attributes:
        name: The file's stem.
        person: Who is in it; statistics are paired by this.
        path: The file.
        first: The picture the persona is made from, [H, W, 3] uint8, uncut.
        portrait: What was read in it.
        pictures: [T] squares [S, S, 3] uint8; the first is ``first``'s.
        fps: Pictures per second.
        begin_s: When the first picture is shown.
        has_sound: Whether the file carries sound.
    """

    name: str
    person: str
    path: Path
    first: NDArray[np.uint8]
    portrait: Portrait
    pictures: list[NDArray[np.uint8]]
    fps: float
    begin_s: float
    has_sound: bool

    @property
    def size(self) -> int:
        """S."""
        return self.pictures[0].shape[0]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that cannot be measured, and why."""

    name: str
    reason: str


def find_clips(folder: Path) -> list[Path]:
    """The videos of a folder, by name.

    Raises:
        VideoError: There is no such folder, or no video in it.
    """
    if not folder.is_dir():
        raise VideoError(f"{folder} is not a folder; name a folder of clips")
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    if not found:
        raise VideoError(f"{folder} holds no video ({', '.join(SUFFIXES)})")
    return found


def read_people(file: Path | None) -> dict[str, str]:
    """Who is in which clip, by a CSV file with the columns ``clip`` and ``person``.

    Raises:
        VideoError: The file is missing or has other columns.
    """
    if file is None:
        return {}
    try:
        with file.open(newline="", encoding="utf-8-sig") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError) as error:
        raise VideoError(f"{file} cannot be read: {error}") from error
    if not rows or not {"clip", "person"} <= set(rows[0]):
        raise VideoError(f"{file} needs the columns clip and person")
    return {row["clip"]: row["person"] for row in rows}


def read_clip(path: Path, people: dict[str, str], *, most: int = 500) -> Clip | Skipped:
    """Read a clip from its first good frame on.

    Args:
        path: A video.
        people: Person by clip name; a clip that is not named is its own person.
        most: Pictures to read at most.
    """
    try:
        with DrivingVideo(path) as video:
            frames = video.pictures()
            reason = "it has no picture"
            for index, (time_s, picture) in enumerate(frames):
                try:
                    portrait = read_portrait(picture)
                except PhotoError as refusal:
                    reason = f"no good first frame: {refusal}"
                    if index >= _PATIENCE:
                        break
                    continue
                cut = _Cutter(portrait)
                pictures = [cut(picture)]
                pictures += [cut(p) for _, p in _first(frames, most - 1)]
                if len(pictures) < _LEAST:
                    reason = f"only {len(pictures)} pictures after the first good one"
                    break
                return Clip(
                    name=path.stem,
                    person=people.get(path.stem, path.stem),
                    path=path,
                    first=picture,
                    portrait=portrait,
                    pictures=pictures,
                    fps=video.fps,
                    begin_s=time_s,
                    has_sound=video.has_sound,
                )
    except VideoError as error:
        reason = str(error)
    return Skipped(path.stem, reason)


def _first(
    frames: Iterable[tuple[float, NDArray[np.uint8]]], count: int
) -> Iterable[tuple[float, NDArray[np.uint8]]]:
    for index, frame in enumerate(frames):
        if index >= count:
            return
        yield frame


class _Cutter:
    """Cuts pictures to the portrait's square, no larger than the clip shows it."""

    def __init__(self, portrait: Portrait) -> None:
        self._x0, self._y0, side = portrait.crop
        self._size = int(min(_LARGEST, max(128, 8 * round(side / 8))))
        self._scale = self._size / side

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        scale_x = scale_y = self._scale
        if self._scale < 1:
            # Shrunk first: a warp alone would skip pixels.
            height, width = picture.shape[:2]
            small = max(8, round(width * self._scale)), max(8, round(height * self._scale))
            picture = np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.uint8)
            scale_x, scale_y = self._scale * width / small[0], self._scale * height / small[1]
            origin = np.array([self._x0 * small[0] / width, self._y0 * small[1] / height])
        else:
            origin = np.array([self._x0, self._y0])
        # Output pixels per pixel of the (shrunk) picture.
        step = np.array([1 / scale_x, 1 / scale_y])
        move = np.array(
            [
                [step[0], 0, origin[0] + 0.5 * step[0] - 0.5],
                [0, step[1], origin[1] + 0.5 * step[1] - 0.5],
            ]
        )
        return np.asarray(
            cv2.warpAffine(
                picture,
                move,
                (self._size, self._size),
                flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            ),
            np.uint8,
        )
