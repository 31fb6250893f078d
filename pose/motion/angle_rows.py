"""Angles as rows of a CSV file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pose.export import FramePosition, timestamp
from pose.motion.angles import ANGLE_NAMES, body_angles
from pose.person import Person

ANGLE_COLUMNS = ("image", "frame", "time", "person", *ANGLE_NAMES)
ANGLE_DECIMALS = 1


def angle_rows(
    people: Sequence[Person], image: str, frame: FramePosition | None = None
) -> list[dict[str, object]]:
    """A row a person, keyed by `ANGLE_COLUMNS`: degrees, empty where an angle is not known.

    `person` is the track id in a video, else a number from 1; see `pose.motion.angles`.
    """
    ids = frame.track_ids if frame and frame.track_ids else range(1, len(people) + 1)
    place = {"frame": frame.frame, "time": timestamp(frame.time)} if frame else {}
    rows: list[dict[str, object]] = []
    for number, person in zip(ids, people, strict=True):
        values = zip(ANGLE_NAMES, body_angles(person.keypoints), strict=True)
        angles = {n: round(float(v), ANGLE_DECIMALS) + 0.0 for n, v in values if np.isfinite(v)}
        rows.append({"image": image, **place, "person": number, **angles})
    return rows
