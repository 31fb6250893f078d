"""The keypoints in which two results differ, drawn over the photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pose import Person
from pose.drawing.skeletons import disc
from pose.oks import match_people
from pose.skeleton import NUM_KEYPOINTS

COLOR_A, COLOR_B = (240, 228, 66), (204, 121, 167)
"""Okabe and Ito's yellow and pink, unlike the colours of left and right."""

LEAST_SHARE = 0.03
"""Keypoints differ from this share of the person's height on."""


@dataclass(frozen=True)
class Difference:
    """A keypoint with its places in A and B in pixels; None where that side lacks it."""

    keypoint: int
    a: np.ndarray | None
    b: np.ndarray | None


def differences(a: Sequence[Person], b: Sequence[Person]) -> list[Difference]:
    """The keypoints that one side lacks or puts elsewhere; people of one side alone count whole."""
    found: list[Difference] = []
    matches = match_people(a, b)
    for match in matches:
        one, other = a[match.first], b[match.second]
        least = LEAST_SHARE * max(one.box[3], other.box[3])
        for k in range(NUM_KEYPOINTS):
            place_a, place_b = place(one, k), place(other, k)
            if place_a is not None and place_b is not None:
                if float(np.hypot(*(place_a - place_b))) < least:
                    continue
            elif place_a is None and place_b is None:
                continue
            found.append(Difference(k, place_a, place_b))
    alone_a = set(range(len(a))) - {match.first for match in matches}
    alone_b = set(range(len(b))) - {match.second for match in matches}
    for k in range(NUM_KEYPOINTS):
        found += [Difference(k, place(a[i], k), None) for i in alone_a if a[i].found[k]]
        found += [Difference(k, None, place(b[i], k)) for i in alone_b if b[i].found[k]]
    return found


def place(person: Person, keypoint: int) -> np.ndarray | None:
    return person.keypoints[keypoint, :2].astype(float) if person.found[keypoint] else None


def draw_differences(photo: np.ndarray, found: Sequence[Difference]) -> np.ndarray:
    """A's places in yellow, B's in pink, a line between the two of one keypoint."""
    picture = cv2.convertScaleAbs(np.ascontiguousarray(photo), alpha=0.5)
    radius = max(photo.shape[:2]) / 220
    for difference in found:
        if difference.a is not None and difference.b is not None:
            a, b = (np.round(end).astype(int).tolist() for end in (difference.a, difference.b))
            cv2.line(picture, a, b, (245, 245, 245), max(1, round(radius / 2)), cv2.LINE_AA)
        for position, color in ((difference.a, COLOR_A), (difference.b, COLOR_B)):
            if position is not None:
                disc(picture, position, radius + 1, (20, 20, 20))
                disc(picture, position, radius, color)
    return picture
