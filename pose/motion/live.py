"""People of a live stream, in which each frame can only be steadied by those before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pose.decoding.second_pass import body_height
from pose.motion.tracking import LONGEST_GAP, Tracker
from pose.person import Person
from pose.skeleton import NUM_KEYPOINTS

RESTING_CUTOFF = 0.5
"""Hertz; what is faster in a keypoint at rest is jitter."""

CUTOFF_SLOPE = 10.0
"""Hertz by which the cutoff rises with every body height a second: movement must not lag."""

SPEED_CUTOFF = 1.0
"""Hertz of the filter of the speed itself."""


class LivePeople:
    """Track ids for the people of each frame, and steady keypoints."""

    def __init__(self) -> None:
        self._tracker = Tracker()
        self._filters: dict[int, OneEuro] = {}

    def update(
        self, people: Sequence[Person], time: float
    ) -> tuple[tuple[Person, ...], tuple[int, ...]]:
        """The people of the next frame, steadied, and their ids from 1.

        Args:
            people: as found.
            time: of the frame in seconds, later than the one before.
        """
        ids = tuple(self._tracker.update(people, time))
        self._filters = {
            number: one
            for number, one in self._filters.items()
            if time - one.times.max() <= LONGEST_GAP
        }
        steady = tuple(
            self._filters.setdefault(number, OneEuro()).update(person, time)
            for number, person in zip(ids, people, strict=True)
        )
        return steady, ids


class OneEuro:
    """The 1€ filter of one person's keypoints (Casiez, Roussel and Vogel, CHI 2012).

    A low-pass filter whose cutoff rises with the speed, here in body heights a second.

    Attributes:
        times: (18,) seconds at which each keypoint was last found; -inf before.
        places: (18, 2) where it was then, filtered; NaN before.
        speeds: (18, 2) pixels a second, filtered.
    """

    def __init__(self) -> None:
        self.times = np.full(NUM_KEYPOINTS, -np.inf)
        self.places = np.full((NUM_KEYPOINTS, 2), np.nan)
        self.speeds = np.zeros((NUM_KEYPOINTS, 2))

    def update(self, person: Person, time: float) -> Person:
        """The person with filtered keypoints; one that was not found before is taken as it is."""
        found = person.found
        again = found & np.isfinite(self.times)
        gap = (time - self.times[again])[:, None]
        steps = person.keypoints[again, :2] - self.places[again]
        self.speeds[again] += share(SPEED_CUTOFF, gap) * (steps / gap - self.speeds[again])
        speed = np.linalg.norm(self.speeds[again], axis=1, keepdims=True)
        cutoff = RESTING_CUTOFF + CUTOFF_SLOPE * speed / max(body_height(person), 1.0)
        steady = person.keypoints.copy()
        steady[again, :2] = self.places[again] + share(cutoff, gap) * steps
        self.places[found], self.times[found] = steady[found, :2], time
        return Person(steady, person.score)


def share(cutoff: float | np.ndarray, gap: np.ndarray) -> np.ndarray:
    """How much of a step a low-pass filter of a cutoff in hertz takes after `gap` seconds."""
    return 1 / (1 + 1 / (2 * np.pi * cutoff * gap))
