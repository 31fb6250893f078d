"""A small data set with drawn photos and five people, for tests to change as tools would."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from train.data.annotations import Annotations
from train.data.coco import read_coco
from train.data.keypoint_names import NAMES

SIZES = {"a.jpg": (320, 240), "b.jpg": (240, 320), "c.jpg": (400, 300)}
"""(width, height) of the photos."""

BODY = np.array(
    "30,8 33,5 27,5 37,7 23,7 42,25 18,25 50,45 10,45 52,65 8,65 38,70 22,70 40,100 20,100 41,130 "
    "19,130".replace(",", " ").split(),
    int,
).reshape(17, 2)
"""A standing person of 60 x 140 pixels in COCO's order."""

PLACES = {"a.jpg": [(10, 60), (230, 80)], "b.jpg": [(120, 150)], "c.jpg": [(60, 20), (300, 150)]}
"""Top left corners of the people in each photo; some stand far to the right and low down."""


@dataclass
class DrawnData:
    """The photos and the annotations, which `read` writes first."""

    folder: Path
    content: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.photos.mkdir(parents=True)
        images, people = [], []
        for number, (name, size) in enumerate(SIZES.items(), start=5):
            noise = np.random.default_rng(number).integers(0, 255, (*size[::-1], 3), np.uint8)
            Image.fromarray(noise).save(self.photos / name)
            images.append({"id": number, "file_name": name, "width": size[0], "height": size[1]})
            people += [annotation(number, place) for place in PLACES[name]]
        for number, person in enumerate(people, start=101):
            person["id"] = number
        names = [name.replace(" ", "_") for name in NAMES]
        category = {"id": 1, "name": "person", "keypoints": names}
        self.content = {"images": images, "annotations": people, "categories": [category]}

    @property
    def photos(self) -> Path:
        return self.folder / "train2017"

    @property
    def file(self) -> Path:
        return self.folder / "annotations" / "person_keypoints_train2017.json"

    @property
    def people(self) -> list[dict[str, Any]]:
        return self.content["annotations"]

    @property
    def images(self) -> list[dict[str, Any]]:
        return self.content["images"]

    def write(self, encoding: str = "utf-8") -> Path:
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(json.dumps(self.content), encoding)
        return self.file

    def read(self, encoding: str = "utf-8") -> Annotations:
        return read_coco(self.write(encoding), self.photos)


def annotation(image_id: int, place: tuple[int, int]) -> dict[str, Any]:
    """A person whose left ankle is missing and left eye hidden."""
    keypoints = np.column_stack([BODY + place, np.full(17, 2)])
    keypoints[1, 2] = 1
    keypoints[15] = 0
    return {
        "image_id": image_id,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [*place, 60, 140],
        "area": 5000.0,
        "num_keypoints": 16,
        "keypoints": keypoints.ravel().tolist(),
    }


def same_people(first: Annotations, second: Annotations, only_keypoints: bool = False) -> bool:
    """Whether two readings hold the same people in the same photos."""
    if [i.path for i in first.images] != [i.path for i in second.images]:
        return False
    for one, other in zip(first.images, second.images, strict=True):
        if one.size != other.size or not np.array_equal(one.keypoints, other.keypoints, True):
            return False
        pairs = zip(one.labelled, other.labelled, strict=True)
        if not only_keypoints and any((a.box, a.area) != (b.box, b.area) for a, b in pairs):
            return False
    return True
