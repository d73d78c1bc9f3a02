"""Reads the two open rigs the head model is made of."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FACE_KIT = "ict_facekit/ict_facekit.npz"
_CANONICAL = "mediapipe/canonical_face_model.obj"


@dataclass(frozen=True)
class FaceKit:
    """ICT-FaceKit. Centimetres; x to the subject's left, y up, z out of the face.

    Attributes:
        vertices: [V, 3] neutral face.
        faces: [F, 4] quads; -1 in the last place of a triangle.
        material: [F] index into ``materials``.
        materials: Names of the parts.
        expression: Name to deltas [V, 3]; sides are ``_L`` and ``_R``.
        identity: [I, V, 3]; coefficients are N(0, 1).
        landmarks68: [68] vertices of the Multi-PIE points.
        twin: [V] the vertex at the mirrored place.
    """

    vertices: Floats
    faces: Ints
    material: Ints
    materials: tuple[str, ...]
    expression: dict[str, Floats]
    identity: Floats
    landmarks68: Ints
    twin: Ints

    def part(self, *names: str) -> Ints:
        """Triangles [T, 3] of the named materials."""
        wanted = [self.materials.index(name) for name in names]
        return triangulate(self.vertices, self.faces[np.isin(self.material, wanted)])


def read_face_kit(rigs: Path) -> FaceKit:
    """Raises: FileNotFoundError: the folder holds no ICT-FaceKit."""
    with np.load(_existing(rigs, _FACE_KIT)) as z:
        vertices = z["neutral"].astype(np.float64)
        names = [str(n) for n in z["expression_names"]]
        return FaceKit(
            vertices=vertices,
            faces=z["faces"].astype(np.int64),
            material=z["face_material"].astype(np.int64),
            materials=tuple(str(m) for m in z["material_names"]),
            expression=dict(zip(names, z["expression"].astype(np.float64), strict=True)),
            identity=z["identity"].astype(np.float64),
            landmarks68=z["landmarks68"].astype(np.int64),
            twin=cKDTree(vertices).query(vertices * [-1, 1, 1])[1],
        )


def read_canonical_face(rigs: Path) -> Floats:
    """MediaPipe's canonical face [468, 3], cm."""
    lines = _existing(rigs, _CANONICAL).read_text().splitlines()
    return np.array([line.split()[1:4] for line in lines if line.startswith("v ")], np.float64)


def triangulate(vertices: Floats, faces: Ints) -> Ints:
    """Quads [F, 4] to triangles [T, 3], in order; the shorter diagonal wins, so twins agree."""
    triangles: list[list[int]] = []
    for face in faces.tolist():
        a, b, c, d = face
        if d < 0 or d == c:
            triangles.append([a, b, c])
        elif np.linalg.norm(vertices[a] - vertices[c]) <= np.linalg.norm(vertices[b] - vertices[d]):
            triangles += [[a, b, c], [a, c, d]]
        else:
            triangles += [[a, b, d], [b, c, d]]
    return np.array(triangles, np.int64)


def _existing(rigs: Path, name: str) -> Path:
    if not (rigs / name).is_file():
        raise FileNotFoundError(f"{rigs / name} is missing; --rigs names the folder that holds it")
    return rigs / name
