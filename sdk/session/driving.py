"""Driving: somebody's camera moves the avatar's face.

Pictures come faster or slower than they can be tracked; only the newest counts. Tracking runs on
a worker thread of its own, so that neither the event loop nor the playout clock waits for it.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from avatar_engine.types import FaceState
from sdk.session.events import EventHub


class VideoTrack(Protocol):
    """Pictures of a camera; aiortc's tracks are."""

    async def recv(self) -> Any:
        """The next picture: an ``av.VideoFrame``. Raises when the track has ended."""
        ...


class FaceDriver(Protocol):
    """Turns pictures into faces; ``avatar_engine.tracking.Driver`` does."""

    @property
    def is_following(self) -> bool:
        """Whether the last picture showed a face."""
        ...

    def calibrate(self) -> None:
        """The next face is the driver at rest."""
        ...

    def drive(self, picture: NDArray[np.uint8], time_s: float) -> FaceState:
        """The avatar's face for a picture [H, W, 3] uint8."""
        ...


class Driving:
    """One track that drives the avatar, until it ends or ``stop`` is called.

    Attributes:
        frames: Pictures tracked.
        dropped: Pictures that came while another one was being tracked.
        is_following: Whether the last picture showed the driver's face.
    """

    def __init__(
        self,
        track: VideoTrack,
        driver: FaceDriver,
        follow: Callable[[FaceState | None], None],
        hub: EventHub,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.frames = 0
        self.dropped = 0
        self.is_following = False
        self._track = track
        self._driver = driver
        self._follow = follow
        self._hub = hub
        self._now = now
        self._newest: Any = None
        self._arrived = asyncio.Event()
        self._has_ended = False
        self._task = asyncio.create_task(self._run(), name="driving")

    @property
    def is_active(self) -> bool:
        """Whether pictures may still come."""
        return not self._task.done()

    def calibrate(self) -> None:
        """Take the driver's next picture as their face at rest, looking into the camera."""
        self._driver.calibrate()

    async def stop(self) -> None:
        """Give the avatar its own face back; may be called twice."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def wait_ended(self) -> None:
        """Return when the track has ended or was stopped."""
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(self._task)

    async def _run(self) -> None:
        receiver = asyncio.create_task(self._receive(), name="driving pictures")
        worker = ThreadPoolExecutor(1, thread_name_prefix="driving")
        loop = asyncio.get_running_loop()
        self._hub.emit("drive.started", {})
        begin_s = self._now()
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                frame, self._newest = self._newest, None
                if frame is not None:
                    at_s = self._now() - begin_s
                    state = await loop.run_in_executor(worker, self._track_face, frame, at_s)
                    self._follow(state)
                    self._tell(is_following=self._driver.is_following)
                elif self._has_ended:
                    break
        finally:
            receiver.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await receiver
            worker.shutdown(wait=False)
            self._follow(None)
            self.is_following = False
            self._hub.emit("drive.ended", {"frames": self.frames})

    async def _receive(self) -> None:
        try:
            while True:
                frame = await self._track.recv()
                self.dropped += self._newest is not None
                self._newest = frame
                self._arrived.set()
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 - whatever ended the track, there is no next picture
            self._has_ended = True
            self._arrived.set()

    def _track_face(self, frame: Any, at_s: float) -> FaceState:
        picture: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
        return self._driver.drive(picture, at_s)

    def _tell(self, *, is_following: bool) -> None:
        self.frames += 1
        if is_following != self.is_following:
            self.is_following = is_following
            self._hub.emit("drive.face_found" if is_following else "drive.face_lost", {})
