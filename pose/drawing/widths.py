"""How wide limbs are drawn: by the person, by the median person, by confidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pose.drawing.settings import DrawSettings
from pose.person import Person, found_keypoints

LIMB_WIDTH = 0.066
"""Width of a limb as a fraction of the torso's length."""

CONTROLNET_WIDTH = 8 / 512
"""Width of ControlNet's limbs as a fraction of the picture's shorter side."""

SURE = 0.6
"""A keypoint of this score is drawn at full strength."""

LEAST_SHARE = 0.3
"""Width and opacity of a keypoint of score 0, relative to a sure one."""


def keypoint_shares(person: Person, settings: DrawSettings) -> list[float]:
    """Width and opacity of each keypoint relative to a sure one."""
    if not settings.confidence:
        return [1.0] * len(person.keypoints)
    sure = np.clip(np.nan_to_num(person.keypoints[:, 2]) / SURE, 0, 1)
    return (LEAST_SHARE + (1 - LEAST_SHARE) * sure.astype(float)).tolist()


def limb_widths(
    people: Sequence[Person], settings: DrawSettings, image_size: tuple[int, int]
) -> list[float]:
    """Width in pixels of each person's limbs."""
    if settings.width == "controlnet" or not people:
        return [CONTROLNET_WIDTH * min(image_size)] * len(people)
    widths = [limb_width(person, image_size) for person in people]
    return [float(np.median(widths))] * len(people) if settings.width == "median" else widths


def limb_width(person: Person, image_size: tuple[int, int]) -> float:
    """Width of a limb in pixels: a fraction of the torso, within limits set by the photo."""
    short_side = min(image_size)
    low = max(1.5, short_side / 320)
    return float(np.clip(LIMB_WIDTH * torso_length(person), low, max(low, short_side / 24)))


def torso_length(person: Person) -> float:
    """Pixels from neck to hips, estimated from the keypoints that were found.

    An adult's shoulders seen from the front are about 0.75 torsos wide, the face from ear to ear
    about 0.3. From the side they appear narrower, so the largest estimate is taken.
    """
    points = person.keypoints.astype(np.float64)
    found = found_keypoints(points)

    def distance(a: int, b: int) -> float:
        return float(np.hypot(*(points[a, :2] - points[b, :2]))) if found[a] and found[b] else 0.0

    shoulders, face = distance(2, 5) / 0.75, max(distance(14, 15) / 0.14, distance(16, 17) / 0.3)
    torso = max(distance(1, 8), distance(1, 11), shoulders)
    return torso or face or 0.35 * max(person.box[2:])
