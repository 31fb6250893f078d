"""What the editor in the browser holds, as JSON, and the people in it.

A person there is `{"score", "edited", "points"}` with 18 points, each `[x, y, score, v]` in pixels
of the photo or null where the keypoint is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from pose import Person, UserError
from pose.coco_annotations import HIDDEN, MISSING, VISIBLE, LabelledPerson
from pose.export import coordinate, score
from pose.skeleton import KEYPOINTS, L_SHOULDER, NECK, NUM_KEYPOINTS, R_SHOULDER

MOST_PEOPLE = 500
"""In one photo; the decoder finds fewer."""


def people_json(people: Iterable[LabelledPerson]) -> list[dict[str, Any]]:
    """People for the editor."""
    return [
        {
            "score": score(labelled.person.score),
            "edited": False,
            "points": [
                [coordinate(x), coordinate(y), score(s), int(v)] if v else None
                for (x, y, s), v in zip(labelled.person.keypoints, labelled.labels, strict=True)
            ],
        }
        for labelled in people
    ]


def read_people(entries: Any, size: tuple[int, int]) -> tuple[LabelledPerson, ...]:
    """The people of the editor; somebody without a keypoint is left out.

    Args:
        entries: what came from the browser.
        size: (height, width) of the photo.

    Raises:
        UserError: they are no people, or a keypoint is outside the photo.
    """
    if not isinstance(entries, list) or len(entries) > MOST_PEOPLE:
        raise UserError("the corrections did not arrive: reload the page")
    people = [read_person(entry, size, number) for number, entry in enumerate(entries, 1)]
    return tuple(person for person in people if person.labels.any())


def read_person(entry: Any, size: tuple[int, int], number: int) -> LabelledPerson:
    """A person of the editor. Raises: see `read_people`."""
    if not isinstance(entry, Mapping) or not isinstance(points := entry.get("points"), list):
        raise UserError("the corrections did not arrive: reload the page")
    if len(points) != NUM_KEYPOINTS:
        raise UserError(f"person {number} has {len(points)} keypoints instead of {NUM_KEYPOINTS}")
    keypoints = np.full((NUM_KEYPOINTS, 3), (np.nan, np.nan, 0), np.float32)
    labels = np.full(NUM_KEYPOINTS, MISSING)
    for k, point in enumerate(points):
        if point is not None:
            *keypoints[k], labels[k] = read_point(point, size, f"{KEYPOINTS[k].name} of {number}")
    if entry.get("edited"):
        follow_shoulders(keypoints, labels)
    try:
        person_score = min(max(float(entry.get("score", 1)), 0), 1000)
    except (TypeError, ValueError):
        person_score = 1.0
    return LabelledPerson(Person(keypoints, person_score), labels)


def read_point(point: Any, size: tuple[int, int], name: str) -> tuple[float, float, float, int]:
    """x, y, score and label. Raises: see `read_people`."""
    try:
        x, y, found, label = (float(value) for value in point)
    except (TypeError, ValueError):
        raise UserError(f"the {name} is no keypoint: place it again") from None
    height, width = size
    # Pixel centres are whole numbers, so a photo reaches half a pixel further.
    if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
        raise UserError(f"the {name} is outside the photo: move it onto the photo")
    if label not in (HIDDEN, VISIBLE):
        raise UserError(f"the {name} is neither hidden nor visible: place it again")
    return x, y, min(max(found, 1e-6), 1.0) if found == found else 1.0, int(label)


def follow_shoulders(keypoints: np.ndarray, labels: np.ndarray) -> None:
    """Puts the neck between the shoulders where both are there; hidden if one of them is."""
    shoulders = [R_SHOULDER, L_SHOULDER]
    if (labels[shoulders] > MISSING).all():
        keypoints[NECK] = keypoints[shoulders].mean(0)
        labels[NECK] = labels[shoulders].min()


def same_people(first: Sequence[LabelledPerson], second: Sequence[LabelledPerson]) -> bool:
    """Whether the people are the same to the precision of files."""
    return people_json(first) == people_json(second)
