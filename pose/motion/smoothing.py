"""A person's keypoints over time: jumps dropped, short gaps filled, positions smoothed.

Smoothing waits for the whole clip, so that it does not lag.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from pose.motion.trajectory import Trajectory
from pose.person import Person
from pose.skeleton import NUM_KEYPOINTS

LONGEST_FILLED = 0.5
"""Seconds of a gap over which a keypoint's path is known well enough to be filled."""

CUTOFF = 5.0
"""Hertz; faster movement of a keypoint counts as noise. Gait analysis takes 4 to 6."""

FEWEST_POINTS = 5
"""What a smoothing spline needs."""

NEIGHBOURS = 5
"""Frames whose median a keypoint is compared with: a jump for one or two of them is an error."""

LARGEST_JUMP = 0.1
"""Of the person's box, which a keypoint may lie from that median."""


def without_jumps(track: Trajectory) -> Trajectory:
    """Without keypoints that lie elsewhere for a frame or two, such as on another's knee."""
    from scipy.ndimage import median_filter

    keypoints = track.keypoints.copy()
    sizes = np.array([max(Person(points, 0.0).box[2:]) for points in keypoints])
    for k in range(NUM_KEYPOINTS):
        found = np.flatnonzero(keypoints[:, k, 2] > 0)
        if len(found) < NEIGHBOURS:
            continue
        path = track.keypoints[found, k, :2]
        usual = median_filter(path, (NEIGHBOURS, 1), mode="nearest")
        jumps = np.linalg.norm(path - usual, axis=1) > LARGEST_JUMP * sizes[found]
        keypoints[found[jumps], k] = (np.nan, np.nan, 0)
    return replace(track, keypoints=keypoints)


def filled(track: Trajectory) -> Trajectory:
    """Short gaps of each keypoint interpolated, with the lower score of their two ends."""
    keypoints, marks = track.keypoints.copy(), track.filled.copy()
    for k in range(NUM_KEYPOINTS):
        found = np.flatnonzero(keypoints[:, k, 2] > 0)
        for before, after in pairwise(found):
            if after == before + 1 or track.times[after] - track.times[before] > LONGEST_FILLED:
                continue
            inner = slice(before + 1, after)
            ends = track.times[[before, after]]
            for axis in (0, 1):
                keypoints[inner, k, axis] = np.interp(
                    track.times[inner], ends, track.keypoints[[before, after], k, axis]
                )
            keypoints[inner, k, 2] = track.keypoints[[before, after], k, 2].min()
            marks[inner, k] = True
    return replace(track, keypoints=keypoints, filled=marks)


def smoothed(track: Trajectory, cutoff: float = CUTOFF) -> Trajectory:
    """Each keypoint's path as a smoothing spline, with the scores as weights.

    For evenly spaced frames the spline passes a frequency f by 1 / (1 + (f / cutoff)^4), as a
    Butterworth filter run forwards and backwards does; it needs no even spacing.
    """
    from scipy.interpolate import make_smoothing_spline

    keypoints = track.keypoints.copy()
    for k in range(NUM_KEYPOINTS):
        for run in runs(keypoints[:, k, 2] > 0):
            times, weights = track.times[run], track.keypoints[run, k, 2].astype(float)
            if len(times) < FEWEST_POINTS or np.any(np.diff(times) <= 0):
                continue
            stiffness = 1 / (np.diff(times).mean() * (2 * np.pi * cutoff) ** 4)
            weights /= weights.mean()
            for axis in (0, 1):
                path = make_smoothing_spline(
                    times, track.keypoints[run, k, axis].astype(float), weights, stiffness
                )
                keypoints[run, k, axis] = path(times)
    return replace(track, keypoints=keypoints)


def runs(there: np.ndarray) -> list[slice]:
    """The stretches of a bool array (n,) in which it is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]])))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
