"""The driver: pictures of one face in, the motion of a persona out, whatever happens between."""

from collections import deque
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avatar_engine.head import load_head_rig
from avatar_engine.head.fit import FACE_POINTS
from avatar_engine.head.view import View
from avatar_engine.tracking.lids import LidGauge
from avatar_engine.tracking.likeness import Likeness
from avatar_engine.tracking.lip_gap import INNER_LIPS, LipGap
from avatar_engine.tracking.observation import Observation
from avatar_engine.tracking.retarget import Rest, Retarget, angles_of, rotation_of
from avatar_engine.tracking.smoothing import (
    CORRECTION_CUTOFF_HZ,
    CORRECTION_GAIN,
    EXPRESSION_CUTOFF_HZ,
    EXPRESSION_GAIN,
    GAZE_CUTOFF_HZ,
    GAZE_GAIN,
    POSE_CUTOFF_HZ,
    POSE_GAIN,
    OneEuro,
)
from avatar_engine.tracking.tracker import FaceTracker
from avatar_engine.types import ARKIT, ARKIT_INDEX, FaceState, HeadMaps

HOLD_S = 0.4
"""A face that is lost (a hand before it, a look away) is held so long …"""

EASE_S = 0.8
"""… then it eases to rest over this time; and back as fast as a third of it when seen again."""

FOLLOW = 0.6
"""Share of the driver's change of place that a persona follows: plates move less than people."""

_REST_MEMORY = 300  # pictures
_REST_PERCENTILE = 10.0
_SHAPE_SHARE = 1 / 250  # of each picture in what is always left over: ten seconds' memory
_SURE_AFTER = 30  # pictures until the rest seen so far is trusted whole
_BLINK = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]
_SQUINT = [ARKIT_INDEX["eyeSquintLeft"], ARKIT_INDEX["eyeSquintRight"]]
_NOTHING = np.zeros(len(ARKIT))
_LOOKS = np.array([name.startswith("eyeLook") for name in ARKIT])


