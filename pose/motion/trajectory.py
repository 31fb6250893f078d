"""One person through a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose.person import Person
from pose.skeleton import NUM_KEYPOINTS


@dataclass(frozen=True)
class Trajectory:
    """One person through a clip, from the first frame to the last in which it was seen.

    Attributes:
        track_id: from 1.
        start: number of the first frame.
        times: (n,) seconds.
        keypoints: float32 (n, 18, 3); x, y NaN and score 0 where missing.
        scores: (n,) the person's; NaN in frames in which it was not seen.
        filled: bool (n, 18).
    """

    track_id: int
    start: int
    times: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray
    filled: np.ndarray

    @property
    def frames(self) -> np.ndarray:
        """(seen,) numbers of the frames in which the person was found."""
        return self.start + np.flatnonzero(np.isfinite(self.scores))

    @property
    def seen(self) -> int:
        """In how many frames the person was found."""
        return len(self.frames)


def trajectories(
    times: Sequence[float], people: Sequence[Sequence[Person]], ids: Sequence[Sequence[int]]
) -> list[Trajectory]:
    """The tracks of a clip, in the order of appearance."""
    seen: dict[int, list[tuple[int, Person]]] = {}
    for frame, (found, numbers) in enumerate(zip(people, ids, strict=True)):
        for person, number in zip(found, numbers, strict=True):
            seen.setdefault(number, []).append((frame, person))
    tracks = []
    for number, places in seen.items():
        start, end = places[0][0], places[-1][0] + 1
        keypoints = np.full((end - start, NUM_KEYPOINTS, 3), np.nan, np.float32)
        keypoints[:, :, 2] = 0
        scores = np.full(end - start, np.nan)
        for frame, person in places:
            keypoints[frame - start] = person.keypoints
            scores[frame - start] = person.score
        tracks.append(
            Trajectory(
                number,
                start,
                np.asarray(times[start:end], float),
                keypoints,
                scores,
                np.zeros(keypoints.shape[:2], bool),
            )
        )
    return tracks
