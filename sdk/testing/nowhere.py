"""A transmitter that sends nothing."""

from avatar_engine.types import AvatarFrame


class Nowhere:
    """Takes frames and lets them go."""

    def publish(self, frame: AvatarFrame) -> None:
        """Nobody watches."""

    def drop_before(self, generation: int) -> None:
        """Nothing is on its way."""

    async def aclose(self) -> None:
        """Nothing is held."""
