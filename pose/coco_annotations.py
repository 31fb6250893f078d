"""COCO annotations, the ground truth's layout: images, people with boxes and areas, the category.

https://cocodataset.org/#format-data; results are another layout, `pose.export.coco_results`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pose.export import coordinate
from pose.oks import AREA_SHARE
from pose.person import Person
from pose.skeleton import COCO_TO_KEYPOINT, KEYPOINTS

MISSING, HIDDEN, VISIBLE = 0, 1, 2
"""COCO's labels of a keypoint, v."""

MARGIN = np.array([0.06, 0.10])
"""How far the box goes beyond the keypoints, in x and y, as a share of their larger extent: the
median of the people of COCO train2017 with 15 keypoints or more."""

CATEGORY: dict[str, Any] = {
    "id": 1,
    "name": "person",
    "supercategory": "person",
    "keypoints": [KEYPOINTS[i].name.replace(" ", "_") for i in COCO_TO_KEYPOINT],
    "skeleton": [
        *([16, 14], [14, 12], [17, 15], [15, 13], [12, 13], [6, 12], [7, 13], [6, 7], [6, 8]),
        *([7, 9], [8, 10], [9, 11], [2, 3], [1, 2], [1, 3], [2, 4], [3, 5], [4, 6], [5, 7]),
    ],
}
"""COCO's one category with keypoints, as its files have it; the skeleton counts from 1."""


@dataclass(frozen=True)
class LabelledPerson:
    """A person whose keypoints somebody has checked.

    Attributes:
        person: the keypoints, (18, 3).
        labels: int (18,), for each keypoint `MISSING`, `HIDDEN` or `VISIBLE`.
    """

    person: Person
    labels: np.ndarray

    @staticmethod
    def of(person: Person) -> LabelledPerson:
        """A person as found: every found keypoint counts as visible."""
        return LabelledPerson(person, np.where(person.found, VISIBLE, MISSING))


@dataclass(frozen=True)
class LabelledPhoto:
    """A photo's file name, its (height, width) in pixels and its people."""

    file_name: str
    size: tuple[int, int]
    people: Sequence[LabelledPerson]


def coco_annotations(photos: Iterable[LabelledPhoto]) -> dict[str, Any]:
    """Photos and their people as the content of a COCO keypoint annotation file."""
    data: dict[str, Any] = {}
    for photo in photos:
        data = with_photo(data, photo)
    return data


def with_photo(data: Mapping[str, Any], photo: LabelledPhoto) -> dict[str, Any]:
    """The content of an annotation file with a photo added, or replaced where its name is there.

    Ids that are there stay; everything else in `data` stays too.

    Args:
        data: the content, {} for a new file.
    """
    images, people = list(data.get("images", [])), list(data.get("annotations", []))
    known = next((i for i in images if i["file_name"] == photo.file_name), None)
    image_id = known["id"] if known else 1 + largest_id(images)
    height, width = photo.size
    entry = {**(known or {}), "id": image_id, "file_name": photo.file_name}
    entry |= {"width": width, "height": height}
    images = [entry if i is known else i for i in images] if known else [*images, entry]
    people = [p for p in people if p["image_id"] != image_id]
    next_id = 1 + largest_id(people)
    for labelled in photo.people:
        annotation = person_annotation(labelled, photo.size)
        if annotation is not None:
            people.append({"id": next_id, "image_id": image_id, **annotation})
            next_id += 1
    return {
        **data,
        "images": images,
        "annotations": people,
        "categories": data.get("categories") or [CATEGORY],
    }


def largest_id(entries: Iterable[Mapping[str, Any]]) -> int:
    return max((int(entry["id"]) for entry in entries), default=0)


def person_annotation(labelled: LabelledPerson, size: tuple[int, int]) -> dict[str, Any] | None:
    """A person's annotation without its ids; None where no keypoint is one of COCO's.

    The box is the keypoints' with `MARGIN`, within the photo, since nobody drew an outline.

    Args:
        size: (height, width) of the photo.
    """
    coco = list(COCO_TO_KEYPOINT)
    points, labels = labelled.person.keypoints[coco, :2], labelled.labels[coco]
    there = labels > MISSING
    if not there.any():
        return None
    numbers: list[float] = []
    for (x, y), label in zip(points, labels, strict=True):
        numbers += [coordinate(x), coordinate(y), int(label)] if label else [0, 0, 0]
    box = person_box(points[there], size)
    return {
        "category_id": CATEGORY["id"],
        "iscrowd": 0,
        "num_keypoints": int(there.sum()),
        "keypoints": numbers,
        "bbox": [coordinate(value) for value in box],
        "area": coordinate(AREA_SHARE * box[2] * box[3]),
        "segmentation": [],
    }


def person_box(points: np.ndarray, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """x, y, width, height around keypoints (K, 2) with `MARGIN`, within (height, width)."""
    low, high = points.min(0).astype(float), points.max(0).astype(float)
    margin = np.maximum(MARGIN * (high - low).max(), 1)
    low, high = np.maximum(low - margin, 0), np.minimum(high + margin, size[::-1])
    width, height = high - low
    return (float(low[0]), float(low[1]), float(width), float(height))
