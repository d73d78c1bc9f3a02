"""Whether a photo will do, and what to tell its owner when it will not."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import PhotoError
from avatar_engine.portrait.landmarks import Face

LEAST_FACE_PX = 96
_LEAST_FACE_SCORE = 0.5
_BYSTANDER = 0.3  # a face this much smaller than the largest belongs to the background


def choose_face(
    seen: list[Face], picture: NDArray[np.uint8], *, pick_largest: bool
) -> tuple[Face, tuple[str, ...]]:
    """The one face a persona is made from.

    Args:
        seen: Every face found in the picture.
        picture: [H, W, 3] uint8.
        pick_largest: Of several take the largest.

    Returns:
        The face, and what is not ideal.

    Raises:
        PhotoError: ``no_face``, ``several_faces`` or ``face_too_small``.
    """
    faces = _distinct([f for f in seen if f.score >= _LEAST_FACE_SCORE])
    if not faces:
        height, width = picture.shape[:2]
        raise PhotoError(
            "no_face",
            f"no face found in the {width} x {height} photo; use one that shows a face from the front",
        )
    face = faces[0]
    rivals = [f for f in faces[1:] if f.height > _BYSTANDER * face.height]
    if rivals and not pick_largest:
        raise PhotoError(
            "several_faces",
            f"{len(rivals) + 1} faces in the photo; crop it to one person, or ask for the largest",
        )
    if face.height < LEAST_FACE_PX:
        raise PhotoError(
            "face_too_small",
            f"the face is {face.height:.0f} pixels high, {LEAST_FACE_PX} are needed; "
            "use a larger or closer photo",
        )
    if len(faces) == 1:
        return face, ()
    return face, (f"{len(faces) - 1} other face(s) in the photo were left out.",)


def judge(picture: NDArray[np.uint8], face: Face, openness: tuple[float, float]) -> tuple[str, ...]:
    """Refuse a face that is turned away, asleep, blurred or covered; warn of what is borderline."""
    return ()


def _distinct(faces: list[Face]) -> list[Face]:
    """Each face once, the largest first: two tiles may both have seen it."""
    distinct: list[Face] = []
    for face in sorted(faces, key=lambda f: -f.height):
        near = [
            np.linalg.norm(face.centre - other.centre) < 0.5 * other.height for other in distinct
        ]
        if not any(near):
            distinct.append(face)
    return distinct
