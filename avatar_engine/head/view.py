"""How a head is seen through a pinhole: its turn, its scale, its place in the picture."""

from dataclasses import dataclass

import numpy as np

from avatar_engine.head.bounded import Floats
from avatar_engine.types import Camera

CAMERA_DISTANCE_CM = 130.0
"""From the source camera to the middle of the face; an orthographic one makes the skull too big."""

FACE_MIDDLE = np.array([0.0, 1.0, 9.0])
"""Between eyes and nose, head space, cm: where the source camera looks."""

POSE = 7
"""Unknowns of a view: turn vector (3), log scale, shift (3, in cm at the face)."""


@dataclass(frozen=True)
class View:
    """The source view.

    Attributes:
        turn: [3, 3] head space to world.
        scale: Pixels per cm at the face's middle.
        centre: [3] where the face's middle is seen: pixels right, down, and depth in pixels.
    """

    turn: Floats
    scale: float
    centre: Floats

    def project(self, points: Floats) -> Floats:
        """Pixels and depth in pixels (greater is farther) [..., 3] of head-space points."""
        x, y, z = np.moveaxis((points - FACE_MIDDLE) @ self.turn.T, -1, 0)
        nearer = CAMERA_DISTANCE_CM / (CAMERA_DISTANCE_CM - z)
        return self.centre + self.scale * np.stack([nearer * x, -nearer * y, -z], -1)

    def jacobian(self, points: Floats, modes: Floats) -> Floats:
        """Derivatives [7 + M, P, 3] of :meth:`project` by pose and modes [M, P, 3], over scale."""
        at = (points - FACE_MIDDLE) @ self.turn.T
        x, y, z = at.T
        nearer = CAMERA_DISTANCE_CM / (CAMERA_DISTANCE_CM - z)
        growth = nearer**2 / CAMERA_DISTANCE_CM  # of `nearer` by z
        axes = np.eye(3)[:, None]
        moved = np.concatenate([np.cross(axes, at), modes @ self.turn.T])
        ahead = moved[..., 2]
        shown = np.stack(
            [
                nearer * moved[..., 0] + growth * x * ahead,
                -nearer * moved[..., 1] - growth * y * ahead,
                -ahead,
            ],
            -1,
        )
        scaled = np.stack([nearer * x, -nearer * y, -z], -1)[None]
        shifted = np.broadcast_to(axes, (3, len(points), 3))
        return np.concatenate([shown[:3], scaled, shifted, shown[3:]])

    def changed(self, step: Floats) -> "View":
        """The view after a step [7] in the unknowns of :meth:`jacobian`."""
        angle = float(np.linalg.norm(step[:3]))
        axis = step[:3] / max(angle, 1e-12)
        cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
        turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
        return View(
            turn @ self.turn,
            self.scale * float(np.exp(step[3])),
            self.centre + self.scale * step[4:7],
        )

    def placement(self) -> Floats:
        """Head space to world [3, 4]: the turn about the head's own origin."""
        return np.pad(self.turn, ((0, 0), (0, 1)))

    def camera(self, width: int, height: int) -> Camera:
        """The camera of a picture: straight before the face, wherever in the picture that is."""
        position = self.turn @ FACE_MIDDLE + np.array([0, 0, CAMERA_DISTANCE_CM])
        viewmat = np.diag([1.0, -1.0, -1.0, 1.0])
        viewmat[:3, 3] = -viewmat[:3, :3] @ position
        focal = self.scale * CAMERA_DISTANCE_CM
        K = np.array([[focal, 0, self.centre[0]], [0, focal, self.centre[1]], [0, 0, 1]])
        return Camera(viewmat, K, width, height)


def first_view(points: Floats, seen: Floats) -> View:
    """The similarity that brings head-space points [P, 3] nearest to pixels and depths [P, 3]."""
    target = seen * [1, -1, -1]
    a, b = points - points.mean(0), target - target.mean(0)
    left, sigma, right = np.linalg.svd(b.T @ a)
    sign = np.array([1, 1, np.sign(np.linalg.det(left @ right))])
    turn = left * sign @ right
    scale = float((sigma * sign).sum() / (a**2).sum())
    centre = target.mean(0) + scale * turn @ (FACE_MIDDLE - points.mean(0))
    return View(turn, scale, centre * [1, -1, -1])
