"""Whether a photo will do, and what to tell its owner when it will not."""

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import PhotoError
from avatar_engine.portrait.landmarks import Face
from avatar_engine.portrait.mouth import mouth_covered
from avatar_engine.portrait.quality import head_yaw, sharpness

LEAST_FACE_PX = 96
LARGEST_YAW = np.radians(45)

_LEAST_FACE_SCORE = 0.5
_BYSTANDER = 0.3  # a face this much smaller than the largest belongs to the background

# Lid gap over eye width, mean of both eyes: 400 portraits have 0.205 and more, blinks 0.19 at most,
# mostly under 0.17. Small faces come down to 0.18.
_EYES_CLOSED, _EYES_NARROW = 0.175, 0.205
# Sharpness of 400 portraits is 0.67-0.99; a blur of 1/100 of the face's height leaves 0.42.
_BLURRED, _SOFT = 0.38, 0.52
_MOUTH_COVERED = 0.6  # clean portraits reach 0.09, a pout 0.3
# Inner lips' gap over the mouth's width. Under covers the mesh dreams up at most 0.34; a shout
# looks like nothing the covered-mouth check has learned.
_MOUTH_WIDE_OPEN = 0.36


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
        PhotoError: ``no_face``, ``several_faces``, ``face_too_small`` or ``turned_away``.
    """
    faces = _distinct([f for f in seen if f.score >= _LEAST_FACE_SCORE and f.is_upright])
    if not faces:
        raise _nobody(seen, picture)
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
    return face, (f"{len(faces) - 1} smaller face(s) in the photo were left out.",)


def judge(picture: NDArray[np.uint8], face: Face, openness: tuple[float, float]) -> tuple[str, ...]:
    """What is not ideal about a face, one sentence each.

    Args:
        picture: [H, W, 3] uint8.
        face: The chosen one.
        openness: Lid gap over eye width, subject's left and right.

    Raises:
        PhotoError: ``turned_away``, ``blurred``, ``mouth_covered`` or ``eyes_closed``.
    """
    yaw = head_yaw(face.points)
    if abs(yaw) > LARGEST_YAW:
        raise _turned(yaw)
    sharp = sharpness(picture, face.points)
    if sharp < _BLURRED:
        raise PhotoError(
            "blurred",
            f"the face is blurred (sharpness {sharp:.2f}, {_BLURRED} is needed); "
            "use a photo in focus, not an enlarged one",
        )
    gap = _mouth_gap(face.points)
    if gap < _MOUTH_WIDE_OPEN and mouth_covered(picture, face.points) > _MOUTH_COVERED:
        raise _covered()
    lids = (openness[0] + openness[1]) / 2
    if lids < _EYES_CLOSED:
        raise PhotoError(
            "eyes_closed",
            f"the eyes are closed (opened {lids:.2f} of their width, {_EYES_CLOSED} is needed); "
            "use a photo with open eyes",
        )
    warnings = []
    if abs(yaw) > np.radians(25):
        warnings.append(
            f"The head is turned by {abs(np.degrees(yaw)):.0f} degrees; its far side is guessed."
        )
    if abs(face.roll) > np.radians(25):
        warnings.append(f"The head is tilted by {abs(np.degrees(face.roll)):.0f} degrees.")
    if sharp < _SOFT:
        warnings.append("The face is slightly out of focus; the avatar will look soft.")
    if min(openness) < _EYES_NARROW:
        warnings.append("The eyes are narrowed; the avatar's gaze may look sleepy.")
    if gap > _MOUTH_WIDE_OPEN:
        warnings.append("The mouth is wide open; closed, its shape is guessed.")
    if face.height < 2 * LEAST_FACE_PX:
        warnings.append(
            f"The face is only {face.height:.0f} pixels high; "
            f"from {2 * LEAST_FACE_PX} on, skin and hair look sharp."
        )
    return tuple(warnings)


def _mouth_gap(points: NDArray[np.floating]) -> float:
    """Gap between the inner lips over the mouth's width."""
    gap, width = points[14, :2] - points[13, :2], points[291, :2] - points[61, :2]
    return float(np.linalg.norm(gap) / max(float(np.linalg.norm(width)), 1e-6))


def _nobody(seen: list[Face], picture: NDArray[np.uint8]) -> PhotoError:
    """Why no face can be read, of those that the detector saw after all."""
    for face in seen:
        if not face.is_upright:
            continue
        yaw = head_yaw(face.points)
        if abs(yaw) > LARGEST_YAW:
            return _turned(yaw)
        if mouth_covered(picture, face.points) > _MOUTH_COVERED:
            return _covered()
    height, width = picture.shape[:2]
    return PhotoError(
        "no_face",
        f"no face found in the {width} x {height} photo; use one with a face seen from the front",
    )


def _covered() -> PhotoError:
    return PhotoError(
        "mouth_covered",
        "something covers the mouth; use a photo without mask, hand or microphone before it",
    )


def _turned(yaw: float) -> PhotoError:
    return PhotoError(
        "turned_away",
        f"the head is turned by {abs(np.degrees(yaw)):.0f} degrees, "
        f"at most {np.degrees(LARGEST_YAW):.0f} will do; use a photo taken more from the front",
    )


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
