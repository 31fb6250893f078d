"""Angles of the body in the picture plane, in degrees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pose.skeleton import keypoint_index

MID_HIP = "mid hip"
"""Halfway between the hips; not a keypoint of the network."""

UP = "up"
"""A point straight above, towards the photo's upper edge."""


@dataclass(frozen=True)
class Angle:
    """An angle at `vertex` between the directions to `start` and to `end`.

    Attributes:
        name: of the column in files.
        start, vertex, end: names of keypoints, `MID_HIP`, or `UP`.
        signed: whether it is counted from `start`, clockwise positive as one sees the photo, -180
            to 180; otherwise it has no direction, 0 to 180.
    """

    name: str
    start: str
    vertex: str
    end: str
    signed: bool = False


def both_sides(name: str, start: str, vertex: str, end: str) -> tuple[Angle, ...]:
    return tuple(
        Angle(f"{side} {name}", f"{side} {start}", f"{side} {vertex}", f"{side} {end}")
        for side in ("right", "left")
    )


ANGLES: tuple[Angle, ...] = (
    *both_sides("knee", "hip", "knee", "ankle"),
    *both_sides("hip", "shoulder", "hip", "knee"),
    *both_sides("elbow", "shoulder", "elbow", "wrist"),
    *both_sides("shoulder", "hip", "shoulder", "elbow"),
    Angle("trunk lean", UP, MID_HIP, "neck", signed=True),
    Angle("neck", MID_HIP, "neck", "nose"),
)
"""A straight limb has 180 degrees; an upright trunk has 0 and leans to the photo's right with a
positive sign. Seen from the front or from behind, a bent joint may look straight."""

ANGLE_NAMES = tuple(angle.name for angle in ANGLES)


def body_angles(keypoints: np.ndarray) -> np.ndarray:
    """Every angle of `ANGLES`.

    Args:
        keypoints: (..., 18, 3) in pixels, NaN where missing.

    Returns:
        (..., len(ANGLES)) degrees; NaN where one of an angle's keypoints is missing.
    """
    return np.stack([degrees(keypoints, angle) for angle in ANGLES], axis=-1)


def degrees(keypoints: np.ndarray, angle: Angle) -> np.ndarray:
    """One angle of (..., 18, 3) keypoints: (...) degrees, NaN where it is not known."""
    vertex = point(keypoints, angle.vertex)
    end = point(keypoints, angle.end) - vertex
    start = np.array([0.0, -1.0]) if angle.start == UP else point(keypoints, angle.start) - vertex
    cross = start[..., 0] * end[..., 1] - start[..., 1] * end[..., 0]
    dot = (start * end).sum(-1)
    # Both are 0 where two keypoints coincide, which leaves no angle.
    known = (cross != 0) | (dot != 0)
    turn = np.degrees(np.arctan2(cross, dot))
    return np.where(known, turn if angle.signed else np.abs(turn), np.nan)


def point(keypoints: np.ndarray, name: str) -> np.ndarray:
    """(..., 2) in pixels, NaN where missing."""
    if name == MID_HIP:
        return (point(keypoints, "right hip") + point(keypoints, "left hip")) / 2
    return keypoints[..., keypoint_index(name), :2].astype(float)
