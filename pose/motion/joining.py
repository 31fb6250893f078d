"""Tracks of one person who was lost for longer than a tracker waits, such as in a jump: joined.

Which tracks fit each other is only known when the whole clip is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pose.decoding.second_pass import body_height
from pose.motion.trajectory import Trajectory
from pose.oks import best_pairs
from pose.person import Person

LONGEST = 3.0
"""Seconds between the end of a track and the start of one that continues it."""

OVERLAP = 0.5
"""Seconds for which the two may take turns."""

NEAR_END = 15
"""Frames, in which the person was found, that tell the height and velocity there."""

MOST_SCALED = 1.6
"""Factor between the heights, for somebody who turns or comes nearer."""

REACH = 0.5
"""Body heights from where a person was last seen, or would be at the same velocity, that fit."""

FASTEST = 1.5
"""Body heights by which that grows with every second: somebody runs."""

SMALLEST_FIT = 1e-3
"""Above 0, which is no fit at all."""


def joined(tracks: Sequence[Trajectory]) -> dict[int, int]:
    """For the ids of a clip's tracks, the id of the same person's first track.

    Args:
        tracks: without those of a moment, which would come between two that fit.
    """
    first = {track.track_id: track.track_id for track in tracks}
    pairs = best_pairs(
        [[fit(before, after) for after in tracks] for before in tracks], SMALLEST_FIT
    )
    for match in sorted(pairs, key=lambda match: tracks[match.second].start):
        first[tracks[match.second].track_id] = first[tracks[match.first].track_id]
    return first


def fit(before: Trajectory, after: Trajectory) -> float:
    """How well a track continues another, 0 to 1: where it starts, and how tall the person is."""
    gap = float(after.times[0] - before.times[-1])
    in_order = before.start < after.start and -OVERLAP <= gap <= LONGEST
    if not in_order or np.intersect1d(before.frames, after.frames).size:
        return 0.0
    gap = max(gap, 0.0)
    known = np.isfinite(before.scores)
    times, end = before.times[known][-NEAR_END:], before.keypoints[known][-NEAR_END:]
    start = after.keypoints[np.isfinite(after.scores)][:NEAR_END]
    heights = (height(end), height(start))
    if max(heights) > MOST_SCALED * min(heights):
        return 0.0
    first, last, next_ = (np.nanmedian(p[:, :2], axis=0) for p in (end[0], end[-1], start[0]))
    velocity = (last - first) / max(times[-1] - times[0], 1e-6)
    distance = min(np.linalg.norm(next_ - place) for place in (last, last + velocity * gap))
    return max(0.0, 1 - float(distance) / (max(*heights, 1e-6) * (REACH + FASTEST * gap)))


def height(keypoints: np.ndarray) -> float:
    """A person's height in pixels, upright or not, from (frames, 18, 3) keypoints."""
    return float(np.median([body_height(Person(points, 0.0)) for points in keypoints]))
