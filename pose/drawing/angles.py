"""The angles of the joints, written beside them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from pose.motion.angles import ANGLES, MID_HIP, body_angles
from pose.person import Person
from pose.skeleton import keypoint_index

JOINTS = [
    (i, keypoint_index(angle.vertex)) for i, angle in enumerate(ANGLES) if angle.vertex != MID_HIP
]
"""Number of an angle and its keypoint."""


def draw_angles(image: np.ndarray, people: Sequence[Person]) -> np.ndarray:
    """The image, RGB uint8 (H, W, 3), with every known angle in degrees beside its joint."""
    picture = image.copy()
    scale = max(image.shape[:2]) / 1800
    for person in people:
        angles = body_angles(person.keypoints)
        for number, keypoint in JOINTS:
            if not np.isfinite(angles[number]):
                continue
            x, y = person.keypoints[keypoint, :2]
            place = (round(float(x) + 12 * scale), round(float(y) - 8 * scale))
            for color, width in (((20, 20, 20), 4), ((255, 255, 255), 1.6)):
                cv2.putText(
                    picture,
                    f"{angles[number]:.0f}",  # OpenCV's fonts have no degree sign
                    place,
                    cv2.FONT_HERSHEY_SIMPLEX,
                    scale,
                    color,
                    max(1, round(width * scale)),
                    cv2.LINE_AA,
                )
    return picture