class Driver:
    """Drives one persona by pictures of a face.

    The driver's rest is learned by itself, as what each weight seldom falls below, or set by
    ``calibrate``. A lost face is held, then eased to rest.

    Args:
        maps: The persona's head.
        tracker: What looks; a fresh one unless given.

    Example:
        driver = Driver(persona.maps)
        for time_s, picture in video.pictures(25):
            frame = renderer.render(driver.drive(picture, time_s))
    """

    def __init__(self, maps: HeadMaps, *, tracker: FaceTracker | None = None) -> None:
        self._tracker = tracker or FaceTracker()
        self._retarget = Retarget(maps, follow=FOLLOW)
        self._lips = LipGap(maps)
        self._lids = LidGauge()
        self._likeness = Likeness(maps, load_head_rig())
        self._expression = OneEuro(EXPRESSION_CUTOFF_HZ, EXPRESSION_GAIN)
        self._corrections = OneEuro(CORRECTION_CUTOFF_HZ, CORRECTION_GAIN)
        self._own_shape = np.zeros((FACE_POINTS, 3))
        self._shapes_seen = 0
        self._pose = OneEuro(POSE_CUTOFF_HZ, POSE_GAIN)
        self._gaze = OneEuro(GAZE_CUTOFF_HZ, GAZE_GAIN)
        self._seen: deque[NDArray[np.float64]] = deque(maxlen=_REST_MEMORY)
        self._rest: Rest | None = None
        self._origin: View | None = None
        self._is_calibrated = False
        self._wants_calibration = False
        self._last = FaceState()
        self._last_seen_s = -np.inf
        self._presence = 0.0
        self._time_s: float | None = None

    @property
    def is_following(self) -> bool:
        """Whether the last picture showed the driver's face."""
        return self._time_s is not None and self._last_seen_s == self._time_s

    def calibrate(self) -> None:
        """The next picture with a face shows the driver at rest, looking into the camera."""
        self._wants_calibration = True

    def drive(self, picture: NDArray[np.uint8], time_s: float) -> FaceState:
        """The persona's face for the next picture.

        Args:
            picture: [H, W, 3] uint8 sRGB.
            time_s: When; should rise.
        """
        return self.follow(self._tracker.track(picture, time_s), time_s)

    def follow(self, seen: Observation | None, time_s: float) -> FaceState:
        """The persona's face for an observation, or for none."""
        step_s = 0.04 if self._time_s is None else min(max(time_s - self._time_s, 0.0), 0.5)
        self._time_s = time_s
        if seen is not None:
            self._last_seen_s = time_s
            self._last = self._answer(seen)
            # A face that comes back must not jump into place.
            self._presence = min(1.0, self._presence + step_s / (EASE_S / 3))
        elif time_s - self._last_seen_s > HOLD_S:
            self._presence = max(0.0, self._presence - step_s / EASE_S)
            if self._presence == 0.0:
                self._start_anew()
        share = self._presence**2 * (3.0 - 2.0 * self._presence)
        return _scaled(self._last, share)

    def _answer(self, seen: Observation) -> FaceState:
        weights = seen.expression.copy()
        weights[_LOOKS] = 0.0
        closed = self._lids.closed(seen.openness)
        weights[_BLINK] = closed
        weights[_SQUINT] *= 1.0 - closed  # a shut eye needs no squint besides
        weights = self._expression.smooth(weights, seen.time_s)
        steady = self._steady(seen)
        rest = self._rest_now(steady, weights)
        usual = rest.expression.copy()
        usual[_BLINK] = 0.0  # the gauge knows the open eye by itself
        # A driver who never stops smiling still has the whole of a smile's range.
        weights = (weights - usual) / np.maximum(1.0 - usual, 0.3)
        state = self._retarget.state(steady, replace(rest, expression=_NOTHING), expression=weights)
        upper, lower = seen.landmarks[INNER_LIPS[0]], seen.landmarks[INNER_LIPS[1]]
        gap_cm = float(np.hypot(*(upper - lower)[:2])) / seen.view.scale
        corrections = self._corrected(seen)
        matched = self._lips.matched(state.blendshapes, gap_cm, corrections)
        return replace(state, blendshapes=matched.astype(np.float32), corrections=corrections)

    def _corrected(self, seen: Observation) -> NDArray[np.float32] | None:
        """Amounts [C] for what no weight explains and the driver's own shape neither."""
        if not self._likeness.corrective_modes:
            return None
        # What is always left over is how the driver is made, which stays at home.
        self._shapes_seen += 1
        share = max(1 / self._shapes_seen, _SHAPE_SHARE)
        self._own_shape += share * (seen.left_over - self._own_shape)
        amounts = self._likeness.corrections(seen.left_over - self._own_shape)
        return self._corrections.smooth(amounts, seen.time_s).astype(np.float32)

    def _steady(self, seen: Observation) -> Observation:
        """The observation with pose, place and gaze filtered."""
        if self._origin is None:
            self._origin = seen.view
        base = self._origin
        size = base.scale * 18.0  # a face, pixels
        raw = np.concatenate(
            [
                angles_of(seen.view.turn @ base.turn.T),
                (seen.view.centre - base.centre) / size * 10,
                [np.log(seen.view.scale / base.scale) * 3],
            ]
        )
        calm = self._pose.smooth(raw, seen.time_s)
        view = View(
            rotation_of(calm[:3]) @ base.turn,
            base.scale * float(np.exp(calm[6] / 3)),
            base.centre + calm[3:6] * size / 10,
        )
        return replace(seen, view=view, gaze=self._gaze.smooth(seen.gaze, seen.time_s))

    def _rest_now(self, seen: Observation, weights: NDArray[np.float64]) -> Rest:
        if self._wants_calibration:
            self._wants_calibration, self._is_calibrated = False, True
            self._rest = Rest(weights, seen.view, seen.gaze)
        if self._is_calibrated and self._rest is not None:
            return self._rest
        self._seen.append(weights)
        if self._rest is None:
            self._rest = Rest(np.zeros(len(ARKIT)), seen.view, seen.gaze)
        if len(self._seen) <= _SURE_AFTER:
            self._rest = _averaged(self._rest, seen, 1 / len(self._seen))
        if len(self._seen) <= _SURE_AFTER or len(self._seen) % 10 == 0:
            usual = np.percentile(np.stack(self._seen), _REST_PERCENTILE, axis=0)
            trust = min(1.0, len(self._seen) / _SURE_AFTER)
            self._rest = replace(self._rest, expression=trust * usual)
        return self._rest

    def _start_anew(self) -> None:
        """Whoever appears next may be somebody else."""
        self._tracker.restart()
        self._lids.reset()
        self._seen.clear()
        for euro in (self._expression, self._pose, self._gaze, self._corrections):
            euro.reset()
        self._shapes_seen = 0
        self._origin = None
        if not self._is_calibrated:
            self._rest = None
        self._last = FaceState()


def _averaged(rest: Rest, seen: Observation, share: float) -> Rest:
    """Rest moved toward an observation: the first second says where the driver sits."""
    old, new = rest.view, seen.view
    view = View(
        rotation_of(share * angles_of(new.turn @ old.turn.T)) @ old.turn,
        old.scale * float(new.scale / old.scale) ** share,
        old.centre + share * (new.centre - old.centre),
    )
    return replace(rest, view=view, gaze=rest.gaze + share * (seen.gaze - rest.gaze))


def _scaled(state: FaceState, share: float) -> FaceState:
    if share >= 1.0:
        return state
    factor = np.float32(share)
    return FaceState(
        state.blendshapes * factor,
        state.head_pose * factor,
        state.head_shift * factor,
        state.gaze * factor,
        state.orbit,
        corrections=None if state.corrections is None else state.corrections * factor,
        torso=state.torso * factor,
    )
