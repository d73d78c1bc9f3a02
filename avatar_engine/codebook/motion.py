"""The motion half: what an expression does to this person that a linear rig does not say."""

from avatar_engine.codebook.arithmetic import (
    Floats,
    Layers,
    convolved,
    gelu,
    picture_of,
    shuffled,
    tokens_of,
)
from avatar_engine.codebook.plan import MOTION
from avatar_engine.codebook.retrieval import Codebook, Tokens


class MotionCodebook:
    """Asked with displacement fields, it adds the displacement that is missing."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._codebook = Codebook(layers, "motion", MOTION)

    def compensate(self, fields: Floats, person: Floats) -> tuple[Floats, Tokens]:
        """Ask for several expressions of one person, or for one of each.

        Args:
            fields: [B, 3, 32, 32] cm, the linear rig's displacement in each expression.
            person: [1 or B, 6, 32, 32] of ``front.person_planes``.

        Returns:
            [B, 3, 64, 64] cm to add to them, and the tokens that the appearance half listens to.
        """
        layers = self._layers
        x = convolved(layers, "motion.field", fields) + convolved(layers, "motion.person", person)
        x = gelu(x)
        asking = {32: tokens_of(x)}
        for scale in (16, 8):
            x = gelu(convolved(layers, f"motion.down{scale}", x, stride=2))
            asking[scale] = tokens_of(x)
        found, learnt = self._codebook.compensate(asking)
        return found + shuffled(convolved(layers, "motion.head", picture_of(learnt[32]))), learnt
