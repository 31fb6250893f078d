"""The people of a clip, steadied: joined, those of a moment dropped, paths filled and smoothed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pose.motion.joining import joined
from pose.motion.smoothing import FEWEST_POINTS, filled, smoothed, without_jumps
from pose.motion.trajectory import Trajectory, trajectories
from pose.person import Person

SHORTEST_TRACK = 0.5
"""Seconds for which a person must be seen; less is mostly a false positive of a few frames."""

SHARE_OF_CLIP = 0.25
"""Share of a clip's frames that is enough as well, where the clip is shorter."""


@dataclass(frozen=True)
class FollowedFrame:
    """The people of one frame of a clip.

    Attributes:
        time: seconds from the start of the clip.
        people: in the order of their ids.
        ids: who they are, from 1 in the order of appearance.
        filled: for each person bool (18,): keypoints that were not found in this frame but lie
            between two frames in which they were.
    """

    time: float
    people: tuple[Person, ...]
    ids: tuple[int, ...]
    filled: tuple[np.ndarray, ...]


def follow(
    times: Sequence[float],
    people: Sequence[Sequence[Person]],
    ids: Sequence[Sequence[int]],
    smooth: bool = True,
) -> list[FollowedFrame]:
    """The people of a clip, steadied.

    Args:
        times: of each frame, in seconds.
        people: found in each frame.
        ids: their track ids, from a `Tracker`.
        smooth: False keeps everybody where and as often as found.
    """
    first = joined(without_short(trajectories(times, people, ids), times))
    ids = [[first.get(number, number) for number in numbers] for numbers in ids]
    tracks = trajectories(times, people, ids)
    if smooth:
        tracks = [smoothed(filled(without_jumps(track))) for track in without_short(tracks, times)]
    numbered = [replace(track, track_id=i) for i, track in enumerate(tracks, 1)]
    return [frame_of(numbered, i, float(time)) for i, time in enumerate(times)]


def without_short(tracks: Sequence[Trajectory], times: Sequence[float]) -> list[Trajectory]:
    """The tracks of people who were seen long enough."""
    interval = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    needed = min(SHORTEST_TRACK / max(interval, 1e-6), SHARE_OF_CLIP * len(times))
    if len(times) >= FEWEST_POINTS - 1:
        needed = max(needed, 2)  # one frame is no track
    return [track for track in tracks if track.seen >= needed]


def frame_of(tracks: Sequence[Trajectory], number: int, time: float) -> FollowedFrame:
    """The people of one frame; those of whom nothing is known in it are left out."""
    people, ids, marks = [], [], []
    for track in tracks:
        at = number - track.start
        if not 0 <= at < len(track.times) or not (track.keypoints[at, :, 2] > 0).any():
            continue
        # In a filled frame, the score of the last one in which the person was found.
        score = next(s for s in track.scores[at::-1] if np.isfinite(s))
        people.append(Person(track.keypoints[at], float(score)))
        ids.append(track.track_id)
        marks.append(track.filled[at])
    return FollowedFrame(time, tuple(people), tuple(ids), tuple(marks))
