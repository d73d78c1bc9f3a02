"""Where a session goes besides its viewers."""

from pathlib import Path

from sdk.errors import SettingsError
from sdk.media.outputs.recorder import Recorder
from sdk.types.media import Output

__all__ = ["Output", "Recorder", "open_output"]


def open_output(where: str, *, width: int, height: int, fps: float) -> Output:
    """The output that ``--output`` names.

    Args:
        where: ``FILE.mp4``.
        width: Pixels.
        height: Pixels.
        fps: Frames per second.

    Raises:
        SettingsError: Nothing is known that goes there.
        OutputError: It cannot be opened.
    """
    if where.lower().endswith(".mp4") and "://" not in where:
        return Recorder(Path(where), width=width, height=height, fps=fps)
    raise SettingsError(f"--output {where}: only FILE.mp4 is known; leave it out for WebRTC alone")
