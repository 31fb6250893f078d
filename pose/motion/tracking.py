"""Track ids: who is who from frame to frame of a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pose.oks import best_pairs, oks_to_each
from pose.person import Person
from pose.skeleton import HEATMAP_FLIP, NUM_KEYPOINTS

SMALLEST_OKS = 0.2
"""Below this OKS two people are not the same; a fast walker's keypoints move far in a frame."""

LONGEST_GAP = 1.25
"""Seconds for which the track of somebody who is not found is kept."""

FEWEST_MISSED = 8
"""Frames for which it is kept at least, where they are far apart in time."""

USUAL_INTERVAL = 1 / 25
"""Seconds between frames whose times are not known."""

SPREAD = 4.0
"""How fast the tolerance, in OKS's standard deviations, grows with every second of a gap."""

STARTING = 1.0
"""By how much the tolerance is wider, in the same unit, while a track's velocity is not known."""

MEMORY = 0.25
"""Seconds over which a track's velocity is averaged: one frame's noise is larger than its step."""

ESTABLISHED = 3
"""Frames after which a track is somebody: a second skeleton of the body cannot take its place."""

SWAPPED = HEATMAP_FLIP[:NUM_KEYPOINTS]
"""Keypoints with left and right exchanged, which a network does with people seen from the side."""


@dataclass
class Track:
    """Somebody seen before.

    Attributes:
        track_id: from 1, in the order of appearance.
        last: where last seen.
        time: when, in seconds.
        seen: in how many frames.
        missed: frames since.
        velocity: (2,) pixels a second.
    """

    track_id: int
    last: Person
    time: float
    seen: int = 1
    missed: int = 0
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))

    @property
    def steady(self) -> bool:
        """Whether this is somebody who was there in the frame before."""
        return self.missed == 1 and self.seen >= ESTABLISHED

    def similarities(self, people: Sequence[Person], time: float) -> np.ndarray:
        """(people,) OKS of each with where this one was, or would be at the same velocity."""
        gap = time - self.time
        wider = SPREAD * max(0.0, gap - 2 * USUAL_INTERVAL) + STARTING / self.seen
        swapped = [Person(person.keypoints[SWAPPED], person.score) for person in people]
        places = (self.last, moved(self.last, self.velocity * gap))
        tables = [oks_to_each(at, (*people, *swapped), (1 + wider) ** 2) for at in places]
        return np.stack(tables).reshape(4, len(people)).max(0)

    def continue_with(self, person: Person, time: float) -> None:
        """Continues the track with a person of a later frame."""
        both = self.last.found & person.found
        gap = max(time - self.time, 1e-6)
        if both.any():
            steps = person.keypoints[both, :2] - self.last.keypoints[both, :2]
            share = min(1.0, max(gap / MEMORY, 1 / self.seen))
            self.velocity = (1 - share) * self.velocity + share * np.median(steps, axis=0) / gap
        self.last, self.time, self.missed = person, time, 0
        self.seen += 1


class Tracker:
    """Assigns track ids to the people of each frame, by OKS with where they are expected.

    Attributes:
        count: the number of ids given so far.
    """

    def __init__(self, smallest: float = SMALLEST_OKS, longest_gap: float = LONGEST_GAP) -> None:
        self.smallest = smallest
        self.longest_gap = longest_gap
        self.count = 0
        self._tracks: list[Track] = []
        self._time = -USUAL_INTERVAL

    def update(self, people: Sequence[Person], time: float | None = None) -> list[int]:
        """The track ids, from 1, of the people of the next frame.

        Args:
            people: in this frame.
            time: its time in seconds; without, frames count as `USUAL_INTERVAL` apart.
        """
        self._time = time = self._time + USUAL_INTERVAL if time is None else time
        for track in self._tracks:
            track.missed += 1
        ids: dict[int, int] = {}
        groups: tuple[list[Track], list[Track]] = ([], [])
        for track in self._tracks:
            groups[not track.steady].append(track)
        for tracks in groups:
            free = [i for i in range(len(people)) if i not in ids]
            left = [people[i] for i in free]
            similarity = [track.similarities(left, time) for track in tracks]
            for match in best_pairs(similarity, self.smallest):
                track, i = tracks[match.first], free[match.second]
                track.continue_with(people[i], time)
                ids[i] = track.track_id
        for i, person in enumerate(people):
            if i not in ids:
                self.count += 1
                ids[i] = self.count
                self._tracks.append(Track(self.count, person, time))
        self._tracks = [
            track
            for track in self._tracks
            if track.missed <= FEWEST_MISSED or time - track.time <= self.longest_gap
        ]
        return [ids[i] for i in range(len(people))]


def moved(person: Person, offset: np.ndarray) -> Person:
    """A person (2,) pixels away."""
    keypoints = person.keypoints.copy()
    keypoints[:, :2] += offset
    return Person(keypoints, person.score)
